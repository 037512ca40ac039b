import { openTask } from "../dialogs/open_task.js";
import { openUrl, submitEffect } from "./card_effects.js";
import { readStatus } from "./execute_response.js";
import { isUser } from "./values.js";

/**
 * Does what pressing a button does, see card_effects.js.
 *
 * @param {object} effect
 * @param {{activity, context}} from the message with the button.
 */
export async function runEffect(effect, { activity, context }) {
  const replyToId = activity?.id;
  if (effect.do === "explain") context.notify(`${effect.title}: ${effect.detail}`, "error");
  else if (effect.do === "open") context.openUrl(effect.url);
  else if (effect.do === "signIn") context.signIn(effect.url);
  else if (effect.do === "send") context.send({ ...effect.activity, replyToId }, effect.shown);
  else if (effect.do === "dialog") openTask(effect.value, replyToId);
  else await sendInvoke(effect, replyToId, context);
}

/** Does what a button of an Adaptive Card does, except Action.Execute. */
export function runCardAction(action, from) {
  const effect =
    action.type === "Action.OpenUrl"
      ? openUrl(action.url)
      : submitEffect(action.data, isUser(from.activity.from));
  return runEffect(effect, from);
}

async function sendInvoke({ name, value }, replyToId, context) {
  const response = await context.api.invoke({ name, value, replyToId });
  const failure = readStatus(response, name ?? "this button's invoke");
  if (failure) context.notify(`${failure.title}. ${failure.detail}`, "error", response.turn);
}
