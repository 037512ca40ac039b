/** Who a tab is: kept in its sessionStorage, so that a reload changes nothing. */

const KEY = "local-chat.session";

/**
 * What the tab kept: `{user?, conversation?, singleSignOn?}`, the first two as the server sent
 * them.
 *
 * @param {Storage} storage the tab's sessionStorage.
 */
export function keptSession(storage) {
  try {
    const { user, conversation, singleSignOn } = JSON.parse(storage.getItem(KEY) ?? "{}");
    return {
      user: isIdentified(user) ? user : undefined,
      conversation: isIdentified(conversation) ? conversation : undefined,
      singleSignOn: singleSignOn === true,
    };
  } catch {
    return {};
  }
}

/** Keep a session; a browser that refuses storage starts anew with each load. */
export function keepSession(storage, session) {
  try {
    storage.setItem(KEY, JSON.stringify(session));
  } catch {
    // Then a reload starts a new session.
  }
}

function isIdentified(value) {
  return typeof value === "object" && value !== null && typeof value.id === "string";
}
