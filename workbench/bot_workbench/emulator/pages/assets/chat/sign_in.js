/** Signing in, as Teams does: a popup with the sign-in page, then its code as an invoke. */

import { webUrl } from "../adaptive/values.js";
import { openAuthentication } from "../dialogs/authentication_popup.js";

/** The path of the local cloud's sign-in page, which passes its code to the browser's pages. */
const TOKEN_SERVICE = "/api/oauth/signin";

/** What gets a sign-in's code in place of the invoke, by the sign-in's id. */
const receivers = new Map();

/**
 * Open the sign-in page: the token service's, or one of the bot's own, which ends with TeamsJS's
 * authentication.notifySuccess.
 *
 * @param {string} link of the sign-in card; only a web page is opened.
 * @param {(code: string) => void} onCode gets the code in place of the invoke.
 * @param {(text: string) => void} fail gets what went wrong; without it, the chat shows it.
 */
export function openSignIn(link, context, onCode, fail = (text) => context.notify(text, "error")) {
  if (!webUrl(link)) {
    fail("The sign-in link is not a web page.");
    return;
  }
  const { pathname, searchParams } = new URL(link);
  if (pathname === TOKEN_SERVICE) {
    if (onCode) receivers.set(searchParams.get("signin"), onCode);
    open(link, "_blank", "noopener,popup,width=520,height=640");
    return;
  }
  const take = onCode ?? ((code) => verify(code, context.api));
  const done = (code) => context.attempt(() => take(code));
  openAuthentication(link, context, done, fail);
}

/** Take the codes that sign-in pages of this browser have for the open conversation. */
export function takeCodes({ store, api }) {
  const pages = new BroadcastChannel("sign-in");
  pages.addEventListener("message", async ({ data }) => {
    const { conversationId, signin, code } = data;
    // In a channel, the conversation of the sign-in is a thread of it.
    const isOurs = conversationId?.split(";")[0] === store.state.conversation?.id;
    if (!code || !isOurs) return;
    try {
      await handOver(code, signin, api);
      pages.postMessage({ conversationId, taken: true });
    } catch (error) {
      // The sign-in page keeps showing the code, which the user can send.
      store.dispatch({ type: "notice", notice: { kind: "error", text: error.message } });
    }
  });
}

async function handOver(code, signin, api) {
  const receive = receivers.get(signin);
  receivers.delete(signin);
  if (receive) {
    await receive(code);
    return;
  }
  await verify(code, api);
}

async function verify(code, api) {
  const { status, text } = await api.invoke({ name: "signin/verifyState", value: { state: code } });
  if (status >= 300) throw new Error(text ?? `The bot answered ${status}.`);
}
