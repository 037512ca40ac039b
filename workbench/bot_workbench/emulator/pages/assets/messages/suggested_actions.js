import { html } from "/assets/libraries/htm.js";
import { runEffect } from "../adaptive/card_actions.js";
import { cardActionEffect } from "../adaptive/card_effects.js";
import { composedDraft } from "../text/mentions.js";

/** Buttons below the last message: most send what they say. */
export function SuggestedActions({ activity, context }) {
  const { actions } = activity.suggestedActions;
  return html`<div class="suggestions" role="group" aria-label="Suggested replies">
    ${actions.map(
      (action, index) =>
        html`<button
          key=${index}
          type="button"
          class="button suggestion"
          onClick=${() => press(action, context)}
        >
          ${action.title ?? action.text ?? action.value}
        </button>`,
    )}
  </div>`;
}

function press(action, context) {
  if (action.type === "Action.Compose") {
    const { text, picked } = composedDraft(action.value?.data ?? {});
    context.insertText(text, picked);
  } else {
    runEffect(cardActionEffect(action), { context });
  }
  context.focusComposer();
}
