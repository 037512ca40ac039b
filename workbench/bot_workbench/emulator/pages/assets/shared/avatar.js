import { html } from "/assets/libraries/htm.js";
import { initials, tint } from "./initials.js";
import { Icon } from "./icons.js";

/** A person's initials, a bot's or a group's symbol; the name stands beside it. */
export function Avatar({ id, name, kind = "person", small = false }) {
  const classes = ["avatar", `avatar--${kind}`, `avatar--${tint(id)}`, small && "avatar--small"];
  const symbols = { bot: "bot", group: "group", channel: "channel" };
  return html`<span class=${classes.filter(Boolean).join(" ")} aria-hidden="true">
    ${kind in symbols ? html`<${Icon} name=${symbols[kind]} />` : initials(name)}
  </span>`;
}
