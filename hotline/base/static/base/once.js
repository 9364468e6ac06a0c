/* A form sent twice is a phone number called twice. The server decides by its idempotency key; this keeps the second
   click from leaving at all, and says by aria-busy that the first is under way. */

const busy = new WeakSet();

function mark(sender, on) {
  if (on) busy.add(sender);
  else busy.delete(sender);
  if (on) sender.setAttribute("aria-busy", "true");
  else sender.removeAttribute("aria-busy");
}

const changes = (verb) => Boolean(verb) && verb.toLowerCase() !== "get";

// [data-repeatable] only asks, by POST because names and numbers do not belong into an address: the newest question counts.
const acts = (element, verb) => changes(verb) && !element.matches?.("[data-repeatable]");

// Plain forms. What a handler before us (htmx) took over has its own way below.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !changes(form.method) || form.method === "dialog") return;
  if (busy.has(form)) event.preventDefault();
  else mark(form, true);
});

// What htmx sends: a form, or a button with a verb of its own; each is busy by itself.
document.addEventListener("htmx:confirm", (event) => {
  if (acts(event.detail.elt, event.detail.verb) && busy.has(event.detail.elt)) event.preventDefault();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (acts(event.detail.elt, event.detail.requestConfig.verb)) mark(event.detail.elt, true);
});
// The sender may have been swapped away by its own answer: then only requestConfig still knows it.
document.addEventListener("htmx:afterRequest", (event) => mark(event.detail.requestConfig.elt, false));

// Who asked ([data-repeatable]) and is swapped away wants no answer: what comes out of band with it is of another stage.
document.addEventListener("htmx:beforeCleanupElement", (event) => {
  if (event.target.matches?.("[data-repeatable]")) window.htmx.trigger(event.target, "htmx:abort");
});

// The page that «back» brings from the cache is to be used again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[aria-busy]").forEach((form) => mark(form, false));
});

/* [data-once-a-second="opt-out +7…"]: the answer puts the opposite act in its place, under the same key and finger. The
   second press of a nervous pair, within a second of the first or of its answer, is the first one again. */
const SECOND = 1000;
let last = { act: "", at: -SECOND };

document.addEventListener(
  "click",
  (event) => {
    const act = event.target.closest?.("[data-once-a-second]")?.dataset.onceASecond;
    if (!act) return;
    const now = performance.now();
    if (act === last.act && now - last.at < SECOND) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else {
      last = { act, at: now };
    }
  },
  true,
);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.elt.matches?.("[data-once-a-second]")) last.at = performance.now();
});
