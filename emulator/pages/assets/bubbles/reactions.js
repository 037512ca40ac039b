import { html } from "/assets/libraries/htm.js";
import { REACTIONS } from "../text/reaction_types.js";

/** The reactions to a message, which a click joins or leaves. */
export function Reactions({ item, context }) {
  const types = Object.entries(item.reactions);
  if (types.length === 0) return null;
  return html`<div class="reactions">
    ${types.map(([type, people]) => {
      const mine = people.includes(context.user?.id);
      const { symbol, label } = REACTIONS[type] ?? { symbol: type, label: type };
      return html`<button
        key=${type}
        type="button"
        class="reaction"
        aria-pressed=${String(mine)}
        aria-label=${`${label}, ${people.length}`}
        onClick=${() => context.attempt(() => context.api.react(item.id, type, !mine))}
      >
        <span aria-hidden="true">${symbol}</span> ${people.length}
      </button>`;
    })}
  </div>`;
}
