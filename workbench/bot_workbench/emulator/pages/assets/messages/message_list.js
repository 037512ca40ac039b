import {
  html,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "/assets/libraries/htm.js";
import { PromptStarters } from "../cards/prompt_starters.js";
import { entriesOf } from "../model/outbox.js";
import { rowsOf, threadRowsOf } from "../model/rows.js";
import { suggesting } from "../model/transcript.js";
import { Icon } from "../shared/icons.js";
import { EmptyList } from "./empty_list.js";
import { Announcements } from "./announcements.js";
import { Pending } from "./pending.js";
import { Row } from "./row.js";
import { SuggestedActions } from "./suggested_actions.js";
import { Thread } from "./thread.js";
import { PeopleTyping, TypingIndicator } from "./typing_indicator.js";

const NEAR_END = 80;

/** The transcript, which stays at its end as long as a person has not scrolled away. */
export function MessageList({ context }) {
  const { state, user, conversation } = context;
  const { items, typing } = state.transcript;
  const inChannel = conversation?.kind === "channel";
  const pending = entriesOf(state.outbox, conversation?.id).filter(({ thread }) => !thread);
  // What can be said is shown until the user has said something.
  const isNew = items.length > 0 && pending.length === 0 && !items.some(({ own }) => own);
  const suggestion = suggesting(state.transcript, user?.id);
  const shown = [items, typing, pending.length, suggestion, isNew];
  const { list, atEnd, lastRead, onScroll, toEnd } = useEnd(items, shown);
  const rows = useMemo(
    () => (inChannel ? threadRowsOf(items) : rowsOf(items, lastRead)),
    [items, lastRead, inChannel],
  );
  const unread = lastRead === undefined ? 0 : after(items, lastRead);
  return html`<div class="messages-frame">
    <div
      ref=${list}
      class="messages"
      role="region"
      aria-label="Messages"
      tabindex="0"
      data-end="true"
      onScroll=${onScroll}
    >
      <div class="messages__column">
        ${rows.length + pending.length === 0 && html`<${EmptyList} context=${context} />`}
        ${rows.map((row) =>
          row.kind === "thread"
            ? html`<${Thread} key=${row.key} row=${row} context=${context} />`
            : html`<${Row} key=${row.key} row=${row} context=${context} />`,
        )}
        ${pending.map(
          (entry) => html`<${Pending} key=${entry.clientId} entry=${entry} context=${context} />`,
        )}
        ${typing && html`<${TypingIndicator} typing=${typing} context=${context} />`}
        <${PeopleTyping} context=${context} />
        ${isNew && html`<${PromptStarters} context=${context} />`}
        ${
          suggestion &&
          html`<${SuggestedActions} activity=${suggestion.activity} context=${context} />`
        }
      </div>
    </div>
    ${
      !atEnd &&
      html`<button type="button" class="button to-end" onClick=${toEnd}>
        <${Icon} name="down" />${unread > 0 ? `${unread} new` : "Newest messages"}
      </button>`
    }
    <${Announcements} items=${items} />
  </div>`;
}

/** Stay at the end of the list when what is shown changes, until a person scrolls up. */
function useEnd(items, shown) {
  const list = useRef(null);
  const top = useRef(0);
  const [atEnd, setAtEnd] = useState(true);
  const [lastRead, setLastRead] = useState(undefined);
  const toEnd = () => {
    const { current } = list;
    current.scrollTop = current.scrollHeight;
  };
  useLayoutEffect(() => {
    if (atEnd) toEnd();
  }, shown);
  useEffect(() => keepAtEnd(list.current), []);
  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = list.current;
    const near = scrollHeight - scrollTop - clientHeight < NEAR_END;
    // Only a person who scrolls up leaves the end, not content that has grown.
    const up = scrollTop < top.current;
    top.current = scrollTop;
    if (near === atEnd || !(near || up)) return;
    list.current.dataset.end = String(near);
    setAtEnd(near);
    setLastRead(near ? undefined : items.at(-1)?.key);
  };
  return { list, atEnd, lastRead, onScroll, toEnd };
}

function after(items, key) {
  const index = items.findIndex((item) => item.key === key);
  return index < 0 ? 0 : items.length - 1 - index;
}

/** Images and cards grow when they have loaded: the end stays in sight. */
function keepAtEnd(list) {
  const watching = new ResizeObserver(() => {
    if (list.dataset.end === "true") list.scrollTop = list.scrollHeight;
  });
  watching.observe(list);
  watching.observe(list.firstElementChild);
  return () => watching.disconnect();
}
