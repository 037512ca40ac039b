import { html } from "/assets/libraries/htm.js";
import { Avatar } from "../shared/avatar.js";

/** The bot is typing. */
export function TypingIndicator({ typing, context }) {
  const name = typing.from?.name || context.bot?.name || "The bot";
  return html`<div class="group typing" role="status">
    <${Avatar} id=${typing.from?.id} name=${name} kind="bot" small />
    <div class="bubble"><span class="working"><span></span><span></span><span></span></span></div>
    <span class="visually-hidden">${name} is typing</span>
  </div>`;
}
