/* Keys, and what shows whether the page is live. Everything else works without this file. */
"use strict";
(() => {
  const off = document.documentElement.dataset.keys === "off";
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const here = () => document.activeElement && document.activeElement.closest("[data-row]");
  const opener = (row) => row.querySelector('[data-key="o"]');

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(here());
    const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
    const link = opener(next);
    if (link) { link.focus(); next.scrollIntoView({ block: "nearest" }); }
  }

  function press(key) {
    const row = here();
    const target = (row && row.querySelector(`[data-key="${key}"]`)) ||
      [...document.querySelectorAll(`[data-key="${key}"]`)].find((e) => !e.closest("[data-row]"));
    if (!target) return false;
    target.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (off || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const writing = event.target.closest && event.target.closest("input, select, textarea, [contenteditable]");
    if (writing) { if (event.key === "Escape") writing.blur(); return; }
    if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
    else if (event.key === "g") location.assign("/");
    else if (!/^[a-z?]$/.test(event.key) || !press(event.key)) return;
    event.preventDefault();
  });

  /* A slider says what it stands at: the number at the front of its words. */
  document.addEventListener("input", (event) => {
    const slider = event.target;
    const said = slider.type === "range" && slider.id && document.querySelector(`output[for="${slider.id}"]`);
    if (said) said.textContent = said.textContent.replace(/^[\d.]+/, slider.value);
  });

  /* A part that is renewed keeps the row that had the focus. */
  let kept = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = here();
    kept = row && event.detail.target.contains(row) ? row.dataset.row : null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (kept === null) return;
    const row = rows().find((r) => r.dataset.row === kept);
    kept = null;
    if (row && opener(row)) opener(row).focus({ preventScroll: true });
  });

  const state = document.getElementById("live");
  function say(text, isOff) { if (state) { state.hidden = false; state.textContent = text; state.classList.toggle("off", isOff); } }
  document.addEventListener("htmx:sseOpen", () => say("live", false));
  document.addEventListener("htmx:sseError", () => say("every 30 s", true));
  document.addEventListener("htmx:sendError", () => say("not reachable", true));
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && state && state.textContent === "not reachable") say("every 30 s", true);
  });
})();
