// Scripts of the tests use these; see `Page` for what a selector is.
const words = (text) => text.replace(/\s+/g, " ").trim().toLowerCase();
const says = (element, text) =>
  words(`${element.innerText} ${element.value ?? ""}`).includes(words(text));
const visible = (element) =>
  element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
const find = (selector, roots = [document]) => {
  const [, css, text, rest] = selector.match(/^(.*?)(?::says\((.*?)\)(.*))?$/s);
  const below = (root) => root.querySelectorAll(root === document ? css : `:scope ${css}`);
  const found = roots
    .flatMap((root) => [...below(root)])
    .filter((element) => visible(element) && (text === undefined || says(element, text)));
  if (text === undefined) return found;
  const innermost = found.filter((outer) => !found.some((inner) => inner !== outer && outer.contains(inner)));
  if (!rest.trim()) return innermost;
  if (!/^\s/.test(rest)) throw Error("after :says(…) a blank has to come");
  return find(rest.trim(), innermost);
};
// Where the first such element can be clicked; text that says why it cannot.
const clickable = (selector) => {
  const [element] = find(selector);
  if (document.readyState !== "complete" || !element) return "it is not there";
  if (element.matches(":disabled")) return "it is disabled";
  element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const { x, y, width, height } = element.getClientRects()[0];
  const point = { x: x + width / 2, y: y + height / 2 };
  const hit = document.elementFromPoint(point.x, point.y);
  const isIt = hit && (element.contains(hit) || hit.closest("label")?.control === element);
  return isIt ? point : `it is covered by ${hit?.outerHTML.slice(0, 120)}`;
};
