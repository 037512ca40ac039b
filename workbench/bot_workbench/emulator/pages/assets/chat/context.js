/** What the parts of the page can do: one object that all of them get. */

import { webUrl } from "../adaptive/values.js";
import { openSignIn } from "./sign_in.js";

/**
 * @param {object} parts store, api, client and facts: the same as long as the page lives.
 * @param {object} shown the present state, and what opens and closes.
 */
export function createContext({ store, api, client, facts }, shown) {
  const { state, composer, inspector, setRailOpen, setDialog } = shown;
  const notify = (text, kind = "info", turn = undefined) =>
    store.dispatch({ type: "notice", notice: { text, kind, turn } });
  const openUrl = (url) => {
    if (webUrl(url)) open(url, "_blank", "noopener");
    else notify("This link is not a web page.", "error");
  };
  const attach = (attachment) =>
    store.dispatch({ type: "attached", attached: [...store.state.attached, attachment] });
  const attempt = async (doing) => {
    try {
      return await doing();
    } catch (error) {
      notify(error.message, "error");
      return undefined;
    }
  };
  const context = {
    state,
    // Getters, because what a person starts may outlast this rendering.
    get user() {
      return store.state.user;
    },
    get bot() {
      return store.state.bot;
    },
    get conversation() {
      return store.state.conversation;
    },
    facts,
    api,
    client,
    dispatch: store.dispatch,
    attempt,
    notify,
    openUrl,
    attach,
    singleSignOn: state.singleSignOn,
    send: (activity, shown, thread) => client.send(activity, shown, thread),
    insertText: (text, picked = []) => composer.current?.insert({ text, picked }),
    focusComposer: () => composer.current?.focus(),
    reply: (item) => composer.current?.reply(item),
    replyInThread: (thread) => composer.current?.replyInThread(thread),
    startEdit: (item) => composer.current?.edit(item),
    showTurn: (turn) => inspector.show(turn),
    inspector,
    openDialog: setDialog,
    openImage: (image) => setDialog({ kind: "image", image }),
    openRail: () => setRailOpen(true),
    openConversation: (conversation) => {
      setRailOpen(false);
      client.connect({ conversation });
    },
    visitConversation: (id) => attempt(() => client.visit(id)),
    actAs: (user) => client.connect({ user }),
    announce,
    signIn: (link, onCode, fail) => openSignIn(link, context, onCode, fail),
  };
  return context;
}

/** Have screen readers say something. */
function announce(text) {
  const region = document.getElementById("announcements");
  if (region) region.textContent = text;
}
