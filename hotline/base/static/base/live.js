/* What happens elsewhere reaches the page at once: one EventSource per browser, whatever the tabs.

   Chromium opens six connections to a host and no seventh; a stream in each tab would leave none for the pages. So one
   tab holds the lock «hotline-live», has the stream and passes everything on by a BroadcastChannel; when it closes, the
   next tab gets the lock. Web Locks need HTTPS or localhost: without them each tab has a stream of its own.

   The server sends {"topic": …, "pk": …}; the page hears `live:<topic>` and `live:<topic>:<pk>` on <body>, and fetches
   its fragment. What the server sends along ({…, "html": …}) is put into [data-live-shown] in place of the answer to the
   request that the event would have caused: a crowd of pages that all ask at once waits for seconds. `live:connected` comes at the first connection, `live:reconnected` at every later one: what was missed
   between is unknown, so whoever cares fetches anew. [data-stream-state] shows, in words, whether we hear anything. */

const body = document.body;
const words = document.getElementById("words")?.dataset ?? {};
const url = words.liveUrl;

const FIRST_RETRY = 400; // ms; doubles up to LAST_RETRY, with a jitter so that 150 operators do not return in step
const LAST_RETRY = 15_000;
const SILENCE = 45_000; // ms without even a beat, once the server has shown that it beats: a dead line that nobody closed
const PATIENCE = 3_000; // ms before «connecting» is worth a word

let channel = null;
let source = null;
let retry = FIRST_RETRY;
let timer = 0;
let watch = 0;
let opened = false; // this page has been connected before
let state = "connecting";
let leading = false;

function dispatch(name, detail) {
  body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
}

function show(next) {
  state = next;
  const text = { on: words.liveOn, off: words.liveOff, connecting: words.liveConnecting }[next] ?? "";
  for (const element of document.querySelectorAll("[data-stream-state]")) {
    if (element.dataset.state === next && element.textContent === text) continue;
    element.dataset.state = next;
    element.textContent = text;
  }
}

function hear(message) {
  dispatch(`live:${message.topic}`, message);
  if (message.pk !== null && message.pk !== undefined) dispatch(`live:${message.topic}:${message.pk}`, message);
}

document.addEventListener("htmx:confirm", (event) => {
  const { elt, triggeringEvent } = event.detail;
  const html = triggeringEvent?.detail?.html;
  if (html === undefined || !elt.hasAttribute("data-live-shown")) return;
  // An answer on its way may be older and would cover it: htmx keeps the event until then, and confirms it once more.
  if (elt.classList.contains("htmx-request")) return;
  event.preventDefault();
  htmx.swap(elt, html, { swapStyle: "innerHTML" });
});

function connected() {
  show("on");
  dispatch(opened ? "live:reconnected" : "live:connected");
  opened = true;
}

/* --- The tab that has the stream ----------------------------------------------------------------------------------- */

function tell(message) {
  channel?.postMessage(message);
}

function beat() {
  clearTimeout(watch);
  watch = setTimeout(lost, SILENCE);
}

function connect() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource(url);
  source.onopen = () => {
    retry = FIRST_RETRY;
    connected();
    tell({ kind: "connected" });
  };
  source.onmessage = (event) => {
    let message;
    try {
      message = JSON.parse(event.data);
    } catch {
      return; // a newer server may say what this page does not know
    }
    if (watch) beat();
    if (!message?.topic) return;
    hear(message);
    tell({ kind: "event", message, user: words.user });
  };
  source.addEventListener("beat", beat);
  // The stream held, but the server itself was deaf for a moment: as good as a reconnection.
  source.addEventListener("reconnected", () => {
    connected();
    tell({ kind: "connected" });
  });
  // EventSource gives up for good on an HTTP error and waits long after others: the returning is ours.
  source.onerror = lost;
}

function lost() {
  clearTimeout(watch);
  watch = 0;
  source?.close();
  source = null;
  show("off");
  tell({ kind: "lost" });
  clearTimeout(timer);
  timer = setTimeout(connect, retry * (0.75 + Math.random() / 2));
  retry = Math.min(retry * 2, LAST_RETRY);
}

function lead() {
  leading = true;
  connect();
  return new Promise(() => {}); // the lock is held as long as the tab lives
}

/* --- The others ---------------------------------------------------------------------------------------------------- */

function onChannel({ data }) {
  if (data.kind === "who" && leading) tell({ kind: state === "on" ? "connected-already" : "lost" });
  if (leading) return;
  // Another person may have signed in here since the stream was opened: what it brings is not for them, they ask.
  if (data.kind === "event") hear(data.user === words.user ? data.message : { ...data.message, html: undefined });
  else if (data.kind === "connected") connected();
  else if (data.kind === "connected-already" && state !== "on") connected();
  else if (data.kind === "lost") show("off");
}

function start() {
  show("connecting");
  setTimeout(() => state === "connecting" && show("off"), PATIENCE);
  if (!navigator.locks || !window.BroadcastChannel) {
    leading = true;
    connect();
    return;
  }
  channel = new BroadcastChannel("hotline-live");
  channel.onmessage = onChannel;
  navigator.locks.request("hotline-live", lead);
  tell({ kind: "who" });
}

// A fragment that brings a new indicator (the admin's header, a boosted page) learns the state at once.
document.addEventListener("htmx:load", () => show(state));
window.addEventListener("online", () => leading && state !== "on" && connect());
window.addEventListener("offline", () => leading && lost());
if (url) start();
