// What message extensions ask the bot.

import { readStatus } from "../adaptive/execute_response.js";
import { userToken } from "../cards/sign_in_card.js";
import { readExtensionResponse } from "./extension_response.js";

/**
 * The bot's response to a search or a link, as extension_response.js has it. With single sign-on, a
 * bot that asks for a silent sign-in gets the request again with the user's token.
 */
export async function askExtension(context, { name, value }) {
  try {
    const outcome = read(await context.api.invoke({ name, value }), name);
    const token = outcome.silent ? await userToken(resource(context), context) : null;
    if (!token) return outcome;
    const authentication = { token };
    const again = await context.api.invoke({ name, value: { ...value, authentication } });
    // 412: the bot does not take the token, so the user has to sign in.
    return again.status === 412 ? outcome : read(again, name);
  } catch (error) {
    return { kind: "error", title: "The request could not be sent", detail: error.message };
  }
}

function read(response, name) {
  return readStatus(response, name) ?? readExtensionResponse(response);
}

/** What the token is for. Teams reads it from the manifest's webApplicationInfo. */
function resource({ bot }) {
  return `api://botid-${bot.id.replace(/^28:/, "")}`;
}
