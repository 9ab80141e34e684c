"use strict";
// Filters the rows, and brings in those that the page holds as text: a browser takes seconds to build thousands of
// rows, so what must be acted on first is there at once and the rest follows. Nothing is fetched.
const rows = [...document.querySelectorAll("details.v")];
const waiting = [...document.querySelectorAll("script.rows")];
const text = document.getElementById("text");
const picks = [...document.querySelectorAll(".filters select")];
const shown = document.getElementById("shown");
const words = new WeakMap();
let wanted = [];
let count = 0;
function says(row) {
  if (!words.has(row)) words.set(row, row.textContent.toLowerCase());
  return words.get(row);
}
function fits(row) {
  return picks.every((pick) => !pick.value || row.dataset[pick.name] === pick.value)
    && wanted.every((word) => says(row).includes(word));
}
function settle(row) {
  const hide = !fits(row);
  if (row.hidden !== hide) row.hidden = hide;
  count += hide ? 0 : 1;
}
function tell() {
  shown.textContent = count + " of " + (waiting.length ? rows.length + " so far, " + shown.dataset.all + " in all" : rows.length);
}
function filter() {
  wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  count = 0;
  rows.forEach(settle);
  tell();
}
function bring() {
  const block = waiting.shift();
  const built = document.createElement("template");
  built.innerHTML = block.textContent;
  const fresh = [...built.content.querySelectorAll("details.v")];
  fresh.forEach(settle);
  rows.push(...fresh);
  block.replaceWith(built.content);
  tell();
}
// When the browser has nothing better to do: what somebody does on the page goes first.
function rest(go) {
  if (self.requestIdleCallback) requestIdleCallback(go, { timeout: 200 }); else setTimeout(go);
}
function next() {
  if (!waiting.length) return;
  bring();
  rest(next);
}
text.addEventListener("input", filter);
picks.forEach((pick) => pick.addEventListener("change", filter));
// why: on paper a closed row would hide its evidence, and one that is not there yet would be missing.
addEventListener("beforeprint", () => {
  while (waiting.length) bring();
  rows.forEach((row) => { row.open = !row.hidden && row.dataset.status !== "PASS"; });
});
filter();
requestAnimationFrame(() => rest(next));
