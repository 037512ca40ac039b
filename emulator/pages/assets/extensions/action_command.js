import { html } from "/assets/libraries/htm.js";
import { Attachment } from "../cards/attachment.js";
import { list } from "../adaptive/values.js";
import { closeDialog, openDialog } from "../dialogs/dialog_store.js";
import { showTask } from "../dialogs/open_task.js";
import { theme } from "../dialogs/page_theme.js";
import { actionValue } from "./extension_invokes.js";
import { readExtensionResponse } from "./extension_response.js";
import { ParameterForm } from "./parameter_form.js";
import { SignInPrompt } from "./sign_in_prompt.js";

/**
 * Start an action command.
 *
 * @param {object} command of the manifest.
 * @param {string} place "compose", "commandBox" or "message".
 * @param {object} payload the message that the command was chosen on; undefined: none.
 */
export function startAction(command, place, context, payload = undefined) {
  if (command.fetchTask === false && list(command.parameters).length) {
    const submit = (typed) => submitFirst(command, place, context, payload, typed);
    return openDialog({
      title: command.title || command.id,
      width: 480,
      height: 320,
      body: ParameterForm,
      props: { command, submit },
    });
  }
  if (command.fetchTask === false) return submitFirst(command, place, context, payload, {});
  const flow = actionFlow(command, place, context, payload);
  return showTask(
    request("composeExtension/fetchTask", command, place, { payload, data: undefined }),
    flow,
  );
}

function submitFirst(command, place, context, payload, data) {
  const flow = actionFlow(command, place, context, payload);
  showTask(request("composeExtension/submitAction", command, place, { payload, data }), flow);
}

function request(name, command, place, rest) {
  // Manifests write commandBox, and activities commandbox.
  const commandContext = place.toLowerCase();
  return { name, value: actionValue(command, commandContext, { theme: theme(), ...rest }) };
}

function actionFlow(command, place, context, payload) {
  const flow = {
    submit: (data) => request("composeExtension/submitAction", command, place, { payload, data }),
    read: readExtensionResponse,
    done: (outcome) => take(outcome),
  };
  const take = (outcome) => {
    if (outcome.kind === "results")
      outcome.items.forEach(({ attachment }) => context.attach(attachment));
    if (outcome.kind === "preview") showPreview(outcome.activity);
    if (outcome.kind === "signIn" || outcome.kind === "configure") {
      const again = (state) =>
        showTask(request("composeExtension/fetchTask", command, place, { payload, state }), flow);
      openDialog({
        title: command.title || command.id,
        width: 480,
        height: 240,
        body: SignInPrompt,
        props: { outcome, again },
      });
    }
  };
  const showPreview = (preview) => {
    const answer = (previewAction) => {
      const rest = { payload, preview: [preview], previewAction };
      showTask(request("composeExtension/submitAction", command, place, rest), flow);
    };
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
