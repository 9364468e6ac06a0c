/* The stock admin names the fields of a tabular inline by their column only, the fields of a list that is edited in
   place and its select2 boxes not at all: who does not see the table hears «edit text». Here each gets the name that stands above or beside it. */

const textOf = (element) => element?.textContent.replace(/[:*?]?\s*$/, "").trim() ?? "";

function nameCells(root) {
  for (const table of root.querySelectorAll(".tabular table")) {
    const heads = [...table.querySelectorAll("thead th")];
    const title = textOf(table.closest(".tabular, .inline-group")?.querySelector("h2"));
    for (const head of heads) {
      if (head.textContent.trim() || !title) continue;
      const name = document.createElement("span");
      name.className = "visually-hidden";
      name.textContent = title;
      head.append(name);
    }
    for (const control of table.querySelectorAll("tbody td :is(input:not([type=hidden]), select, textarea)")) {
      if (control.labels?.length || control.hasAttribute("aria-label")) continue;
      const cell = control.closest("td");
      const field = [...cell.classList].find((name) => name.startsWith("field-"))?.replace("field-", "column-");
      const head = (field && table.querySelector(`thead th.${CSS.escape(field)}`)) ?? heads.at(-1);
      control.setAttribute("aria-label", textOf(head));
    }
  }
}

/** A list edited in place: the column's name and the row's. */
function nameRows(root) {
  for (const control of root.querySelectorAll("#result_list tbody td:not(.action-checkbox) :is(input:not([type=hidden]), select, textarea)")) {
    if (control.labels?.length || control.hasAttribute("aria-label")) continue;
    const field = [...control.closest("td").classList].find((name) => name.startsWith("field-"))?.replace("field-", "column-");
    const head = field && control.closest("table").querySelector(`thead th.${CSS.escape(field)}`);
    const row = control.closest("tr").querySelector("th");
    const name = [head?.querySelector(".text") ?? head, row].map(textOf).filter(Boolean).join(": ");
    if (name) control.setAttribute("aria-label", name);
  }
}

function nameSelects(root) {
  for (const box of root.querySelectorAll(".select2-container")) {
    const select = box.previousElementSibling;
    const name = select?.getAttribute("aria-label") || textOf(select?.labels?.[0]);
    if (!name) continue;
    for (const part of box.querySelectorAll("[role=combobox], [role=textbox]")) part.setAttribute("aria-label", name);
  }
}

/** The search of a list is labelled by a picture only: beside words of help that is no name. */
function nameSearch(root) {
  const field = root.querySelector("#searchbar:not([aria-label])");
  const name = field?.labels?.[0]?.querySelector("img")?.alt;
  if (name) field.setAttribute("aria-label", name);
}

function learn(root) {
  nameSearch(root);
  nameCells(root);
  nameRows(root);
  nameSelects(root);
}

// Rows are added and select2 makes its boxes when it likes: whatever appears is named.
new MutationObserver(() => learn(document)).observe(document.body, { childList: true, subtree: true });
learn(document);
