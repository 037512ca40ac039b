import { html, useEffect, useState } from "/assets/libraries/htm.js";
import { runEffect } from "../adaptive/card_actions.js";
import { cardActionEffect } from "../adaptive/card_effects.js";
import { object, objects, text } from "../adaptive/values.js";
import { answerTo, keepAnswer } from "./kept_answers.js";

/** A card that asks the user to sign in. With single sign-on, the page first offers a token. */
export function SignInCard({ attachment, activity, context }) {
  const content = object(attachment.content);
  const [state, setState] = useState(() =>
    mayOffer(content, activity, context) ? "offering" : "asking",
  );
  useEffect(() => {
    if (state !== "offering") return;
    keepAnswer("token", activity, "offered");
    offerToken(content, context).then((accepted) => setState(accepted ? "accepted" : "asking"));
  }, []);
  if (state === "offering") return html`<p class="quiet" role="status">Signing in…</p>`;
  if (state === "accepted") return html`<p class="quiet">You are signed in (single sign-on).</p>`;
  const press = (button) =>
    runEffect(cardActionEffect({ ...button, type: "signin" }), { activity, context });
  return html`<article class="card card--classic">
    <p>${text(content.text) || "Please sign in."}</p>
    <div class="card__buttons">
      ${objects(content.buttons).map(
        (button) =>
          html`<button
            type="button"
            class="button button--primary button--small"
            onClick=${() => press(button)}
          >
            ${text(button.title) || "Sign in"}
          </button>`,
      )}
    </div>
  </article>`;
}

/** The user's token for the bot, as Teams has one; null if single sign-on is off or impossible. */
export async function userToken(uri, { user, singleSignOn }) {
  if (!singleSignOn || !uri) return null;
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ resource: uri, user: { id: user.id, name: user.name } });
  const response = await fetch("/api/sso/token", { method: "POST", headers, body });
  return response.ok ? (await response.json()).token : null;
}

/** Whether the bot has taken a token. */
async function offerToken(content, context) {
  try {
    const { id, uri } = object(content.tokenExchangeResource);
    const token = await userToken(uri, context);
    if (!token) return false;
    const value = { id, connectionName: content.connectionName, token };
    const { status } = await context.api.invoke({ name: "signin/tokenExchange", value });
    return status >= 200 && status < 300;
  } catch {
    return false;
  }
}

function mayOffer(content, activity, { singleSignOn }) {
  const { uri } = object(content.tokenExchangeResource);
  return Boolean(singleSignOn && uri && !answerTo("token", activity));
}
