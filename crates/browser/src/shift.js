// What moved on the page since it was opened, without any action of the visitor.
new Promise((done) => {
  const shifts = [];
  const name = (node) => {
    const element = node instanceof Element ? node : node?.parentElement;
    if (!element) return "something that is gone";
    const part = element.id ? `#${element.id}` : element.className ? `.${element.className}` : "";
    return element.tagName.toLowerCase() + part;
  };
  const note = (entries) => {
    for (const { value, hadRecentInput, sources } of entries)
      if (!hadRecentInput) shifts.push({ score: value, moved: sources.map((source) => name(source.node)) });
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  const finish = () => {
    note(observer.takeRecords());
    done(shifts);
  };
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(finish)));
})
