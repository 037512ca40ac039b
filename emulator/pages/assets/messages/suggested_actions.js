import { html } from "/assets/libraries/htm.js";

/** Buttons below the last message, which send what they say. */
export function SuggestedActions({ activity, context }) {
  const { actions } = activity.suggestedActions;
  return html`<div class="suggestions" role="group" aria-label="Suggested replies">
    ${actions.map(
      (action, index) =>
        html`<button
          key=${index}
          type="button"
          class="button suggestion"
          onClick=${() => perform(action, context)}
        >
          ${action.title ?? action.text ?? action.value}
        </button>`,
    )}
  </div>`;
}

/** What a button does: Bot Framework's card action types. */
export function perform({ type, value, text, displayText, title }, context) {
  switch (type) {
    case "openUrl":
    case "downloadFile":
    case "showImage":
      context.openUrl(value);
      break;
    case "signin":
      context.signIn(value);
      break;
    case "messageBack":
      context.send({ type: "message", text: text ?? "", value }, displayText ?? null);
      break;
    case "Action.Compose":
    case "composeBox":
      context.insertText(typeof value === "string" ? value : title);
      break;
    default:
      context.send({ type: "message", text: String(value ?? title ?? ""), textFormat: "plain" });
  }
  context.focusComposer();
}
