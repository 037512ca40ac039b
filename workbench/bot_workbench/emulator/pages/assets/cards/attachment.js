import { html } from "/assets/libraries/htm.js";
import { MessageCard } from "../adaptive/message_card.js";
import { isObject, kindOf, text } from "../adaptive/values.js";
import {
  HeroCard,
  ListCard,
  MediaCard,
  ReceiptCard,
  ThumbnailCard,
  UnshownCard,
} from "../attachments/classic_cards.js";
import { FileCard, FileConsentCard } from "../attachments/file_cards.js";
import { SignInCard } from "./sign_in_card.js";

const MICROSOFT = "application/vnd.microsoft.";
const CLASSIC = {
  [`${MICROSOFT}card.hero`]: HeroCard,
  [`${MICROSOFT}card.thumbnail`]: ThumbnailCard,
  [`${MICROSOFT}card.receipt`]: ReceiptCard,
  [`${MICROSOFT}card.animation`]: MediaCard,
  [`${MICROSOFT}card.audio`]: MediaCard,
  [`${MICROSOFT}card.video`]: MediaCard,
  [`${MICROSOFT}teams.card.list`]: ListCard,
};
const FILES = {
  [`${MICROSOFT}teams.card.file.consent`]: FileConsentCard,
  [`${MICROSOFT}teams.card.file.info`]: FileCard,
  [`${MICROSOFT}teams.file.download.info`]: FileCard,
};
const SIGN_IN = new Set([`${MICROSOFT}card.oauth`, `${MICROSOFT}card.signin`]);

/** An attachment of a message that is no plain image or file. */
export function Attachment({ attachment, activity, context }) {
  const { contentType, content } = attachment;
  if (FILES[contentType])
    return html`<${FILES[contentType]}
      attachment=${attachment}
      activity=${activity}
      context=${context}
    />`;
  if (SIGN_IN.has(contentType))
    return html`<${SignInCard} attachment=${attachment} activity=${activity} context=${context} />`;
  if (!isObject(content))
    return html`<${UnshownCard}
      title=${text(contentType) || "An attachment"}
      detail=${`Its content is ${kindOf(content)}; Teams needs an object.`}
      content=${attachment}
    />`;
  if (contentType === `${MICROSOFT}card.adaptive`) {
    const index = activity.attachments?.indexOf(attachment) ?? 0;
    return html`<${MessageCard}
      card=${content}
      activity=${activity}
      index=${index}
      context=${context}
    />`;
  }
  if (CLASSIC[contentType])
    return html`<${CLASSIC[contentType]}
      content=${content}
      activity=${activity}
      context=${context}
    />`;
  if (contentType === `${MICROSOFT}teams.card.o365connector`) {
    return html`<${UnshownCard}
      title="Connector card"
      detail="Teams shows this card; this page does not."
      content=${content}
    />`;
  }
  return html`<${UnshownCard}
    title=${text(contentType) || "An attachment without contentType"}
    detail="Teams does not know this type."
    content=${content}
  />`;
}
