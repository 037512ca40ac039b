import { html } from "/assets/libraries/htm.js";

/** Drawn for this page on a grid of 20 x 20. */
const PATHS = {
  send: "M3 10 17 4l-4 13-3.5-5z M9.5 12 17 4",
  attach: [
    "M14.5 9.5 9 15a3.2 3.2 0 0 1-4.5-4.5L11 4a2.2 2.2 0 0 1 3.1 3.1L8 13.2a1 1 0 0 1-1.5-1.5l5-5",
  ].join(" "),
  more: [4.5, 10, 15.5].map((x) => `M${x} 9.5a.5.5 0 1 0 .01 0z`).join(""),
  close: "M5 5l10 10M15 5 5 15",
  people: [
    "M7.5 9.5a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5z",
    "M2.5 16c.4-2.8 2.3-4.2 5-4.2s4.6 1.4 5 4.2M13 4.3a2.6 2.6 0 0 1 0 5",
    "M14.5 12c1.7.6 2.7 1.9 3 4",
  ].join(" "),
  add: "M10 4v12M4 10h12",
  sun: [
    "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.5M10 16.5V18M2 10h1.5",
    "M16.5 10H18M4.3 4.3l1 1M14.7 14.7l1 1M4.3 15.7l1-1M14.7 5.3l1-1",
  ].join(" "),
  system: "M3 4.5h14v9H3zM7 16.5h6M10 13.5v3",
  moon: "M16 11.8A6.5 6.5 0 0 1 8.2 4 6.5 6.5 0 1 0 16 11.8z",
  panel: "M3.5 4.5h13v11h-13zM12 4.5v11M14 7.5h1M14 10h1",
  menu: "M3.5 6h13M3.5 10h13M3.5 14h13",
  down: "M10 4v12M5 11l5 5 5-5",
  group: [
    "M7 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
    "M13.5 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
    "M2.5 15.5c.3-2.5 2-3.8 4.5-3.8s4.2 1.3 4.5 3.8M13.5 12c2 0 3.5 1.2 3.8 3",
  ].join(" "),
  bot: [
    "M6 7.5h8a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2z",
    "M10 7.5V4.5M7.8 11v.6M12.2 11v.6",
  ].join(" "),
  channel: "M7.5 3.5 6 16.5M14 3.5l-1.5 13M3.5 7.5h13.5M3 12.5h13.5",
  edit: "M4 16l.8-3.2L13.5 4l2.5 2.5-8.8 8.7zM11.8 5.8l2.4 2.4",
  remove: "M4.5 6h11M8 6V4h4v2M6 6l.7 10h6.6L14 6",
  reply: "M8 5 4 9l4 4M4 9h7a5 5 0 0 1 5 5v1",
  smile: [
    "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM7.5 8.3h.01M12.5 8.3h.01",
    "M7 11.8c1.6 2.2 4.4 2.2 6 0",
  ].join(" "),
  file: "M5.5 3h6l3.5 3.5V17h-9.5zM11.5 3v3.5H15",
  check: "M4.5 10.5 8.5 14.5l7-8.5",
  warning: "M10 3.5 17.5 16h-15zM10 8.5v3.5M10 14h.01",
  bolt: "M11 3 5 11h4l-1 6 6-8h-4z",
  copy: "M7 7h9v9H7zM4 12.5V4h8.5",
};

/** An icon; what it means stands beside it, or in its button's label. */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`;
}

/** A button that shows an icon only; what it does is its `label`. `rest`: more attributes. */
export function IconButton({ icon, label, class: className = "", ...rest }) {
  return html`<button
    type="button"
    class=${`icon-button ${className}`.trim()}
    aria-label=${label}
    ...${rest}
  >
    <${Icon} name=${icon} />
  </button>`;
}
