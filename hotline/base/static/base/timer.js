/* Time that runs: one tick a second for the whole page.

   [data-timer-since="<ISO>"] counts up (02:07, 1:02:07), [data-timer-until="<ISO>"] counts down and then up with a minus;
   [data-timer-limit="<seconds>"] gives .is-over when passed. [data-local-time="Europe/Samara"] is the wall clock there.
   The operator's clock may be wrong: #words (base/_words.html) says what time it is, the difference is kept. */

const HOUR = 3600;
const rendered = Date.parse(document.getElementById("words")?.dataset.serverNow ?? "");
const skew = Number.isNaN(rendered) ? 0 : rendered - Date.now();
const language = document.documentElement.lang || "ru";
const clocks = new Map();

const now = () => Date.now() + skew;

function duration(seconds) {
  const total = Math.abs(seconds);
  const pad = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor((total % HOUR) / 60);
  const tail = `${pad(minutes)}:${pad(total % 60)}`;
  return (seconds < 0 ? "−" : "") + (total >= HOUR ? `${Math.floor(total / HOUR)}:${tail}` : tail);
}

/** The wall clock of a zone, or "" where the zone's name is unknown to the browser. */
function clock(zone) {
  if (!clocks.has(zone)) {
    try {
      clocks.set(zone, new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit" }));
    } catch {
      clocks.set(zone, null);
    }
  }
  return clocks.get(zone)?.format(now()) ?? "";
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  for (const element of document.querySelectorAll("[data-timer-since], [data-timer-until]")) {
    const since = element.dataset.timerSince;
    const moment = Date.parse(since ?? element.dataset.timerUntil);
    if (Number.isNaN(moment)) continue;
    const passed = Math.floor((now() - moment) / 1000);
    const seconds = since ? Math.max(passed, 0) : -passed;
    write(element, duration(seconds));
    const limit = Number(element.dataset.timerLimit);
    element.classList.toggle("is-over", since ? limit > 0 && seconds > limit : seconds < 0);
  }
  for (const element of document.querySelectorAll("[data-local-time]")) {
    const text = clock(element.dataset.localTime);
    if (text) write(element, text);
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:load", tick);
