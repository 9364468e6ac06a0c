/* Small manners: toasts, dialogs, the ring in the tab's title. Elements are looked up when they are needed: any of them
   may have been swapped since. */

/* --- Toasts: {"toast": {"message": "…", "level": "ok|info|warn|bad"}} in HX-Trigger, or Django's messages ---------------- */

const LINGER = 7_000; // ms; warnings and errors stay until they are closed: who reads slowly must not miss them

function toast({ message, level = "info" }) {
  const toasts = document.getElementById("messages");
  const mould = document.getElementById("toast-template")?.content.firstElementChild;
  if (!mould || !toasts || !message) return;
  const element = mould.cloneNode(true);
  element.classList.add(`toast-${level}`);
  element.querySelector("[data-toast-text]").textContent = message;
  toasts.append(element);
  linger(element);
}

function linger(element) {
  if (element.dataset.toastSeen || element.matches(".toast-warn, .toast-bad")) return;
  element.dataset.toastSeen = "yes";
  const leave = () => (element.matches(":hover, :focus-within") ? setTimeout(leave, 2_000) : element.remove());
  setTimeout(leave, LINGER);
}

const lingerAll = () => document.querySelectorAll("#messages > .toast").forEach(linger);

document.addEventListener("htmx:load", lingerAll);
lingerAll();
document.body.addEventListener("toast", (event) => toast(event.detail));

/* --- Dialogs: a <dialog> that a fragment brings with data-dialog-auto opens by itself and leaves when closed ------------- */

function openNew(root) {
  const found = root.matches?.("dialog[data-dialog-auto]") ? [root] : root.querySelectorAll("dialog[data-dialog-auto]");
  for (const dialog of found) {
    if (dialog.open) continue;
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  target?.closest("[data-toast-close]")?.closest(".toast")?.remove();
  target?.closest("[data-dialog-close]")?.closest("dialog")?.close();
  const opener = target?.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
});
document.addEventListener("htmx:load", (event) => openNew(event.target));
openNew(document);

// What a dialog asks for is done once the server has taken it: then the dialog leaves. Its buttons must not close it
// themselves: closing moves the focus, and the form would forget which of them was pressed.
document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, xhr } = event.detail;
  const sender = requestConfig.elt;
  const acted = requestConfig.verb !== "get" && xhr.status > 0 && xhr.status < 400 && !sender.matches("[data-repeatable]");
  if (acted) sender.closest("dialog[data-dialog-auto]")?.close();
});

/* --- What was wrong with a field: the words leave once it has been filled; the server judges again what is sent ------------

   What a colleague has written meanwhile stays to be compared ([data-stays]). [data-either="<ids>"] holds fields of which one
   is enough. A fact of which is said that the client does not know is filled too. */

function forgive(field) {
  const words = field.id && document.getElementById(`${field.id}_error`);
  if (!words || "stays" in words.dataset) return;
  words.remove();
  field.removeAttribute("aria-invalid");
  const described = (field.getAttribute("aria-describedby") ?? "").split(/\s+/).filter((id) => id && id !== words.id);
  if (described.length) field.setAttribute("aria-describedby", described.join(" "));
  else field.removeAttribute("aria-describedby");
}

function onFilled({ target }) {
  if (!(target instanceof Element) || !target.matches("input, select, textarea") || !target.value.trim()) return;
  // One that is being swapped away says «change» once more; what is wrong with the one in its place stays.
  if (target.id && document.getElementById(target.id) !== target) return;
  forgive(target);
  const either = target.closest("[data-either]")?.dataset.either.split(" ") ?? [];
  if (either.includes(target.id)) either.forEach((id) => forgive(document.getElementById(id)));
  if (target.value === "unknown") target.closest(".fact")?.querySelectorAll("input, select").forEach(forgive);
}

document.addEventListener("input", onFilled);
document.addEventListener("change", onFilled);

/* --- The search of the header: Escape puts the suggestions away ----------------------------------------------------------- */

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target instanceof Element && event.target.matches(".house-search input")) {
    document.getElementById("search-found")?.replaceChildren();
  }
});

/* --- Sections: the address may change without a load, and the navigation follows it ---------------------------------------- */

function markSection() {
  for (const link of document.querySelectorAll(".house-nav a")) {
    const path = new URL(link.href).pathname;
    const here = location.pathname === path || (path !== "/" && location.pathname.startsWith(path));
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

document.addEventListener("htmx:pushedIntoHistory", markSection);
document.addEventListener("htmx:replacedInHistory", markSection);
document.addEventListener("htmx:historyRestore", markSection);

/* --- The ring: whoever works in another tab sees it in the title --------------------------------------------------------- */

let title = document.title;

function ring() {
  if (!document.title.startsWith("☎")) title = document.title; // a fragment may bring a <title> of its own
  const number = document.querySelector("#incoming .incoming-number")?.textContent.trim();
  if (number) document.title = `☎ ${number}`;
  else if (document.title.startsWith("☎")) document.title = title;
}

document.addEventListener("htmx:afterSettle", ring);
