// What pages cannot do without a script: keys, dialogs, and live updates. Everything else is links and
// forms, and works without it.
"use strict";

// The server renders times in this browser's time zone.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`mis_sync_zone=${zone}`)) {
  const isFirst = !document.cookie.includes("mis_sync_zone=");
  document.cookie = `mis_sync_zone=${zone}; Path=/dashboard; SameSite=Strict; Max-Age=31536000`;
  if (!isFirst && document.querySelector("time")) location.reload();
}

// On a phone the page's tab may be beyond the edge of the screen.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// The box that ticks all boxes of a list.
document.addEventListener("change", ({ target }) => {
  const all = document.getElementById("tick-all");
  const ticks = [...document.querySelectorAll("input.tick")];
  if (target === all) for (const tick of ticks) tick.checked = all.checked;
  else if (all && ticks.includes(target)) all.checked = ticks.every((tick) => tick.checked);
});

// A choice in the menu counts at once.
document.getElementById("preferences")?.addEventListener("change", ({ target }) => target.form.requestSubmit());

// A button that copies a text.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// In a table, a sheet opens below its button; near the bottom of the window above it, or else beside it.
// It then stays where it is.
const GAP = 6;
function place(sheet, button) {
  const { width, height } = sheet.getBoundingClientRect();
  let top = button.bottom + GAP;
  let left = button.right - width;
  if (top + height > innerHeight) {
    top = button.top - GAP - height;
    if (top < GAP) [top, left] = [innerHeight - GAP - height, button.left - GAP - width];
  }
  const within = document.documentElement.clientWidth - GAP - width;
  sheet.style.inset = `${Math.max(GAP, top)}px auto auto ${Math.max(GAP, Math.min(left, within))}px`;
  sheet.style.transform = "none";
}
function openBeside(event, button) {
  const details = button.parentElement;
  const sheet = details.querySelector(".sheet");
  sheet.removeAttribute("style");
  if (details.open || matchMedia("(max-width: 720px)").matches) return;
  // Opened here, so that it is never seen elsewhere.
  event.preventDefault();
  details.open = true;
  place(sheet, button.getBoundingClientRect());
}

// One menu or sheet is open at a time, and a click elsewhere closes it.
const sheets = "details.action[open], details.menu[open]";
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(sheets)) if (!open.contains(event.target)) open.open = false;
  const button = event.target.closest(".rows .action > summary");
  if (button) openBeside(event, button);
  const opens = event.target.closest("[data-open]");
  if (opens) document.getElementById(opens.dataset.open)?.showModal();
});

const isTyping = (target) => target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
const rows = () =>
  [...document.querySelectorAll("table.rows tbody tr:has(a)")].filter((row) => row.offsetParent);
let isGoing = false;

function move(list, step) {
  const at = list.findIndex((item) => "at" in item.dataset);
  delete list[at]?.dataset.at;
  const next = list[Math.max(0, Math.min(list.length - 1, at + step))];
  if (next) next.dataset.at = "";
  next?.scrollIntoView({ block: "nearest" });
}

function openPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  palette.showModal();
  const input = palette.querySelector("input");
  input.select();
  htmx.trigger(input, "open");
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  const palette = document.querySelector("#palette[open]");
  if (palette) {
    const hits = [...palette.querySelectorAll(".hits a")];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(hits, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      (hits.find((hit) => "at" in hit.dataset) ?? hits[0])?.click();
    }
    return;
  }
  if (event.key === "Escape") {
    for (const open of document.querySelectorAll(sheets)) {
      open.open = false;
      open.querySelector("summary").focus();
    }
    if (isTyping(event.target)) event.target.blur();
  }
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    isTyping(event.target) ||
    document.querySelector("dialog[open]")
  )
    return;
  const wasGoing = isGoing;
  isGoing = false;
  if (wasGoing) {
    document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "g") {
    isGoing = true;
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("find")?.focus();
  } else if (event.key === "?") {
    document.getElementById("help")?.showModal();
  } else if (event.key === "j" || event.key === "k") {
    move(rows(), event.key === "j" ? 1 : -1);
  } else if (event.key === "x") {
    document.querySelector("table.rows tr[data-at] input.tick")?.click();
  } else if (event.key === "Enter" && event.target === document.body) {
    const row = document.querySelector("table.rows tr[data-at]");
    (row?.querySelector("a.open") ?? row?.querySelector("a"))?.click();
  }
});

// Empty fields do not belong in the address of a filter.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const { method, body } = ctx.request;
  if (method === "GET") for (const [name, value] of [...body]) if (!value) body.delete(name);
});

// A page that is not live any more stays, and says since when.
let freshAt = new Date();
function say(problem) {
  const there = document.querySelector(".lost");
  document.body.toggleAttribute("data-stale", Boolean(problem));
  if (!problem) {
    freshAt = new Date();
    there?.remove();
  } else if (!there) {
    const line = document.createElement("p");
    line.className = "lost";
    line.setAttribute("role", "status");
    const zone = document.cookie.includes("mis_sync_time=utc") ? { timeZone: "UTC" } : {};
    line.textContent = `${problem} What you see is from ${freshAt.toLocaleTimeString("en-GB", zone)}.`;
    document.body.append(line);
  }
}
const UNREACHED = "mis-sync cannot be reached.";
document.addEventListener("htmx:before:swap", (event) => {
  const status = event.detail.ctx?.response?.raw?.status ?? 200;
  if (status >= 400) {
    event.preventDefault();
    say(status === 503 ? "The database (Postgres) cannot be reached." : "This page cannot be loaded again.");
  } else say();
});
document.addEventListener("htmx:error", () => say(UNREACHED));
document.addEventListener("htmx:sse:error", (event) => {
  // After signing out, or when the session has ended, ask the person to sign in.
  if (event.detail.status === 401) location.reload();
  else say(UNREACHED);
});

// Live updates wait while a person wants them to, or has ticked rows.
const live = document.getElementById("live");
const pause = document.getElementById("pause");
let isMissed = false;
const isPaused = () =>
  pause?.getAttribute("aria-pressed") === "true" || document.querySelector("input.tick:checked");
function goOn() {
  if (pause) pause.textContent = isPaused() ? "Updates paused" : "Live";
  pause?.toggleAttribute("data-paused", Boolean(isPaused()));
  if (!isMissed || isPaused()) return;
  isMissed = false;
  live.dispatchEvent(new Event("changed"));
}
if (live && pause) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(pause.getAttribute("aria-pressed") !== "true"));
    goOn();
  });
  document.addEventListener("change", goOn);
  // Before the parts of the page hear of it.
  document.addEventListener(
    "changed",
    (event) => {
      say();
      if (!isPaused()) return;
      event.stopImmediatePropagation();
      isMissed = true;
    },
    true,
  );
  live.addEventListener("lost", () => say("The database (Postgres) does not answer."));
}
