import { theme } from "./page_theme.js";
import { answerPage } from "./teams_js_host.js";

/**
 * Answer what a web page says through TeamsJS; returns what ends that.
 *
 * @param {() => Window | null} pageWindow the page's window.
 * @param {string} frameContext "task" for a dialog, "authentication" for a popup.
 * @param {(answer: object) => void} take gets each answer, see teams_js_host.js.
 */
export function hostPage(pageWindow, frameContext, context, take) {
  const onMessage = (event) => {
    if (!event.source || event.source !== pageWindow()) return;
    const answer = answerPage(event.data, { ...pageFacts(context), frameContext });
    if (!answer) return;
    if (answer.reply) reply(event, answer.reply);
    take(answer);
  };
  addEventListener("message", onMessage);
  return () => removeEventListener("message", onMessage);
}

function reply({ data, source, origin }, args) {
  const { id, uuidAsString } = data;
  source.postMessage({ id, uuidAsString, args }, origin === "null" ? "*" : origin);
}

function pageFacts({ user, conversation }) {
  return {
    theme: theme(),
    locale: navigator.language.toLowerCase(),
    userObjectId: user.aadObjectId,
    userPrincipalName: user.userPrincipalName,
    tenantId: user.tenantId,
    chatId: conversation.id,
    sessionId: conversation.id,
  };
}
