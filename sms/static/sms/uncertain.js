/* Uncertain messages one after the other, by keyboard: after a decision the focus stands on the next open row, on the
   heading where none is left. A row that a colleague decided keeps the focus that was in it, or that was nowhere while
   keys meant this row, and answers no key then: a late press means the row that was looked at, never another. */

const ROW = "#uncertain .uncertain-row";
const isOpen = (row) => Boolean(row.querySelector("form"));

let decided = ""; // the row whose decision is under way
let held = ""; // the row that had the focus when it was swapped

document.addEventListener("htmx:beforeRequest", (event) => {
  const row = event.detail.elt.closest?.(ROW);
  if (row && event.detail.requestConfig.verb === "post") decided = row.id;
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const row = event.detail.target?.closest?.(ROW);
  if (!row) return;
  const meant = document.activeElement === document.body && row === [...document.querySelectorAll(ROW)].find(isOpen);
  held = meant || row.contains(document.activeElement) ? row.id : "";
});

/** The focus is nowhere, or still in the row. */
const isFree = (row) => document.activeElement === document.body || row.contains(document.activeElement);

document.addEventListener("htmx:afterSettle", (event) => {
  const row = event.target.closest?.(ROW);
  if (!row) return;
  const mine = row.id === decided;
  if (mine) decided = "";
  if (!isFree(row)) return;
  if (mine && !isOpen(row)) {
    const rows = [...document.querySelectorAll(ROW)];
    const following = rows.slice(rows.indexOf(row) + 1).find(isOpen) ?? rows.find(isOpen);
    (following ?? document.getElementById("uncertain-head")).focus();
  } else if (held === row.id && !row.contains(document.activeElement)) {
    row.focus();
  }
});
