/* Nothing typed is ever lost.

   <form data-draft-url="…" data-draft-version="3" [data-draft-saved="<ISO>"]> saves itself at each pause in typing, when a
   field is left and when the page goes away. Before the server is asked, the text lies in localStorage; it leaves there
   only when the server has confirmed it, so a dead server or a killed tab loses nothing either. The tab itself keeps it a
   moment longer: a reload may have asked for the page just before that, and then shows an older text.

   The server:  POST {"version": 3, "fields": {"name": "text", "many": ["a", "b"]}}   (X-CSRFToken in the header)
     200 {"version": 4, "saved_at": "<ISO>"}     saved; the next one is sent on top of 4. Also where this very text is there
                                                 already: a page that goes saves once more while the next is being made
     409 {"version": 7, "detail": "…"}           someone saved 7 meanwhile (another tab): the person chooses, nothing is dropped
     409 {"code": "submitted", "detail": "…"}    the form was sent for good elsewhere: only the page as it is now helps
     other 4xx {"detail": "…"}                   it will not take this: said, kept, sent again with the next change
     anything else                               no answer: sent again, by itself, until there is one
   Left out: files, passwords, the CSRF token, whatever bears data-draft-skip.

   When the form has been sent for good, the copy goes: by a 2xx answer to the form's own htmx request, or by the event
   `draft:done` from inside it (HX-Trigger). [data-draft-state] in the form (or with the form's id as its value) says
   how it stands. A text that the server does not know is put back after a reload and sent anew; the form then hears
   `draft:restored`, for what judges it. */

const PAUSE = 400; // ms without a key: a pause in typing
const LONGEST = 3_000; // ms after which even who never pauses is saved
const FIRST_RETRY = 1_000;
const LAST_RETRY = 15_000;
const PATIENCE = 10_000; // ms for one answer
const KEEPALIVE_LIMIT = 60_000; // bytes: what browsers let outlive the page, less some for the header
const RECENT = 30_000; // ms that a page may be under way while an older one still saves
const OLDEST = 24 * 3600 * 1000; // ms: a copy from before yesterday's shift is nobody's text any more

const words = document.getElementById("words")?.dataset ?? {};
const owner = words.user ?? "";
const PREFIX = "hotline:draft:";
const drafts = new WeakMap();
const living = new Set();
let heard = false; // htmx has looked at the page: what a form says before that is lost on it
document.addEventListener("htmx:load", () => (heard = true), { once: true });

/* --- Fields ---------------------------------------------------------------------------------------------------------- */

function isKept(element) {
  return (
    element.name &&
    element.name !== "csrfmiddlewaretoken" &&
    !["file", "password", "submit", "button", "reset", "image"].includes(element.type) &&
    !element.closest("[data-draft-skip]")
  );
}

function valuesOf(form) {
  const fields = {};
  for (const element of form.elements) {
    if (!isKept(element)) continue;
    const { name, type } = element;
    if (type === "checkbox" || type === "radio") {
      if (!element.checked) continue;
    }
    const values = type === "select-multiple" ? [...element.selectedOptions].map((option) => option.value) : [element.value];
    fields[name] = name in fields ? [].concat(fields[name], values) : values.length === 1 && type !== "select-multiple" ? values[0] : values;
  }
  return fields;
}

function fill(form, fields) {
  const used = {};
  for (const element of form.elements) {
    if (!isKept(element)) continue;
    const values = [].concat(fields[element.name] ?? []);
    if (element.type === "checkbox" || element.type === "radio") {
      const checked = values.includes(element.value);
      if (element.checked === checked) continue;
      element.checked = checked;
    } else if (element.type === "select-multiple") {
      for (const option of element.options) option.selected = values.includes(option.value);
    } else {
      const index = used[element.name] ?? 0;
      used[element.name] = index + 1;
      if (values[index] === undefined || element.value === values[index]) continue;
      element.value = values[index];
    }
    // What depends on the field (a preview, a warning) must see it change.
    element.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/** Does any text stand there that the server has not put there? */
function isTyped(form) {
  return [...form.elements].some(
    (element) => isKept(element) && element.matches("textarea, input:not([type=hidden], [type=checkbox], [type=radio])") && element.value !== element.defaultValue,
  );
}

/* --- The copy in the browser: a full disk or a closed store must not stop the typing ------------------------------- */

const keyOf = (url) => `${PREFIX}${owner}:${url}`;

function readCopy(url) {
  try {
    const copy = JSON.parse(localStorage.getItem(keyOf(url)));
    return copy && Date.now() - copy.at < OLDEST ? copy : null;
  } catch {
    return null;
  }
}

function writeCopy(url, copy) {
  try {
    if (copy) localStorage.setItem(keyOf(url), JSON.stringify({ ...copy, at: Date.now() }));
    else localStorage.removeItem(keyOf(url));
  } catch {
    /* no room: the server's copy is still made */
  }
}

/* Confirmed, with the version it got; of this tab, and gone with it. */

function readSettled(url, version) {
  try {
    const settled = JSON.parse(sessionStorage.getItem(keyOf(url)));
    return settled && settled.version > version && Date.now() - settled.at < RECENT ? settled : null;
  } catch {
    return null;
  }
}

function writeSettled(url, settled) {
  try {
    if (settled) sessionStorage.setItem(keyOf(url), JSON.stringify({ ...settled, at: Date.now() }));
    else sessionStorage.removeItem(keyOf(url));
  } catch {
    /* as above */
  }
}

/** Names and addresses of clients don't stay on a shared desk longer than they serve. */
function sweep() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const { at } = JSON.parse(localStorage.getItem(key));
      if (!(Date.now() - at < OLDEST)) localStorage.removeItem(key);
    }
  } catch {
    /* as above */
  }
}

/* --- Words ------------------------------------------------------------------------------------------------------------ */

function time(iso) {
  const options = { hour: "2-digit", minute: "2-digit", timeZone: words.timeZone || undefined };
  return new Date(iso ?? Date.now()).toLocaleTimeString(document.documentElement.lang || "ru", options);
}

function show(draft, state, text, ...buttons) {
  const form = draft.form;
  const places = [...form.querySelectorAll("[data-draft-state]")];
  if (form.id) places.push(...document.querySelectorAll(`[data-draft-state="${CSS.escape(form.id)}"]`));
  for (const place of places) {
    place.dataset.state = state;
    // Only trouble is announced: «saved» at every pause would talk over the client.
    if (state === "failed" || state === "conflict") place.setAttribute("role", "alert");
    else place.removeAttribute("role");
    place.replaceChildren(text, ...buttons.flatMap((button) => [" ", button()]));
  }
}

const KEEP = "Alt+Equal";
const TAKE = "Alt+Minus";

function choice(text, key, action) {
  return () => {
    const button = document.createElement("button");
    const kbd = document.createElement("kbd");
    button.type = "button";
    button.className = "btn btn-small";
    button.dataset.key = key;
    button.setAttribute("aria-keyshortcuts", key === KEEP ? "Alt+=" : "Alt+-");
    kbd.textContent = key === KEEP ? "Alt =" : "Alt −";
    kbd.setAttribute("aria-hidden", "true");
    button.append(text, " ", kbd);
    button.addEventListener("click", action);
    return button;
  };
}

/* --- Saving ------------------------------------------------------------------------------------------------------------ */

function token() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

class Draft {
  constructor(form) {
    this.form = form;
    this.url = form.dataset.draftUrl;
    this.version = Number(form.dataset.draftVersion ?? 0);
    this.serial = 0; // counts changes
    this.confirmed = 0; // the last change the server has
    this.sending = null;
    this.sent = false; // the form itself is on its way or gone: no draft may follow it
    this.retry = FIRST_RETRY;
    this.since = 0;
    form.addEventListener("input", () => this.changed());
    form.addEventListener("change", () => this.changed());
    form.addEventListener("focusout", () => this.save());
    form.addEventListener("draft:done", () => this.done());
    this.restore();
  }

  get dirty() {
    return this.serial !== this.confirmed;
  }

  changed() {
    if (this.finished) return; // a field that is taken away with its form says «change» once more
    if (this.conflict) {
      writeCopy(this.url, { fields: valuesOf(this.form), conflict: true });
      return;
    }
    this.serial += 1;
    writeCopy(this.url, { fields: valuesOf(this.form) });
    this.since ||= Date.now();
    this.later(Math.max(0, Math.min(PAUSE, this.since + LONGEST - Date.now())));
  }

  later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), delay);
  }

  async save() {
    if (!this.dirty || this.sending || this.sent || this.conflict) return;
    clearTimeout(this.timer);
    this.since = 0;
    const serial = this.serial;
    const body = JSON.stringify({ version: this.version, fields: valuesOf(this.form) });
    let response;
    try {
      this.sending = fetch(this.url, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token() },
        credentials: "same-origin",
        redirect: "manual",
        keepalive: body.length * 2 < KEEPALIVE_LIMIT, // reaches the server even if the page goes now
        signal: AbortSignal.timeout(PATIENCE),
      });
      response = await this.sending;
      const answer = await response.json().catch(() => ({}));
      this.sending = null;
      this.answered(response.status, answer, serial);
    } catch {
      this.sending = null;
      this.failed();
    }
  }

  answered(status, answer, serial) {
    if (status === 200 || status === 201) {
      this.version = answer.version ?? this.version;
      this.form.dataset.draftVersion = this.version;
      this.confirmed = serial;
      this.retry = FIRST_RETRY;
      if (this.dirty) {
        this.later(PAUSE);
        return;
      }
      if (!this.sent) {
        writeCopy(this.url, null);
        writeSettled(this.url, { fields: valuesOf(this.form), version: this.version });
      }
      show(this, "saved", (words.draftSaved ?? "{time}").replace("{time}", time(answer.saved_at)));
    } else if (status === 409) {
      if (!this.sent) this.disagree(answer);
    } else if (status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status)) {
      // It will never take this text as it is: no use in repeating, the next change is another text.
      show(this, "failed", answer.detail ?? words.draftRefused ?? "");
    } else {
      this.failed();
    }
  }

  failed() {
    if (this.sent) return;
    show(this, "failed", words.draftFailed ?? "");
    this.later(this.retry * (0.75 + Math.random() / 2));
    this.retry = Math.min(this.retry * 2, LAST_RETRY);
  }

  /** Two texts and one place: only the person knows which. */
  disagree({ version, code, detail }) {
    this.conflict = true;
    writeCopy(this.url, { fields: valuesOf(this.form), conflict: true });
    const keep = choice(words.draftKeepMine ?? "", KEEP, () => {
      this.conflict = false;
      this.version = version ?? this.version;
      this.changed();
      this.save();
    });
    const take = choice(words.draftTakeSaved ?? "", TAKE, () => {
      writeCopy(this.url, null);
      this.sent = true;
      location.reload();
    });
    show(this, "conflict", detail || words.draftConflict || "", ...(code === "submitted" ? [take] : [keep, take]));
  }

  restore() {
    const copy = readCopy(this.url);
    if (!copy) {
      const settled = readSettled(this.url, this.version);
      if (settled) {
        this.version = settled.version;
        this.putBack(settled);
      }
      return;
    }
    if (copy.submitted) {
      writeCopy(this.url, null);
      return;
    }
    if (copy.conflict) {
      this.conflict = true;
      show(
        this,
        "conflict",
        (words.draftFound ?? "").replace("{time}", time(copy.at)),
        choice(words.draftKeepMine ?? "", KEEP, () => {
          this.conflict = false;
          this.putBack(copy);
        }),
        choice(words.draftTakeSaved ?? "", TAKE, () => {
          this.conflict = false;
          writeCopy(this.url, null);
          show(this, "", "");
        }),
      );
      return;
    }
    this.putBack(copy);
  }

  putBack(copy) {
    const { form } = this;
    fill(form, copy.fields);
    const tell = () => form.dispatchEvent(new CustomEvent("draft:restored"));
    if (heard || !window.htmx) tell();
    else document.addEventListener("htmx:load", tell, { once: true });
    show(this, "restored", words.draftRestored ?? "");
    this.serial += 1;
    this.later(0);
  }

  /** The form was sent by a plain submit: whatever the answer is, it renders what was typed. */
  submitted() {
    this.sent = true;
    clearTimeout(this.timer);
    if (this.dirty) writeCopy(this.url, { fields: valuesOf(this.form), submitted: true });
  }

  hold() {
    this.sent = true;
    clearTimeout(this.timer);
  }

  resume() {
    this.sent = false;
    if (this.dirty) this.later(PAUSE);
  }

  done() {
    this.hold();
    this.finished = true;
    this.confirmed = this.serial;
    writeCopy(this.url, null);
    writeSettled(this.url, null);
  }
}

/* --- Forms without a place on the server: <form data-keep="comment"> ------------------------------------------------------

   A ring is answered in the middle of a sentence, and its call takes the page. What was typed stays in this tab until the
   form is sent, and stands there again when its page comes back; only what differs from what the server put there. */

const keepOf = (form) => `${PREFIX}keep:${owner}:${location.pathname}:${form.dataset.keep}`;
const TYPED = "textarea, input:not([type=hidden], [type=checkbox], [type=radio])";
const typedIn = (form) => [...form.elements].filter((element) => isKept(element) && element.matches(TYPED));

function keep(form) {
  const fields = {};
  for (const element of typedIn(form)) if (element.value !== element.defaultValue) fields[element.name] = element.value;
  try {
    if (Object.keys(fields).length) sessionStorage.setItem(keepOf(form), JSON.stringify(fields));
    else sessionStorage.removeItem(keepOf(form));
  } catch {
    /* no room: it is typed once more */
  }
}

function forget(form) {
  try {
    sessionStorage.removeItem(keepOf(form));
  } catch {
    /* as above */
  }
}

function recall(root) {
  for (const form of root.querySelectorAll("form[data-keep]")) {
    let fields = {};
    try {
      fields = JSON.parse(sessionStorage.getItem(keepOf(form))) ?? {};
    } catch {
      /* as above */
    }
    for (const element of typedIn(form)) {
      if (!(element.name in fields) || element.value !== element.defaultValue) continue;
      element.value = fields[element.name];
      element.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

const kept = (target) => target instanceof Element && target.closest("form[data-keep]");
document.addEventListener("input", (event) => kept(event.target) && keep(kept(event.target)));
document.addEventListener("submit", (event) => !event.defaultPrevented && kept(event.target) && forget(event.target));
document.addEventListener("htmx:beforeSwap", (event) => {
  const sender = event.detail.requestConfig.elt;
  if (event.detail.xhr.status < 300 && sender.matches?.("form[data-keep]")) forget(sender);
});

/* --- Finding forms -------------------------------------------------------------------------------------------------------- */

function learn(root) {
  const forms = root.matches?.("form[data-draft-url]") ? [root] : root.querySelectorAll("form[data-draft-url]");
  for (const form of forms) {
    if (drafts.has(form)) continue;
    const draft = new Draft(form);
    drafts.set(form, draft);
    living.add(draft);
    if (isTyped(form)) draft.changed(); // before we saw it: a fragment has the focus a moment before it is settled
  }
}

function flush() {
  for (const draft of living) {
    if (draft.form.isConnected) draft.save();
    else {
      // Swapped away while its last words were under way: the copy stays until the same form comes back.
      clearTimeout(draft.timer);
      living.delete(draft);
    }
  }
}

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) drafts.get(event.target)?.submitted();
});
document.addEventListener("htmx:beforeRequest", (event) => drafts.get(event.detail.elt)?.hold());
document.addEventListener("htmx:afterRequest", (event) => {
  const draft = drafts.get(event.detail.requestConfig.elt); // detail.elt is <body> once the form was swapped away
  if (event.detail.successful) draft?.done();
  else draft?.resume();
});
// A form about to be swapped away says its last words first; but one that was taken is done before the next of its kind
// comes with the answer, and would find its copy.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 300) drafts.get(event.detail.requestConfig.elt)?.done();
  for (const draft of living) if (event.detail.target?.contains(draft.form)) draft.save();
});
document.addEventListener("htmx:load", (event) => {
  learn(event.target);
  recall(event.target);
});
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && flush());
window.addEventListener("pagehide", flush);
window.addEventListener("online", flush);
sweep();
learn(document);
recall(document);
