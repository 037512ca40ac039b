import { openDialog } from "../dialogs/dialog_store.js";
import { showTask } from "../dialogs/open_task.js";
import { readExtensionResponse } from "./extension_response.js";
import { SignInPrompt } from "./sign_in_prompt.js";

/** Open the extension's settings page; the bot gets what it returns as composeExtension/setting. */
export function openSettings() {
  showTask(
    { name: "composeExtension/querySettingUrl", value: {} },
    { read: readExtensionResponse, done: askUser },
  );
}

function askUser(outcome) {
  if (outcome.kind !== "configure") return;
  const again = (state) =>
    showTask(
      { name: "composeExtension/setting", value: { state } },
      { read: readExtensionResponse, done: () => {} },
    );
  openDialog({
    title: outcome.title,
    width: 480,
    height: 240,
    body: SignInPrompt,
    props: { outcome, again },
  });
}
