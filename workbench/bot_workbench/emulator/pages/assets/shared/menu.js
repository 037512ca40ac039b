import { html, useLayoutEffect, useRef, useState } from "/assets/libraries/htm.js";
import { showBeside } from "./placement.js";

/**
 * A button with a menu, which arrow keys walk through and Escape closes.
 *
 * @param {object} button `{label, className, content}`: what opens it.
 * @param {Array} items `{key, label, run, icon?, danger?, checked?, disabled?}`, `{line: true}` or
 *   `{title}`.
 */
export function MenuButton({ button, items, onToggle = () => {} }) {
  const [open, setOpen] = useState(false);
  const opener = useRef(null);
  const show = (shown) => {
    setOpen(shown);
    onToggle(shown);
  };
  const close = (focus = true) => {
    show(false);
    if (focus) opener.current?.focus();
  };
  return html`<button
      ref=${opener}
      type="button"
      class=${button.className ?? "icon-button"}
      aria-label=${button.label}
      title=${button.label}
      aria-haspopup="menu"
      aria-expanded=${open}
      onClick=${() => show(!open)}
    >
      ${button.content}
    </button>
    ${
      open && html`<${Menu} opener=${opener} label=${button.label} items=${items} close=${close} />`
    }`;
}

function Menu({ opener, label, items, close }) {
  const menu = useRef(null);
  // Each time, because items may come while it is open.
  useLayoutEffect(() => showBeside(menu.current, opener.current));
  useLayoutEffect(() => entries(menu.current)[0]?.focus(), []);
  useLayoutEffect(() => {
    const outside = ({ target }) => {
      if (!menu.current?.contains(target) && !opener.current?.contains(target)) close(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);
  const onKeyDown = (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Tab") close(false);
    else if (!walk(menu.current, event.key)) return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };
  return html`<div
    ref=${menu}
    class="menu"
    popover="manual"
    role="menu"
    aria-label=${label}
    onKeyDown=${onKeyDown}
  >
    ${items.map((item) => entry(item, close))}
  </div>`;
}

function entry(item, close) {
  if (item.line) return html`<hr class="menu__line" />`;
  if (item.title) return html`<div class="menu__title" role="presentation">${item.title}</div>`;
  const run = () => {
    if (item.disabled) return;
    close();
    item.run();
  };
  const checkable = item.checked !== undefined;
  return html`<button
    key=${item.key}
    type="button"
    class=${`menu__item${item.danger ? " menu__item--danger" : ""}`}
    role=${checkable ? "menuitemcheckbox" : "menuitem"}
    aria-checked=${checkable ? String(item.checked) : undefined}
    aria-disabled=${item.disabled ? "true" : undefined}
    tabindex="-1"
    onClick=${run}
  >
    ${item.icon}<span>${item.label}</span>
    ${item.checked && html`<span aria-hidden="true">✓</span>`}
  </button>`;
}

function entries(menu) {
  return [...menu.querySelectorAll('[role^="menuitem"]')];
}

function walk(menu, key) {
  const all = entries(menu);
  const at = all.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[key];
  if (to === undefined) return false;
  all.at(to % all.length)?.focus();
  return true;
}
