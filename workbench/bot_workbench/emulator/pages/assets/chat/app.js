import {
  html,
  render,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "/assets/libraries/htm.js";
import { Dialogs } from "../cards/dialogs.js";
import { Composer } from "../composer/composer.js";
import { MessageList } from "../messages/message_list.js";
import { Lightbox } from "../bubbles/lightbox.js";
import { initialState, reduce } from "../model/chat_state.js";
import { keepOutbox, keptOutbox } from "../model/outbox.js";
import { keepSession, keptSession } from "../model/session.js";
import { createStore } from "../model/store.js";
import { chatApi, UnreachableError } from "./api.js";
import { chatClient } from "./client.js";
import { createContext } from "./context.js";
import { takeCodes } from "./sign_in.js";
import { ChatHeader } from "../panes/header.js";
import { InspectorAside, useInspector } from "../panes/inspector_aside.js";
import { NewChannel, Rename } from "../panes/name_dialogs.js";
import { Notice } from "../panes/notice.js";
import { ConversationRail } from "../panes/rail.js";
import { StatusBanner } from "../panes/status.js";

/** Start the page. */
export function start(facts, root) {
  const kept = keptSession(sessionStorage);
  const store = createStore(reduce, initialState(kept, keptOutbox(sessionStorage)));
  const api = chatApi(() => openedSession(store));
  const client = chatClient(store, api, (url) => new WebSocket(url));
  store.subscribe(({ user, conversation, singleSignOn, outbox }) => {
    keepSession(sessionStorage, { user, conversation, singleSignOn });
    keepOutbox(sessionStorage, outbox);
  });
  render(html`<${App} facts=${facts} store=${store} api=${api} client=${client} />`, root);
  takeCodes({ store, api });
  client.connect();
}

/** The state once there is a session; nothing waits for a local cloud that cannot be reached. */
async function openedSession(store) {
  const state = await store.when(({ run, connection }) => run !== "" || connection === "lost");
  if (state.run === "") throw new UnreachableError();
  return state;
}

function App({ facts, store, api, client }) {
  const [state, setState] = useState(store.state);
  // useEffect runs after the first paint, and would miss what happens before it.
  useLayoutEffect(() => store.subscribe(setState), []);
  const inspector = useInspector();
  const composer = useRef(null);
  const [railOpen, setRailOpen] = useState(false);
  const [dialog, setDialog] = useState(null);
  const parts = useMemo(() => ({ store, api, client, facts }), []);
  const context = createContext(parts, { state, composer, inspector, setRailOpen, setDialog });
  const openName = state.conversation?.name || state.bot?.name || "Chat";
  useEffect(() => {
    document.title = `${openName} (local)`;
  }, [openName]);
  const panes = [
    "chat-page",
    railOpen && "chat-page--rail",
    inspector.open && "chat-page--inspector",
  ];
  return html`<div class=${panes.filter(Boolean).join(" ")}>
    <${ConversationRail} context=${context} onClose=${() => setRailOpen(false)} />
    <main class="conversation" aria-label=${openName}>
      <${ChatHeader} context=${context} />
      <${StatusBanner} context=${context} />
      <${MessageList} key=${`messages-${state.place}`} context=${context} />
      <${Notice} context=${context} />
      <${Composer} key=${`composer-${state.place}`} handle=${composer} context=${context} />
    </main>
    <${InspectorAside} inspector=${inspector} context=${context} />
    <${OwnDialog} dialog=${dialog} context=${context} onClose=${() => setDialog(null)} />
    <${Dialogs} context=${context} />
  </div>`;
}

function OwnDialog({ dialog, context, onClose }) {
  switch (dialog?.kind) {
    case "new-channel":
      return html`<${NewChannel} team=${dialog.team} context=${context} onClose=${onClose} />`;
    case "rename":
      return html`<${Rename} context=${context} onClose=${onClose} />`;
    case "image":
      return html`<${Lightbox} image=${dialog.image} onClose=${onClose} />`;
    default:
      return null;
  }
}
