import { html, useEffect, useState } from "/assets/libraries/htm.js";
import { AdaptiveCard } from "../adaptive/adaptive_card.js";
import { openUrl } from "../adaptive/card_effects.js";
import { readStatus } from "../adaptive/execute_response.js";
import { searchChoices } from "../adaptive/card_requests.js";
import { openDialog } from "./dialog_store.js";
import { FramedPage } from "./framed_page.js";
import { theme } from "./page_theme.js";
import { Problem } from "./problem.js";
import { dialogContext, dialogSize, otherBot, readTaskResponse } from "./task_response.js";

/**
 * What a dialog does.
 *
 * @typedef {object} Flow
 * @property {string} replyToId the message with the button; undefined: none.
 * @property {(data) => {name, value}} submit the invoke with what the user has entered.
 * @property {(response) => object} read the response, as task_response.js has it.
 * @property {(outcome, sent) => void} done takes an outcome that ends the dialog, and the invoke,
 *   {name, value}, that it answers.
 */

/** Open the dialog that a card's button asks the bot for. */
export function openTask(value, replyToId) {
  const shared = () => ({ context: dialogContext(theme()) });
  const flow = {
    replyToId,
    submit: (data) => ({ name: "task/submit", value: { data, ...shared() } }),
    read: readTaskResponse,
    done: () => {},
  };
  showTask({ name: "task/fetch", value: { ...value, ...shared() } }, flow);
}

/** Open a dialog with the response to an invoke, or with `first`, an outcome that is known. */
export function showTask(invoke, flow, first = null) {
  const size = first?.dialog ?? dialogSize({ width: "medium", height: "small" });
  const title = first?.dialog?.title ?? "";
  openDialog({
    title,
    width: size.width,
    height: size.height,
    body: TaskBody,
    props: { invoke, flow, first },
  });
}

function TaskBody({ context, close, frame, invoke, flow, first }) {
  const [shown, setShown] = useState(first ?? { kind: "loading" });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(first?.kind === "error" ? first : null);
  const take = (outcome, sent) => {
    if (outcome.kind === "error") return setProblem(outcome);
    if (outcome.kind === "dialog") frame(outcome.dialog);
    if (outcome.kind === "dialog" || outcome.kind === "message") return setShown(outcome);
    close();
    return flow.done(outcome, sent);
  };
  const send = async ({ name, value }) => {
    setBusy(true);
    setProblem(null);
    try {
      const response = await context.api.invoke({ name, value, replyToId: flow.replyToId });
      take(readStatus(response, name) ?? flow.read(response), { name, value });
    } catch (error) {
      setProblem({ title: "The dialog's request failed", detail: error.message });
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (!first) send(invoke);
  }, []);
  const submit = (data) => {
    const other = otherBot(shown.dialog, context.bot);
    return other ? setProblem(other) : send(flow.submit(data));
  };
  return html`${problem && html`<${Problem} problem=${problem} />`}
  ${
    shown.kind === "loading" &&
    !problem &&
    html`<p class="task__loading" role="status">Loading…</p>`
  }
  ${shown.kind === "message" && html`<${Message} text=${shown.text} close=${close} />`}
  ${
    shown.kind === "dialog" &&
    html`<${TaskContent}
      dialog=${shown.dialog}
      busy=${busy}
      submit=${submit}
      close=${close}
      context=${context}
      fail=${setProblem}
      frame=${frame}
    />`
  }`;
}

function TaskContent({ dialog, busy, submit, close, context, fail, frame }) {
  if (dialog.url) {
    return html`<${FramedPage}
      url=${dialog.url}
      title=${dialog.title}
      submit=${submit}
      close=${close}
      context=${context}
      fail=${fail}
      frame=${frame}
    />`;
  }
  const onAction = (action) => {
    if (action.type !== "Action.OpenUrl") return submit(action.data);
    const effect = openUrl(action.url);
    return effect.do === "open" ? context.openUrl(effect.url) : fail(effect);
  };
  const onSearch = (query) => searchChoices(query, { context });
  return html`<${AdaptiveCard}
    card=${dialog.card}
    busy=${busy}
    onAction=${onAction}
    onSearch=${onSearch}
    openUrl=${context.openUrl}
  />`;
}

function Message({ text, close }) {
  return html`<p class="task__message" role="status">${text}</p>
    <div class="dialog__buttons">
      <button type="button" class="button button--primary" onClick=${close}>OK</button>
    </div>`;
}
