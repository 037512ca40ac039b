import { html, useEffect, useRef } from "/assets/libraries/htm.js";
import { theme } from "./page_theme.js";
import { answerPage } from "./teams_js_host.js";
import { dialogSize } from "./task_response.js";

/**
 * A web page in a dialog, which can end the dialog through TeamsJS. The page cannot reach this one: it
 * has another origin, or none of its own where the addresses are alike.
 */
export function FramedPage({ url, title, submit, close, context, fail, frame }) {
  const element = useRef(null);
  useEffect(() => {
    const onMessage = (event) => {
      if (event.source !== element.current?.contentWindow) return;
      const answer = answerPage(event.data, pageFacts(context));
      if (!answer) return;
      if (answer.reply) reply(event, answer.reply);
      if (answer.failed)
        fail({ title: "The page in the dialog reported a failure", detail: answer.failed });
      if (answer.resized) frame(dialogSize(answer.resized));
      if (answer.submitted)
        answer.submitted.result === undefined ? close() : submit(answer.submitted.result);
    };
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, []);
  return html`<iframe
    ref=${element}
    class="task__page"
    src=${url}
    title=${title || "The bot's page"}
    sandbox=${sandbox(url)}
    referrerpolicy="no-referrer"
  ></iframe>`;
}

function sandbox(url) {
  const rights = "allow-forms allow-popups allow-popups-to-escape-sandbox allow-scripts";
  return new URL(url).origin === location.origin ? rights : `${rights} allow-same-origin`;
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
