import { html } from "/assets/libraries/htm.js";
import { MessageLabels } from "../cards/message_labels.js";
import { fullTimeText, stampText } from "../text/times.js";
import { Avatar } from "../shared/avatar.js";
import { Message } from "../bubbles/message.js";

/** Messages of one sender, one below the other, with name and time once. */
export function MessageGroup({ group, flat, context }) {
  const { from, own, date, items } = group;
  const isBot = String(from.id ?? "").startsWith("28:") || from.role === "bot";
  const name = own ? "You" : from.name || (isBot ? context.bot?.name : "") || "Somebody";
  return html`<div
    role="group"
    class=${`group${own ? " group--own" : ""}${flat ? " group--flat" : ""}`}
    aria-label=${`${name}, ${stampText(date, new Date())}`}
  >
    ${
      (flat || !own) &&
      html`<${Avatar}
        id=${from.id}
        name=${from.name ?? name}
        kind=${isBot ? "bot" : "person"}
        small
      />`
    }
    <div class="group__content">
      <div class="group__head">
        <span class=${`group__name${own && !flat ? " visually-hidden" : ""}`}
          >${own && from.name ? from.name : name}</span
        >
        <time datetime=${date.toISOString()} title=${fullTimeText(date)}
          >${stampText(date, new Date())}</time
        >
        <${MessageLabels} activity=${items[0].activity} />
      </div>
      ${items.map((item) => html`<${Message} key=${item.key} item=${item} context=${context} />`)}
    </div>
  </div>`;
}
