/** Signing in, as Teams does: a popup with the sign-in page, then the code as an invoke. */

/**
 * @param {string} link of the sign-in card.
 * @param {object} parts `onCode`, if given, gets the code in place of the invoke.
 */
export function signInAt(link, { store, api, notify, onCode }) {
  if (!/^https?:\/\//i.test(String(link ?? ""))) {
    notify("The sign-in link is not a web page.", "error");
    return;
  }
  const conversationId = store.state.conversation.id;
  const pages = new BroadcastChannel("sign-in");
  pages.addEventListener("message", async ({ data }) => {
    if (!data.code || data.conversationId !== conversationId) return;
    pages.postMessage({ conversationId, taken: true });
    pages.close();
    if (onCode) onCode(data.code);
    else await verify(data.code, { api, notify });
  });
  open(link, "_blank", "noopener,popup,width=520,height=640");
}

async function verify(state, { api, notify }) {
  try {
    await api.invoke({ name: "signin/verifyState", value: { state } });
  } catch (error) {
    notify(error.message, "error");
  }
}
