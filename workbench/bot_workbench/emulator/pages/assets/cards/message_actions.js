import { manualRefresh } from "../adaptive/card_mentions.js";
import { refreshCard } from "../adaptive/card_views.js";
import { list, object } from "../adaptive/values.js";
import { startAction } from "../extensions/action_command.js";
import { actionCommands } from "../extensions/app_commands.js";
import { messagePayload } from "../extensions/extension_invokes.js";
import { knownApp } from "../extensions/known_app.js";

const CARD = "application/vnd.microsoft.card.adaptive";

/** More entries of a message's menu: `{key, label, run}`. */
export function messageActions(activity, context) {
  const cards = list(activity.attachments).map(object);
  const refreshes = cards.flatMap(({ contentType, content }, index) =>
    contentType === CARD && manualRefresh(content)
      ? [
          {
            key: `refresh-${index}`,
            label: "Refresh card",
            run: () => refreshCard(activity, index),
          },
        ]
      : [],
  );
  const commands = actionCommands(knownApp(context), "message").map((command) => ({
    key: `extension-${command.id}`,
    label: command.title || command.id,
    run: () =>
      startAction(command, "message", context, messagePayload(activity, context.conversation)),
  }));
  return [...refreshes, ...commands];
}
