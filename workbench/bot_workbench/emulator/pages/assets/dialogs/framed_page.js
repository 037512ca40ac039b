import { html, useLayoutEffect, useRef } from "/assets/libraries/htm.js";
import { hostPage } from "./hosted_page.js";
import { dialogSize } from "./task_response.js";

/**
 * A web page in a dialog, which can end the dialog through TeamsJS. The page cannot reach this one:
 * it has another origin, or none of its own where the origins are the same.
 */
export function FramedPage({ url, title, submit, close, context, fail, frame }) {
  const element = useRef(null);
  const take = ({ failed, resized, submitted }) => {
    if (failed) fail({ title: "The page in the dialog reported a failure", detail: failed });
    if (resized) frame(dialogSize(resized));
    if (submitted) submitted.result === undefined ? close() : submit(submitted.result);
  };
  const pageWindow = () => element.current?.contentWindow;
  // The framed page may post messages before the chat page is painted.
  useLayoutEffect(() => hostPage(pageWindow, "task", context, take), []);
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
