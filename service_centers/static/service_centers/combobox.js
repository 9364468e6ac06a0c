/* A text field with suggestions from the server (docs/combobox.md): the city field, the model search.
 *
 *   <div data-combobox data-url="/…/" [data-include="#id_brand"]>
 *     <input type="text" role="combobox" aria-expanded="false" aria-controls="LIST" aria-autocomplete="list">
 *     <input type="hidden">
 *     <ul role="listbox" id="LIST" hidden></ul>
 *     <span role="status" data-combobox-status></span>
 *   </div>
 *
 * All listeners sit on the document, so a field that htmx swaps in needs no start-up. What was typed always stays:
 * a server that is silent costs the suggestions, never the text.
 */
(() => {
  "use strict";

  // A page may name this file twice (a form's media, its own head): the keys must not be heard twice.
  if (document.documentElement.dataset.comboboxHeard) return;
  document.documentElement.dataset.comboboxHeard = "yes";

  const DEBOUNCE_MS = 150;
  const states = new WeakMap();

  /** The combobox around an element, or null. */
  function find(target) {
    const root = target instanceof Element ? target.closest("[data-combobox]") : null;
    if (!root) return null;
    let state = states.get(root);
    if (!state) {
      state = { active: -1, arrowed: false, asked: 0, shown: "", timer: 0, abort: null, asking: false };
      states.set(root, state);
    }
    return {
      root,
      state,
      input: root.querySelector("[role=combobox]"),
      hidden: root.querySelector("input[type=hidden]"),
      list: root.querySelector("[role=listbox]"),
      status: root.querySelector("[data-combobox-status]"),
    };
  }

  const options = (box) => [...box.list.querySelectorAll("[role=option]")];
  const isOpen = (box) => !box.list.hidden;

  function announce(element, name, detail = {}) {
    element.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  /** Forget any question under way: its answer, should it still come, belongs to an older text. */
  function cancel(box) {
    clearTimeout(box.state.timer);
    box.state.asked += 1;
    box.state.asking = false;
    if (box.state.abort) box.state.abort.abort();
    box.state.abort = null;
  }

  function close(box) {
    box.list.hidden = true;
    box.root.classList.remove("has-no-options");
    box.input.setAttribute("aria-expanded", "false");
    highlight(box, -1);
    box.state.arrowed = false;
  }

  function highlight(box, index) {
    const all = options(box);
    box.state.active = index;
    all.forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    if (box.state.arrowed) box.list.querySelector("[data-meant]")?.removeAttribute("data-meant");
    if (index < 0) {
      box.input.removeAttribute("aria-activedescendant");
      return;
    }
    box.input.setAttribute("aria-activedescendant", all[index].id);
    all[index].scrollIntoView({ block: "nearest" });
  }

  /** ArrowDown and ArrowUp go round, and pass through «none» between the last and the first. */
  function move(box, step) {
    const count = options(box).length;
    if (!count) return;
    const places = count + 1;
    box.state.arrowed = true;
    highlight(box, ((box.state.active + 1 + step + places) % places) - 1);
  }

  function show(box, html) {
    const answer = document.createElement("template");
    answer.innerHTML = html;
    const items = [...answer.content.querySelectorAll("[role=option]")];
    items.forEach((item, i) => {
      item.id = `${box.list.id}-${i}`;
      item.setAttribute("aria-selected", "false");
    });
    box.state.shown = box.input.value;
    box.list.replaceChildren(...items);
    box.state.active = -1;
    box.state.arrowed = false;
    box.input.removeAttribute("aria-activedescendant");
    box.list.hidden = items.length === 0;
    // What Enter chooses before any arrow is seen before it is pressed.
    (items.find((item) => "exact" in item.dataset) ?? items[0])?.setAttribute("data-meant", "");
    box.input.setAttribute("aria-expanded", String(items.length > 0));
    const words = answer.content.querySelector("[data-combobox-status]");
    if (box.status) box.status.textContent = words ? words.textContent.trim() : "";
    box.root.classList.toggle("has-no-options", items.length === 0 && Boolean(words));
  }

  async function ask(box, { andMove = 0 } = {}) {
    cancel(box);
    const number = box.state.asked;
    box.state.asking = true;
    const url = new URL(box.root.dataset.url, window.location.href);
    url.searchParams.set("q", box.input.value);
    if (box.root.dataset.include) {
      for (const field of document.querySelectorAll(box.root.dataset.include)) {
        if (field.name && !field.disabled) url.searchParams.set(field.name, field.value);
      }
    }
    box.state.abort = new AbortController();
    let html;
    try {
      const answer = await fetch(url, {
        signal: box.state.abort.signal,
        credentials: "same-origin",
        redirect: "manual", // to the sign-in: nothing to suggest, and net.js tells the person at the next act
        headers: { "HX-Request": "true", Accept: "text/html" },
      });
      if (!answer.ok) return;
      html = await answer.text();
    } catch {
      return; // aborted by a newer text, or the line is down: the text stays, the server reads it when it is sent
    } finally {
      if (number === box.state.asked) box.state.asking = false;
    }
    // An answer to an older text, or one that comes when the person has gone on, is dropped.
    if (number !== box.state.asked || document.activeElement !== box.input) return;
    show(box, html);
    if (andMove) move(box, andMove);
  }

  function pick(box, option) {
    cancel(box);
    box.input.value = option.dataset.text;
    box.hidden.value = option.dataset.value;
    close(box);
    box.list.replaceChildren();
    // The page may listen to any of these: forms and drafts to `change`, htmx to `combobox:pick`.
    box.hidden.dispatchEvent(new Event("change", { bubbles: true }));
    box.input.dispatchEvent(new Event("change", { bubbles: true }));
    announce(box.input, "combobox:pick", { ...option.dataset });
  }

  /** The one option that says exactly what was typed («казань», Tab) is meant, without an arrow key. */
  function pickExact(box) {
    if (box.hidden.value || !isOpen(box)) return;
    const exact = options(box).filter((option) => "exact" in option.dataset);
    if (exact.length === 1 && box.state.shown === box.input.value) pick(box, exact[0]);
  }

  document.addEventListener("input", (event) => {
    const box = find(event.target);
    if (!box || event.target !== box.input) return;
    if (box.hidden.value) {
      box.hidden.value = ""; // the text is no longer the thing that was picked
      box.hidden.dispatchEvent(new Event("change", { bubbles: true }));
      announce(box.input, "combobox:clear");
    }
    cancel(box);
    if (event.isComposing) return;
    if (!box.input.value.trim()) {
      close(box);
      return;
    }
    box.state.asking = true;
    box.state.timer = setTimeout(() => ask(box), DEBOUNCE_MS);
  });

  // In the capture phase: a key that moves in the list must not also move the page's own keyboard navigation.
  document.addEventListener(
    "keydown",
    (event) => {
      const box = find(event.target);
      if (!box || event.target !== box.input || event.isComposing || event.ctrlKey || event.metaKey) return;
      const active = options(box)[box.state.active];
      let handled = false;
      switch (event.key) {
        case "ArrowDown":
        case "ArrowUp": {
          const step = event.key === "ArrowDown" ? 1 : -1;
          handled = true;
          if (isOpen(box)) move(box, step);
          else ask(box, { andMove: event.altKey ? 0 : step });
          break;
        }
        case "Enter":
          if (event.altKey) break;
          // It chooses, and never sends the form from under an open list, nor from under one that is on its way.
          handled = isOpen(box) || box.state.asking;
          if (isOpen(box)) {
            const meant = active ?? box.list.querySelector("[data-meant]");
            if (meant) pick(box, meant);
            else close(box); // an arrow went past the end, to the text itself
          }
          break;
        case "Escape":
          cancel(box);
          if (isOpen(box) || box.root.classList.contains("has-no-options")) {
            close(box);
            handled = true;
          }
          break;
        case "Tab":
          // Not «handled»: the focus goes on as it would.
          if (isOpen(box) && active && box.state.arrowed) pick(box, active);
          break;
        default:
      }
      if (handled) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true,
  );

  // Pressing an option must not take the focus from the field: that would close the list before the click.
  document.addEventListener("pointerdown", (event) => {
    const box = find(event.target);
    if (box && box.list.contains(event.target)) event.preventDefault();
  });
  document.addEventListener("mousedown", (event) => {
    const box = find(event.target);
    if (box && box.list.contains(event.target)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const box = find(event.target);
    const option = box && event.target.closest("[role=option]");
    if (option && box.list.contains(option)) pick(box, option);
  });

  document.addEventListener("focusout", (event) => {
    const box = find(event.target);
    if (!box || event.target !== box.input) return;
    pickExact(box);
    cancel(box);
    close(box);
  });
})();
