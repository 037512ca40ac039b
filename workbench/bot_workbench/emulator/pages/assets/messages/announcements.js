import { html, useEffect, useRef, useState } from "/assets/libraries/htm.js";
import { spokenText } from "../text/spoken.js";

/** Has screen readers say each new message of others, once. */
export function Announcements({ items }) {
  const said = useRef(null);
  const [text, setText] = useState("");
  useEffect(() => {
    // What was there when the page was loaded is not new.
    const known = said.current ?? new Set(items.map(({ key }) => key));
    const fresh = items.filter((item) => !known.has(item.key) && !item.streaming);
    for (const { key } of fresh) known.add(key);
    if (items.length > 0) said.current = known;
    const spoken = fresh.filter(({ own }) => !own).map(spokenText);
    if (spoken.length > 0) setText(spoken.join(". "));
  }, [items]);
  return html`<div class="visually-hidden" role="log" aria-live="polite">
    <div id="announcements">${text}</div>
  </div>`;
}
