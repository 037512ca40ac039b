import { html } from "/assets/libraries/htm.js";
import { Avatar } from "../shared/avatar.js";

/** The bot is typing. */
export function TypingIndicator({ typing, context }) {
  const name = typing.from?.name || context.bot?.name || "The bot";
  return html`<div class="group typing" role="status">
    <${Avatar} id=${typing.from?.id} name=${name} kind="bot" small />
    <div class="bubble">
      <span class="working"><span></span><span></span><span></span></span>
    </div>
    <span class="visually-hidden">${name} is typing</span>
  </div>`;
}

/** Other people of the conversation are typing. */
export function PeopleTyping({ context }) {
  const ids = Object.keys(context.state.typists);
  const names = (context.conversation?.members ?? [])
    .filter(({ id }) => ids.includes(id))
    .map(({ name }) => name);
  if (names.length === 0) return null;
  return html`<p class="event" role="status">
    ${names.join(", ")} ${names.length > 1 ? "are" : "is"} typing
  </p>`;
}
