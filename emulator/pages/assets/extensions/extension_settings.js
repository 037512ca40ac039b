import { readStatus } from "../adaptive/execute_response.js";
import { dialogSize } from "../dialogs/task_response.js";
import { showTask } from "../dialogs/open_task.js";
import { readExtensionResponse } from "./extension_response.js";

/** Show the extension's settings page; what it submits goes to the bot as composeExtension/setting. */
export function openSettings(context) {
  const flow = {
    submit: (state) => ({ name: "composeExtension/setting", value: { state } }),
    read: (response) => readSettingsResponse(response),
    done: () => {},
  };
  showTask({ name: "composeExtension/querySettingUrl", value: {} }, flow);
}

function readSettingsResponse(response) {
  const outcome =
    readStatus(response, "composeExtension/querySettingUrl") ?? readExtensionResponse(response);
  if (outcome.kind !== "configure") return outcome;
  const size = dialogSize({ width: "medium", height: "medium" });
  return { kind: "dialog", dialog: { title: outcome.title, url: outcome.url, ...size } };
}
