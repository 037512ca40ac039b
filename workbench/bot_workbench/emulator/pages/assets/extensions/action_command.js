import { html } from "/assets/libraries/htm.js";
import { Attachment } from "../cards/attachment.js";
import { list, object } from "../adaptive/values.js";
import { closeDialog, openDialog } from "../dialogs/dialog_store.js";
import { showTask } from "../dialogs/open_task.js";
import { theme } from "../dialogs/page_theme.js";
import { readTask } from "../dialogs/task_response.js";
import { actionValue } from "./extension_invokes.js";
import { readExtensionResponse } from "./extension_response.js";
import { ParameterForm } from "./parameter_form.js";
import { SignInPrompt } from "./sign_in_prompt.js";

/**
 * Start an action command: with the bot's dialog, or with the manifest's page or parameters.
 *
 * @param {object} command of the manifest.
 * @param {string} place "compose" or "message".
 * @param {object} payload the message that the command was chosen on; undefined: none.
 */
export function startAction(command, place, context, payload = undefined) {
  const request = (name, rest = {}) => ({
    name: `composeExtension/${name}`,
    value: actionValue(command, place, { theme: theme(), payload, ...rest }),
  });
  const flow = actionFlow(command, context, request);
  const submit = (data) => showTask(flow.submit(data), flow);
  if (command.fetchTask) return showTask(request("fetchTask"), flow);
  if (object(command.taskInfo).url)
    return showTask(null, flow, readTask({ type: "continue", value: command.taskInfo }));
  if (!list(command.parameters).length) return submit({});
  return openDialog({
    title: command.title || command.id,
    width: 480,
    height: 320,
    body: ParameterForm,
    props: { command, submit },
  });
}

function actionFlow(command, context, request) {
  const submit = (data) => request("submitAction", { data });
  const take = (outcome, sent) => {
    if (outcome.kind === "results")
      outcome.items.forEach(({ attachment }) => context.attach(attachment));
    if (outcome.kind === "preview") showPreview(outcome.activity);
    if (outcome.kind === "signIn" || outcome.kind === "configure") {
      const again = (state) => showTask({ name: sent.name, value: { ...sent.value, state } }, flow);
      openDialog({
        title: command.title || command.id,
        width: 480,
        height: 240,
        body: SignInPrompt,
        props: { outcome, again },
      });
    }
  };
  const flow = { submit, read: readExtensionResponse, done: take };
  const showPreview = (preview) => {
    const answer = (previewAction) =>
      showTask(request("submitAction", { preview: [preview], previewAction }), flow);
    openDialog({
      title: "Preview",
      width: 600,
      height: 400,
      body: BotMessagePreview,
      props: { preview, answer },
    });
  };
  return flow;
}

function BotMessagePreview({ context, preview, answer }) {
  return html`<p>The bot will send this message.</p>
    ${list(preview.attachments).map(
      (attachment) =>
        html`<${Attachment} attachment=${attachment} activity=${preview} context=${context} />`,
    )}
    <div class="dialog__buttons">
      <button type="button" class="button" onClick=${closeDialog}>Cancel</button>
      <button type="button" class="button" onClick=${() => answer("edit")}>Edit</button>
      <button type="button" class="button button--primary" onClick=${() => answer("send")}>
        Send
      </button>
    </div>`;
}
