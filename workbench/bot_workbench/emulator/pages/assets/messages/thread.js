import { html } from "/assets/libraries/htm.js";
import { entriesOf } from "../model/outbox.js";
import { Icon } from "../shared/icons.js";
import { Pending } from "./pending.js";
import { Row } from "./row.js";

/** A post in a channel, with the replies to it. */
export function Thread({ row, context }) {
  const { thread, rows } = row;
  const { state, conversation, replyInThread } = context;
  const pending = entriesOf(state.outbox, conversation?.id).filter(
    (entry) => entry.thread === thread,
  );
  return html`<div class="thread" role="group" aria-label="Post">
    ${rows.map((each) => html`<${Row} key=${each.key} row=${each} flat context=${context} />`)}
    ${pending.map(
      (entry) => html`<${Pending} key=${entry.clientId} entry=${entry} context=${context} />`,
    )}
    <button
      type="button"
      class="button button--quiet button--small thread__reply"
      onClick=${() => replyInThread(thread)}
    >
      <${Icon} name="reply" />Reply
    </button>
  </div>`;
}
