import { html } from "/assets/libraries/htm.js";
import { REACTIONS, reactionCounts } from "../text/reaction_types.js";

/** The reactions to a message, which a click joins or leaves. */
export function Reactions({ item, context }) {
  const counts = reactionCounts(item.activity.reactions, context.user?.id);
  if (counts.length === 0) return null;
  const toggle = (type, mine) => context.attempt(() => context.api.react(item.id, type, !mine));
  return html`<div class="reactions">
    ${counts.map(({ type, count, mine }) => {
      const { symbol, label } = REACTIONS[type] ?? { symbol: type, label: type };
      return html`<button
        key=${type}
        type="button"
        class="reaction"
        aria-pressed=${String(mine)}
        aria-label=${`${label}, ${count}`}
        disabled=${item.past}
        onClick=${() => toggle(type, mine)}
      >
        <span aria-hidden="true">${symbol}</span> ${count}
      </button>`;
    })}
  </div>`;
}
