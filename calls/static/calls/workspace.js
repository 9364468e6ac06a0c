/* What the workspace needs beyond the scripts of the house: a few small manners, each by an attribute.

   [data-unknown="<id of a select>"]   «the client does not know»: empties the fact, says so in its source, goes on to the
                                       next item that is still missing.
   [data-choose-one="<css selector>"]  a form that searches: Enter with exactly one thing found there chooses it.
   [data-focus="<css selector>"]       puts the focus there.
   [data-filter="<css selector>"]      a field that hides what does not contain its words.
   [data-said-of="<stage>"]            what is said there, sent out of band: for the page that still shows this stage. */

const fold = (text) => text.toLowerCase().replaceAll("ё", "е");

function changed(element) {
  element.dispatchEvent(new Event("input", { bubbles: true }));
  element.dispatchEvent(new Event("change", { bubbles: true }));
}

/** The next item behind an element that nothing is known of: a fact, or the client's words; else the next field. */
function next(element) {
  const fields = [...element.form.elements].filter((field) => field.type !== "hidden" && field.tabIndex >= 0 && field.checkVisibility());
  const behind = fields.slice(fields.indexOf(element) + 1);
  const isMissing = (field) => {
    if (field.value) return false;
    const source = field.closest(".fact")?.querySelector("select");
    return source ? field !== source && source.value !== "unknown" : field.name === "description";
  };
  return behind.find(isMissing) ?? behind[0];
}

/* --- Enter chooses where there is nothing to choose between ------------------------------------------------------------ */

let asked = ""; // what Enter was pressed on, until its answer has come

function only(form) {
  const list = document.querySelector(form.dataset.chooseOne);
  const found = list?.querySelectorAll("[data-keynav-item]:not(:disabled)") ?? [];
  return found.length === 1 && list.dataset.query === form.elements.q.value.trim() ? found[0] : null;
}

document.addEventListener("keydown", (event) => {
  const form = event.key === "Enter" && event.target instanceof Element && event.target.matches("[name=q]") && event.target.form;
  if (!form?.matches?.("[data-choose-one]") || event.isComposing || event.repeat) return;
  asked = form.elements.q.value.trim();
  const one = asked && only(form);
  if (!one) return;
  event.preventDefault();
  asked = "";
  one.click();
});

document.addEventListener("htmx:afterSettle", () => {
  const form = asked && document.querySelector("[data-choose-one]");
  const list = form && document.querySelector(form.dataset.chooseOne);
  if (!list || list.dataset.query !== asked || form.elements.q.value.trim() !== asked) return;
  asked = "";
  only(form)?.click();
});

document.addEventListener("input", () => {
  asked = "";
});

function notKnown(button) {
  const source = document.getElementById(button.dataset.unknown);
  if (!source) return;
  for (const field of button.closest(".fact").querySelectorAll("input")) field.value = "";
  source.value = "unknown";
  changed(source);
  next(source)?.focus();
}

function filter(field) {
  const words = fold(field.value).split(/\s+/).filter(Boolean);
  for (const element of field.closest("dialog, main").querySelectorAll(field.dataset.filter)) {
    const text = fold(element.textContent);
    element.hidden = !words.every((word) => text.includes(word));
  }
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const unknown = target?.closest("[data-unknown]");
  if (unknown) notKnown(unknown);
  const focus = target?.closest("[data-focus]");
  if (focus) document.querySelector(focus.dataset.focus)?.focus();
});
document.addEventListener("input", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-filter]")) filter(event.target);
});

// A fact that gets a value is known again: its source may not go on saying «the client does not know».
document.addEventListener("input", (event) => {
  const fact = event.target instanceof Element && event.target.matches("input") && event.target.closest(".fact");
  const source = fact && fact.querySelector("select");
  if (source && event.target.value && source.value === "unknown") source.value = "client";
});

// The operator may be at another stage by now: what is said there came with it, and may be older than this. Ask again.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const said = event.detail.fragment.querySelector?.("[data-said-of]");
  if (!said || said.dataset.saidOf === document.getElementById("call-stage")?.value) return;
  event.detail.shouldSwap = false;
  window.htmx.trigger("#call-live", "strip:again");
});
