// What cards ask the bot.

import { executeValue } from "./card_effects.js";
import { readChoices, searchValue } from "./choice_search.js";
import { readExecuteResponse } from "./execute_response.js";

/** Sends an Action.Execute; returns what readExecuteResponse does. `proof`: {state} or
 * {authentication}, of a user who has signed in. */
export async function sendExecute(action, trigger, { activity, context }, proof = {}) {
  const value = { ...executeValue(action, trigger), ...proof };
  const sent = { name: "adaptiveCard/action", value, replyToId: activity?.id };
  return readExecuteResponse(await context.api.invoke(sent));
}

/** The choices that the bot finds for a choice set. */
export async function searchChoices(query, { activity, context }) {
  const sent = { name: "application/search", value: searchValue(query), replyToId: activity?.id };
  return readChoices(await context.api.invoke(sent));
}
