"use strict";
// Filters the rows that are on the page. Every row carries its words; nothing is fetched.
const rows = [...document.querySelectorAll("details.v")];
const words = rows.map((row) => row.textContent.toLowerCase());
const text = document.getElementById("text");
const picks = [...document.querySelectorAll(".filters select")];
const shown = document.getElementById("shown");
function filter() {
  const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  rows.forEach((row, at) => {
    const fits = picks.every((pick) => !pick.value || row.dataset[pick.name] === pick.value)
      && wanted.every((word) => words[at].includes(word));
    row.hidden = !fits;
    count += fits;
  });
  shown.textContent = count + " of " + rows.length;
}
text.addEventListener("input", filter);
picks.forEach((pick) => pick.addEventListener("change", filter));
// why: on paper a closed row would hide its evidence.
addEventListener("beforeprint", () => rows.forEach((row) => { row.open = !row.hidden && row.dataset.status !== "PASS"; }));
filter();
