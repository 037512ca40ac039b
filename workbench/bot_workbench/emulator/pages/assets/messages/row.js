import { html } from "/assets/libraries/htm.js";
import { dayText } from "../text/times.js";
import { MessageGroup } from "./message_group.js";

/** A row that is not a thread. */
export function Row({ row, flat = false, context }) {
  switch (row.kind) {
    case "day":
      return html`<h2 class="day"><span>${dayText(row.date, new Date())}</span></h2>`;
    case "unread":
      return html`<div class="unread" role="separator"><span>New</span></div>`;
    case "event":
      return html`<p class="event">${row.item.text}</p>`;
    default:
      return html`<${MessageGroup} group=${row} flat=${flat} context=${context} />`;
  }
}
