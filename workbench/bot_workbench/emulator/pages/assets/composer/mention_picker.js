import { html, useLayoutEffect, useState } from "/assets/libraries/htm.js";
import { matchingMembers, mentionQuery, withMention } from "../text/mentions.js";
import { Avatar } from "../shared/avatar.js";

const LIST = "mention-list";

/** The list of members that opens after an `@`. */
export function useMentions({ field, draft, now, put }, members) {
  const [asked, setAsked] = useState({ query: null, typed: "" });
  const [active, setActive] = useState(0);
  const { query } = asked;
  const found = query ? matchingMembers(members, query.query) : [];
  const open = found.length > 0;
  const close = () => setAsked({ query: null, typed: "" });
  // A text that was sent, or replaced, has no list any more, even if it comes back.
  useLayoutEffect(() => {
    if (query && asked.typed !== draft.text) close();
  }, [draft.text]);
  const pick = (member) => {
    const { selectionStart } = field.current;
    const before = now();
    const { text, caret } = withMention(before.text, selectionStart, query, member.name);
    close();
    put({ text, picked: [...before.picked.filter(({ id }) => id !== member.id), member] }, caret);
  };
  const update = (typed, caret) => {
    setAsked({ query: mentionQuery(typed, caret), typed });
    setActive(0);
  };
  const onKeyDown = (event) => {
    if (!open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((active + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") pick(found[active]);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    return true;
  };
  const aria = {
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    "aria-controls": open ? LIST : undefined,
    "aria-activedescendant": open ? `${LIST}-${active}` : undefined,
  };
  return { open, found, active, pick, update, onKeyDown, aria };
}

export function MentionPicker({ mentions }) {
  const { open, found, active, pick } = mentions;
  useLayoutEffect(() => {
    document.getElementById(`${LIST}-${active}`)?.scrollIntoView({ block: "nearest" });
  }, [open, active]);
  if (!open) return null;
  return html`<ul id=${LIST} class="mentions" role="listbox" aria-label="Mention">
    ${found.map(
      (member, index) =>
        html`<li
          key=${member.id}
          id=${`${LIST}-${index}`}
          class="mentions__entry"
          role="option"
          aria-selected=${String(index === active)}
          onPointerDown=${(event) => {
            event.preventDefault();
            pick(member);
          }}
        >
          <${Avatar}
            id=${member.id}
            name=${member.name}
            kind=${member.id.startsWith("28:") ? "bot" : "person"}
            small
          />
          ${member.name}
        </li>`,
    )}
  </ul>`;
}
