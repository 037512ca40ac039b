import { html, useState } from "/assets/libraries/htm.js";
import { messageActions } from "../cards/message_actions.js";
import { plainText } from "../text/plain_text.js";
import { REACTIONS, reactionCounts } from "../text/reaction_types.js";
import { Icon } from "../shared/icons.js";
import { MenuButton } from "../shared/menu.js";

/** What can be done with a message: shown on hover and on focus. */
export function MessageMenu({ item, context }) {
  const [open, setOpen] = useState(false);
  if (item.past || item.streaming) return null;
  return html`<div class=${`message__tools${open ? " message__tools--open" : ""}`}>
    <${MenuButton}
      button=${{ label: "React", content: html`<${Icon} name="smile" />` }}
      items=${reactions(item, context)}
      onToggle=${setOpen}
    />
    <${MenuButton}
      button=${{ label: "Message options", content: html`<${Icon} name="more" />` }}
      items=${options(item, context)}
      onToggle=${setOpen}
    />
  </div>`;
}

function reactions(item, { api, attempt, user }) {
  const counts = reactionCounts(item.activity.reactions, user?.id);
  const own = new Set(counts.filter(({ mine }) => mine).map(({ type }) => type));
  return Object.entries(REACTIONS).map(([type, { symbol, label }]) => {
    const mine = own.has(type);
    const run = () => attempt(() => api.react(item.id, type, !mine));
    return { key: type, label: `${symbol} ${label}`, checked: mine, run };
  });
}

function options(item, context) {
  const { api, attempt, reply, startEdit } = context;
  const { activity, own, id } = item;
  const turn = context.state.deliveries[own ? id : activity.replyToId]?.turn;
  const items = [
    { key: "reply", label: "Reply", icon: html`<${Icon} name="reply" />`, run: () => reply(item) },
  ];
  if (activity.text) {
    const copy = () => navigator.clipboard.writeText(plainText(activity.text));
    items.push({
      key: "copy",
      label: "Copy the text",
      icon: html`<${Icon} name="copy" />`,
      run: copy,
    });
  }
  if (own) {
    items.push({
      key: "edit",
      label: "Edit",
      icon: html`<${Icon} name="edit" />`,
      run: () => startEdit(item),
    });
    const remove = () => attempt(() => api.remove(id));
    items.push({
      key: "delete",
      label: "Delete",
      icon: html`<${Icon} name="remove" />`,
      danger: true,
      run: remove,
    });
  }
  if (turn)
    items.push({
      key: "turn",
      label: "Show the turn",
      icon: html`<${Icon} name="panel" />`,
      run: () => context.showTurn(turn),
    });
  return [...items, ...messageActions(activity, context)];
}
