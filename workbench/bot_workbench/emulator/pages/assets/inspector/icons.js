// Icons of the inspector: outlines in a square of 24 units, colored as the text around them.

import { html } from "/assets/libraries/htm.js";

const PATHS = {
  message: "M4 5.5h16v10.5H11l-4.5 3.5V16H4z",
  people:
    "M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11z" +
    "M3 19c.4-3.4 2.8-5.2 6-5.2s5.6 1.8 6 5.2M16 5a3 3 0 0 1 0 5.8M17.5 14c2 .6 3.2 2.3 3.5 5",
  invoke: "M13 3 5.5 13.5h5.5L10.5 21 18.5 10h-6z",
  event: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2",
  install: "M12 4v10m0 0 4-4m-4 4-4-4M5 19.5h14",
  reaction:
    "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.5 14.5c1.8 2 5.2 2 7 0M9 9.5v.5" +
    "M15 9.5v.5",
  send: "M4 12 20 4.5 14.5 20l-3-6.5z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20.5 20.5",
  pause: "M8.5 5v14M15.5 5v14",
  play: "M7 4.5v15L19 12z",
  clear: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  close: "M6 6l12 12M18 6 6 18",
  back: "M14.5 5 7.5 12l7 7",
  copy: "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4",
  replay: "M5 12a7 7 0 1 0 2.2-5.1M5 4v4h4",
  edit: "M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5z",
  services: "M4 5h16v5.5H4zM4 13.5h16V19H4zM7.5 7.8h.1M7.5 16.2h.1",
  warning: "M12 4 21 19.5H3zM12 10v4.5M12 17v.2",
  check: "M5 12.5 10 17.5 19.5 7",
  skip: "M6 12h12",
  down: "M12 5v14m0 0 6-6m-6 6-6-6",
  chevron: "M9.5 6.5 15 12l-5.5 5.5",
  call: "M7 17 17 7M9 7h8v8",
  state:
    "M12 9c4 0 7-1.2 7-2.8S16 3.5 12 3.5 5 4.7 5 6.2 8 9 12 9z" +
    "M5 6.2v11.6c0 1.5 3 2.7 7 2.7s7-1.2 7-2.7V6.2M5 12c0 1.5 3 2.8 7 2.8s7-1.3 7-2.8",
  log: "M5 7h14M5 12h14M5 17h9",
  queue: "M4 8h4v8H4zM10 8h4v8h-4zM16 12h5m0 0-2-2m2 2-2 2",
  filter: "M4 6h16M7 12h10M10 18h4",
};

const OF_TYPES = {
  message: "message",
  messageUpdate: "edit",
  messageDelete: "clear",
  messageReaction: "reaction",
  conversationUpdate: "people",
  installationUpdate: "install",
  invoke: "invoke",
  event: "event",
};

/** An icon; the text beside it says what it means. */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`;
}

/** The name of the icon of a turn's kind. */
export function iconOf(turn) {
  if (turn.kind === "function") return "clock";
  if (turn.kind === "proactive") return "event";
  return OF_TYPES[turn.type] ?? "send";
}
