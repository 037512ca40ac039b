import { html } from "/assets/libraries/htm.js";
import { object } from "../adaptive/values.js";
import { startAction } from "../extensions/action_command.js";
import { actionCommands, extensionCommands } from "../extensions/app_commands.js";
import { openFreeForm } from "../extensions/free_form.js";
import { openSettings } from "../extensions/extension_settings.js";
import { useApp } from "../extensions/known_app.js";
import { openSearch } from "../extensions/search_command.js";
import { Icon } from "../shared/icons.js";
import { MenuButton } from "../shared/menu.js";

/** Buttons of the composer's tool row: the app's message extensions. */
export function ComposerTools({ context }) {
  const app = useApp(context);
  const searches = extensionCommands(app, "query").map((command) =>
    entry(command, () => openSearch(command)),
  );
  const actions = actionCommands(app, "compose").map((command) =>
    entry(command, () => startAction(command, "compose", context)),
  );
  const items = [
    { title: "Message extensions" },
    ...searches,
    ...actions,
    ...(searches.length + actions.length ? [{ line: true }] : []),
    { key: "free", label: "Another command…", run: () => openFreeForm() },
    ...(object(app).canUpdateConfiguration
      ? [{ key: "settings", label: "Settings", run: () => openSettings() }]
      : []),
  ];
  const button = { label: "Message extensions", content: html`<${Icon} name="bolt" />` };
  return html`<${MenuButton} button=${button} items=${items} />`;
}

function entry(command, run) {
  return { key: `${command.type}-${command.id}`, label: command.title || command.id, run };
}
