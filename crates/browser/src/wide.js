// The elements beyond the right edge of a page that can be scrolled sideways, the first ten of the innermost.
(() => {
  const edge = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= edge) return [];
  // What scrolls by itself does not widen the page; the page's own scrolling is the question.
  const isCut = (element) =>
    element !== document.body &&
    (getComputedStyle(element).overflowX !== "visible" || isCut(element.parentElement));
  const out = [...document.body.querySelectorAll("*")].filter(
    (element) =>
      visible(element) &&
      element.getBoundingClientRect().right > edge + 0.5 &&
      !isCut(element.parentElement),
  );
  return out
    .filter((outer) => !out.some((inner) => inner !== outer && outer.contains(inner)))
    .slice(0, 10)
    .map((element) => `${element.outerHTML.slice(0, 120)} ends at ${element.getBoundingClientRect().right}`)
    .concat(`(the page is ${document.documentElement.scrollWidth} wide, the screen ${edge})`);
})()
