import { html, useEffect, useLayoutEffect, useState } from "/assets/libraries/htm.js";
import { Problem } from "../dialogs/problem.js";
import { userToken } from "../cards/sign_in_card.js";
import { AdaptiveCard } from "./adaptive_card.js";
import { runCardAction } from "./card_actions.js";
import { automaticRefresh, isFullWidth, manualRefresh } from "./card_mentions.js";
import { searchChoices, sendExecute } from "./card_requests.js";
import { isFirstShown, onRefresh, replaceView, viewOf } from "./card_views.js";
import { object, objects, text } from "./values.js";

/** An Adaptive Card of a message, with what pressing its buttons shows. */
export function MessageCard({ card: sent, activity, index, context }) {
  const from = { activity, context };
  const [, redraw] = useState(0);
  const [busy, setBusy] = useState(false);
  const [shown, show] = useState(null);
  const card = viewOf(activity, index, sent);
  const take = async (outcome, retry) => {
    if (outcome.kind === "signIn") return signIn(outcome.card, retry);
    if (outcome.kind === "card") {
      replaceView(activity, index, sent, outcome.card);
      redraw((count) => count + 1);
      return show(null);
    }
    return show(outcome);
  };
  const signIn = async (oauthCard, retry) => {
    const { id, uri } = object(oauthCard.tokenExchangeResource);
    const token = await userToken(uri, context);
    if (!token) return show({ kind: "signIn", card: oauthCard, retry });
    const { connectionName } = oauthCard;
    const outcome = await retry({ authentication: { id, connectionName, token } });
    // 412: the bot does not take the token, so the user has to sign in.
    if (outcome.kind === "again" || outcome.kind === "signIn")
      return show({ kind: "signIn", card: oauthCard, retry });
    return take(outcome, retry);
  };
  const execute = async (action, trigger) => {
    const send = (proof) => sendExecute(action, trigger, from, proof);
    setBusy(true);
    try {
      await take(await send(), send);
    } catch (error) {
      show({ kind: "error", title: "The action could not be sent", detail: error.message });
    } finally {
      setBusy(false);
    }
  };
  const refresh = () => execute(manualRefresh(card), "manual");
  useLayoutEffect(() => onRefresh(activity, index, refresh));
  useEffect(() => {
    const action = automaticRefresh(sent, context.user.id);
    if (action && isFirstShown(activity, index, sent)) execute(action, "automatic");
  }, [JSON.stringify(sent)]);
  const onAction = (action) =>
    action.type === "Action.Execute" ? execute(action, "manual") : runCardAction(action, from);
  const signedIn = (code) =>
    shown.retry({ state: code }).then((outcome) => take(outcome, shown.retry));
  return html`<div class=${isFullWidth(card) ? "card-place card-place--full" : "card-place"}>
    <${AdaptiveCard}
      card=${card}
      busy=${busy}
      onAction=${onAction}
      onSearch=${(query) => searchChoices(query, from)}
      openUrl=${context.openUrl}
    />
    ${shown && html`<${Outcome} outcome=${shown} context=${context} signedIn=${signedIn} />`}
  </div>`;
}

function Outcome({ outcome, context, signedIn }) {
  if (outcome.kind === "signIn") {
    const button = objects(outcome.card.buttons).find(({ value }) => text(value));
    return html`<div class="card__outcome" role="status">
      <p>${text(outcome.card.text) || "Please sign in."}</p>
      ${
        button
          ? html`<button
              type="button"
              class="button button--primary button--small"
              onClick=${() => context.signIn(button.value, signedIn)}
            >
              ${text(button.title) || "Sign in"}
            </button>`
          : html`<p>The bot's sign-in card has no button with an address.</p>`
      }
    </div>`;
  }
  if (outcome.kind === "message")
    return html`<p class="card__outcome" role="status">${outcome.text}</p>`;
  const title =
    outcome.kind === "again" ? "The bot did not accept the sign-in (412)" : outcome.title;
  return html`<${Problem} problem=${{ title, detail: outcome.detail }} />`;
}
