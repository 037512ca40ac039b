import { html } from "/assets/libraries/htm.js";
import { importance, isAiGenerated, messageEntity, sensitivity } from "../ai/message_entity.js";

const IMPORTANCE = { high: "IMPORTANT!", urgent: "URGENT!" };

/** Beside the sender's name: whether AI wrote the message, its sensitivity and its importance. */
export function MessageLabels({ activity }) {
  const label = sensitivity(messageEntity(activity));
  const level = importance(activity);
  return html`${
    isAiGenerated(activity) &&
    html`<span class="badge" title="AI-generated content may be incorrect.">AI generated</span>`
  }
  ${
    label &&
    html`<span class="badge badge--quiet" title=${label.description}>
      ${label.name}
      ${label.description && html`<span class="visually-hidden">: ${label.description}</span>`}
    </span>`
  }
  ${level && html`<span class="badge badge--warn">${IMPORTANCE[level]}</span>`}`;
}
