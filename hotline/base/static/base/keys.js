/* Everything by keyboard, with a client on the line.

   data-key="Alt+KeyS" names a physical key (KeyboardEvent.code): the same key in the Russian and the Latin layout, and
   inside a field too. A button, link, checkbox or summary is clicked, a field is focused, anything else focusable too.
   Several keys are parted by spaces. Only what is visible answers; while a modal dialog is open, only what is in it.
   Where several elements bear the same key (Ctrl+Enter on every form's button), the one that shares the nearest form or
   [data-key-scope] with the focus answers; with data-key-near it answers only then: pressed from elsewhere the key does
   nothing, rather than act on the first of a list. With data-key-scope="own" a focus within means what is there, and
   never the like of it elsewhere. From a field of a form that has a button of its own, Ctrl+Enter means
   that form, whoever bears the key elsewhere; where that button is disabled, the key goes to its bearer and acts when it
   is pressed again. With data-key-late an element answers only after it has stood there for a
   second: it came by a live update, perhaps under a finger that meant what stood there before.

   data-keynav: the arrows walk its [data-keynav-item]s, from a field above them too; Home, End; Enter activates; Escape
   goes back to the field. Alt+Slash or F1 shows the keys of this page, read from the page itself. */

const FIELD = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=reset], [type=file]), textarea, select";
const MODIFIERS = ["Ctrl", "Alt", "Shift", "Meta"];
const CODES = { NumpadEnter: "Enter" };

/* --- Reading keys ------------------------------------------------------------------------------------------------- */

/** "Shift+Alt+KeyX" → "Alt+Shift+KeyX": one spelling for what is written and what is pressed. */
function normal(combination) {
  const parts = combination.split("+");
  const code = parts.pop();
  return [...MODIFIERS.filter((name) => parts.includes(name)), code].join("+");
}

function pressed(event) {
  const code = CODES[event.code] ?? event.code.replace(/^Numpad(?=\d$)/, "Digit");
  const held = [event.ctrlKey, event.altKey, event.shiftKey, event.metaKey];
  return [...MODIFIERS.filter((_, index) => held[index]), code].join("+");
}

const keysOf = (element) => element.dataset.key.split(/\s+/).filter(Boolean).map(normal);

/** "Alt+KeyS" → "Alt S", as it stands on buttons. */
function spoken(combination) {
  const short = { Enter: "Enter", Escape: "Esc", Slash: "/", Equal: "=", Minus: "−", Backquote: "`", ArrowUp: "↑", ArrowDown: "↓" };
  return combination
    .split("+")
    .map((part) => short[part] ?? part.replace(/^(Key|Digit)/, ""))
    .join(" ");
}

/* --- Who answers --------------------------------------------------------------------------------------------------- */

function isVisible(element) {
  return element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && !element.closest("[inert]");
}

/** The topmost modal dialog, or the whole page: keys must not reach under a dialog. */
function ground() {
  return [...document.querySelectorAll("dialog:modal")].pop() ?? document;
}

/** data-key-near: only with the focus in the same scope. */
const isNear = (element) => !element.matches("[data-key-near]") || Boolean(element.closest("[data-key-scope]")?.contains(document.activeElement));

const isDisabled = (element) => element.matches(":disabled, [aria-disabled=true]");

const bornAt = new WeakMap();
const LATE = 1000;

/** data-key-late: not while it is new. */
const isRipe = (element) => !bornAt.has(element) || performance.now() - bornAt.get(element) > LATE;

/** The buttons that send a form, wherever they stand. */
const sendersOf = (form) => [...form.elements].filter((element) => element.matches("button[type=submit], button:not([type])") && isVisible(element));

/** Of several that bear the key, the one nearest to the focus; alone, it answers from anywhere. */
function nearest(candidates, combination) {
  const focus = document.activeElement;
  const form = focus?.form ?? focus?.closest("form");
  const inForm = form && candidates.find((element) => element.form === form || form.contains(element));
  if (inForm) return inForm;
  if (combination === "Ctrl+Enter" && form && focus.matches(FIELD)) {
    // What was typed there is not to be sent as something else: its own button, or nothing where it has several. Where
    // its own can't be pressed the key shows what can, by the focus; pressed once more it means that.
    const own = sendersOf(form);
    if (own.length && own.every(isDisabled) && candidates.length === 1) candidates[0].focus();
    if (own.length) return own.length === 1 && !isDisabled(own[0]) ? own[0] : undefined;
  }
  // In a scope of its own the key means what is there, or nothing: a row that was decided meanwhile hands no press on.
  const own = focus?.closest("[data-key-scope=own]");
  if (own && !candidates.some((element) => own.contains(element))) candidates = candidates.filter((element) => !element.closest("[data-key-scope=own]"));
  if (candidates.length < 2) return candidates[0];
  for (let scope = focus?.closest("[data-key-scope]"); scope; scope = scope.parentElement?.closest("[data-key-scope]")) {
    const inScope = candidates.find((element) => scope.contains(element));
    if (inScope) return inScope;
  }
  // Which of several forms to send is not ours to guess; any other key means the first.
  return candidates.some((element) => keysOf(element).includes("Ctrl+Enter")) ? undefined : candidates[0];
}

function activate(element, event) {
  if (element.matches(FIELD)) {
    element.focus();
    if (element.select && element.type !== "date") element.select();
  } else if (element.matches("button, a[href], summary, label, input")) {
    // A key held down is one press: a second click would be a second act.
    if (!event.repeat) element.click();
  } else {
    element.focus();
  }
}

/** A plain letter typed into a field is text, never a command; function keys and Escape are not text. */
function isText(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const typing = event.target instanceof Element && event.target.closest(`${FIELD}, [contenteditable=true]`);
  return Boolean(typing) && (event.key.length === 1 || event.key === "Enter" || event.key === "Backspace");
}

function onKey(event) {
  if (event.isComposing || isText(event)) return;
  const combination = pressed(event);
  if (combination === "F1" || combination === "Alt+Slash") {
    event.preventDefault();
    showKeys();
    return;
  }
  const bearers = [...ground().querySelectorAll("[data-key]")].filter(
    (element) => keysOf(element).includes(combination) && isVisible(element),
  );
  if (!bearers.length) return;
  const element = nearest(
    bearers.filter((bearer) => !isDisabled(bearer) && isNear(bearer) && isRipe(bearer)),
    combination,
  );
  // A key of ours never falls through to the browser (Alt+D is its address bar), even while its button is disabled.
  event.preventDefault();
  event.stopPropagation();
  if (element) activate(element, event);
}

/* --- Lists ----------------------------------------------------------------------------------------------------------- */

function onListKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
  const list = event.target instanceof Element ? event.target.closest("[data-keynav]") : null;
  if (!list) return;
  const here = event.target.closest("[data-keynav-item]");
  const field = event.target.matches(FIELD) ? event.target : null;
  // Where the arrows have a meaning of their own, they keep it.
  if (field && (field.matches("textarea, select, [type=number], [type=date], [type=time], [list]") || (here && here !== field))) return;
  const items = [...list.querySelectorAll("[data-keynav-item]")].filter(isVisible);
  const index = items.indexOf(here);
  const home = list.querySelector(FIELD);

  if (event.key === "Enter" && here && event.target === here && !here.matches("a[href], button, summary, input")) {
    event.preventDefault();
    (here.querySelector("a[href], button:not(:disabled)") ?? here).click();
    return;
  }
  let next;
  if (event.key === "ArrowDown") next = items[Math.min(index + 1, items.length - 1)];
  else if (event.key === "ArrowUp") next = index > 0 ? items[index - 1] : field ? undefined : (home ?? items[0]);
  else if (event.key === "Home" && here) next = items[0];
  else if (event.key === "End" && here) next = items.at(-1);
  else if (event.key === "Escape" && here && home) next = home;
  if (!next) return;
  event.preventDefault();
  if (!next.matches("a[href], button, input, summary, [tabindex]")) next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

/** Rows are no stops of Tab by themselves: one of each list is, or the list could not be entered. */
function enterLists(root) {
  for (const list of root.querySelectorAll("[data-keynav]")) {
    const items = [...list.querySelectorAll("[data-keynav-item]")].filter((item) => !item.matches("a[href], button, input, summary"));
    items.forEach((item, index) => {
      item.tabIndex = index === 0 ? 0 : -1;
    });
  }
}

/* --- What the page tells about its keys ---------------------------------------------------------------------------- */

/** Screen readers announce the keys as well; the attribute wants key names, not codes. */
function announce(root) {
  for (const element of root.querySelectorAll("[data-key]")) {
    const names = keysOf(element).map((keys) => keys.replace(/\b(Key|Digit)/, "").replace("Ctrl", "Control").replace("Slash", "/"));
    element.setAttribute("aria-keyshortcuts", names.join(" "));
  }
}

function labelOf(element) {
  const given = element.dataset.keyLabel ?? element.getAttribute("aria-label");
  if (given) return given;
  const source = element.labels?.[0] ?? element;
  const copy = source.cloneNode(true);
  copy.querySelectorAll("kbd, svg, [aria-hidden=true], .visually-hidden, .stage-word, input, select, textarea").forEach((part) => part.remove());
  return copy.textContent.replace(/\s+/g, " ").trim() || element.getAttribute("placeholder") || element.title || "";
}

function showKeys() {
  const dialog = document.getElementById("keys-dialog");
  if (!dialog || dialog.open) {
    dialog?.close();
    return;
  }
  const list = dialog.querySelector("[data-keys-list]");
  list.replaceChildren();
  const seen = new Set();
  for (const element of ground().querySelectorAll("[data-key]")) {
    const label = labelOf(element);
    if (!isVisible(element) || isDisabled(element) || !label) continue;
    const keys = keysOf(element);
    if (seen.has(`${keys} ${label}`)) continue;
    seen.add(`${keys} ${label}`);
    const term = document.createElement("dt");
    for (const combination of keys) {
      const kbd = document.createElement("kbd");
      kbd.textContent = spoken(combination);
      term.append(kbd, " ");
    }
    const text = document.createElement("dd");
    text.textContent = label;
    list.append(term, text);
  }
  dialog.showModal();
}

function learn(root) {
  for (const element of root.querySelectorAll("[data-key-late]")) {
    if (!bornAt.has(element)) bornAt.set(element, performance.now());
  }
  announce(root);
  enterLists(root);
}

document.addEventListener("keydown", onKey, true);
document.addEventListener("keydown", onListKey);
document.addEventListener("click", (event) => event.target.closest?.("[data-keys-show]") && showKeys());
document.addEventListener("htmx:load", (event) => learn(event.target.parentElement ?? event.target));
learn(document);
