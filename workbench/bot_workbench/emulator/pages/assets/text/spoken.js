/** What a screen reader says of a new message. */

import { plainText } from "./plain_text.js";

export function spokenText({ kind, text, activity }) {
  if (kind === "event") return text;
  const name = activity.from?.name ?? "Somebody";
  const said = plainText(activity.text ?? "");
  const count = activity.attachments?.length ?? 0;
  const attached = count === 0 ? "" : count === 1 ? "an attachment" : `${count} attachments`;
  return `${name}: ${[said, attached].filter(Boolean).join(", ")}`;
}
