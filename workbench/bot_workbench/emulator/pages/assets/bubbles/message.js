import { html, useErrorBoundary } from "/assets/libraries/htm.js";
import { Attachment } from "../cards/attachment.js";
import { MessageExtras } from "../cards/message_extras.js";
import { DeliveryState } from "./delivery_state.js";
import { fileOf, FileAttachment, imageOf, ImageAttachment } from "./files.js";
import { MessageMenu } from "./message_menu.js";
import { MessageText } from "./message_text.js";
import { Quote } from "./quote.js";
import { Reactions } from "./reactions.js";

/** One message: text, attachments, and what people did to it. */
export function Message({ item, context }) {
  const { own, deleted, edited } = item;
  // One message that cannot be drawn must not take the page with it.
  const [error] = useErrorBoundary();
  if (error)
    return html`<article class="message">
      <div class="bubble">This message cannot be shown: ${error.message}</div>
    </article>`;
  if (deleted) return html`<${DeletedMessage} item=${item} context=${context} />`;
  const classes = ["message", own && "message--own", item.streaming && "message--streaming"];
  const delivery = context.state.deliveries[item.id];
  return html`<article class=${classes.filter(Boolean).join(" ")} data-id=${item.id}>
    <${MessageBody} item=${item} context=${context} />
    <${MessageMenu} item=${item} context=${context} />
    <${Reactions} item=${item} context=${context} />
    <div class="message__foot">
      ${edited && html`<span>Edited</span>`}
      <${DeliveryState} delivery=${delivery} id=${item.id} context=${context} />
    </div>
  </article>`;
}

function MessageBody({ item, context }) {
  const { activity } = item;
  const attachments = (activity.attachments ?? []).filter(
    (each) => each && each.contentType !== "text/html",
  );
  const hasBubble = Boolean(activity.text) || item.streaming || attachments.length === 0;
  const grid = activity.attachmentLayout === "carousel" && attachments.length > 1;
  return html`${
    hasBubble &&
    html`<div class="bubble">
      <${Quote} activity=${activity} />
      <${MessageText} item=${item} />
      <${MessageExtras} item=${item} context=${context} />
    </div>`
  }
  ${
    attachments.length > 0 &&
    html`<div class=${grid ? "attachments attachments--carousel" : "attachments"}>
      ${attachments.map(
        (attachment, index) =>
          html`<${OneAttachment} key=${index} ...${{ attachment, activity, context }} />`,
      )}
    </div>`
  }
  ${!hasBubble && html`<${MessageExtras} item=${item} context=${context} />`}`;
}

function OneAttachment({ attachment, activity, context }) {
  const image = imageOf(attachment);
  if (image) return html`<${ImageAttachment} image=${image} context=${context} />`;
  const file = fileOf(attachment);
  if (file) return html`<${FileAttachment} file=${file} />`;
  return html`<${Attachment} attachment=${attachment} activity=${activity} context=${context} />`;
}

function DeletedMessage({ item, context }) {
  const { id, own, past } = item;
  const undo = () => context.attempt(() => context.api.undelete(id));
  const button = html`<button type="button" class="link-button" onClick=${undo}>Undo</button>`;
  return html`<article class=${`message message--deleted${own ? " message--own" : ""}`}>
    <div class="bubble bubble--deleted">
      This message has been deleted. ${own && !past && button}
    </div>
  </article>`;
}
