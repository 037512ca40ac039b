import { html } from "/assets/libraries/htm.js";
import { plainText, shortened } from "../text/plain_text.js";
import { IconButton } from "../shared/icons.js";

const LENGTH = 120;

/** The message that is replied to or edited. */
export function Referring({ referring, onClose }) {
  if (referring === null) return null;
  const { kind, item } = referring;
  if (kind === "thread") {
    return html`<div class="referring">
      <div><strong>Reply to the post</strong></div>
      <${IconButton} icon="close" label="Cancel" onClick=${onClose} />
    </div>`;
  }
  const { text, from } = item.activity;
  const label =
    kind === "edit"
      ? "Edit your message"
      : `Reply to ${item.own ? "yourself" : (from?.name ?? "")}`;
  return html`<div class="referring">
    <div>
      <strong>${label}</strong
      ><span>${shortened(plainText(text || "A card or a file"), LENGTH)}</span>
    </div>
    <${IconButton} icon="close" label="Cancel" onClick=${onClose} />
  </div>`;
}
