import { html } from "/assets/libraries/htm.js";
import { text } from "../adaptive/values.js";
import { promptStarters } from "../extensions/app_commands.js";
import { useApp } from "../extensions/known_app.js";

/** What the user may say, from the manifest's commands. */
export function PromptStarters({ context }) {
  const app = useApp(context);
  const starters = promptStarters(app, context.conversation?.kind);
  if (!starters.length) return null;
  return html`<ul class="starters" aria-label="What you can say">
    ${starters.map(
      ({ title, description }) =>
        html`<li>
          <button type="button" class="starter" onClick=${() => context.insertText(title)}>
            <strong>${title}</strong>${text(description) && html`<span>${description}</span>`}
          </button>
        </li>`,
    )}
  </ul>`;
}
