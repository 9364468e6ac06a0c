/* When the server does not answer, or answers something else than the fragment asked for: said in words, and what was
   typed stays on the page. */

const words = document.getElementById("words")?.dataset ?? {};
const box = () => document.getElementById("net-notice");

function say(text, link) {
  const notice = box();
  if (!notice) return;
  notice.querySelector("[data-net-text]").textContent = text;
  const anchor = notice.querySelector("[data-net-link]");
  anchor.hidden = !link;
  if (link) anchor.href = link;
  notice.hidden = false;
}

function hush() {
  const notice = box();
  if (notice) notice.hidden = true;
}

// Signing in again in another tab changes the token: the cookie is the truth, not what this page was rendered with.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  if (token) event.detail.headers["X-CSRFToken"] = token;
});

const isPage = (text) => /^\s*<!doctype/i.test(text);

// A whole page inside a fragment is a sign-in page or somebody's mistake: it must not replace what is being typed.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, boosted } = event.detail;
  if (boosted || target === document.body || !isPage(xhr.responseText)) return;
  event.detail.shouldSwap = false;
  event.detail.isError = true;
  const login = words.loginUrl;
  if (login && new URL(xhr.responseURL, location).pathname === login) say(words.netSignedOut ?? "", login);
  else say((words.netError ?? "").replace("{status}", xhr.status));
});

// 400, 404, 409 and 422 are fragments that say themselves what was wrong (htmx-config in base.html).
const SPEAKING = [400, 404, 409, 422];

document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (isPage(responseText)) return; // said above
  if (SPEAKING.includes(status)) hush();
  else if (status === 403) say(words.netForbidden ?? "");
  else if (status === 429) say(words.netTooMany ?? "");
  else say((words.netError ?? "").replace("{status}", status));
});
for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => say(words.netOffline ?? ""));
document.addEventListener("htmx:afterRequest", (event) => event.detail.successful && hush());
document.body.addEventListener("live:reconnected", hush);
document.addEventListener("click", (event) => event.target.closest?.("[data-net-close]") && hush());
