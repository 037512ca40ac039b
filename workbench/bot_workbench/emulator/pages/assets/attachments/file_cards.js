import { html, useState } from "/assets/libraries/htm.js";
import { readStatus } from "../adaptive/execute_response.js";
import { text } from "../adaptive/values.js";
import { answerTo, keepAnswer } from "../cards/kept_answers.js";
import { Problem } from "../dialogs/problem.js";
import { Icon } from "../shared/icons.js";
import { consentFacts, consentProblem, consentValue, fileAddress } from "./file_values.js";

/** The bot asks whether it may put a file into the user's OneDrive. Teams asks once. */
export function FileConsentCard({ attachment, activity, context }) {
  const question = `file ${text(attachment.name)}`;
  const [answer, setAnswer] = useState(() => answerTo(question, activity));
  const [problem, setProblem] = useState(null);
  const { description, size } = consentFacts(attachment.content);
  const wrong = consentProblem(attachment);
  const reply = async (action) => {
    setAnswer("sending");
    setProblem(null);
    const value = consentValue(action, attachment);
    const failure = await sent(context, value, activity.id);
    setProblem(failure);
    if (!failure) keepAnswer(question, activity, action);
    setAnswer(failure ? null : action);
  };
  return html`<article class="card card--file">
    <p class="card__file">
      <${Icon} name="file" /><span><strong>${text(attachment.name)}</strong> ${size}</span>
    </p>
    ${description && html`<p>${description}</p>`}
    ${
      wrong &&
      html`<${Problem} problem=${{ title: "Teams does not show this card", detail: wrong }} />`
    }
    ${problem && html`<${Problem} problem=${problem} />`}
    <${Consent} answer=${answer} reply=${reply} name=${text(attachment.name)} />
  </article>`;
}

function Consent({ answer, reply, name }) {
  if (answer === "accept") return html`<p role="status">You allowed the file.</p>`;
  if (answer === "decline") return html`<p role="status">You declined the file.</p>`;
  const busy = answer === "sending";
  return html`<div class="card__buttons">
    <button
      type="button"
      class="button button--primary button--small"
      disabled=${busy}
      aria-label=${`Allow ${name}`}
      onClick=${() => reply("accept")}
    >
      Allow
    </button>
    <button
      type="button"
      class="button button--small"
      disabled=${busy}
      aria-label=${`Decline ${name}`}
      onClick=${() => reply("decline")}
    >
      Decline
    </button>
  </div>`;
}

async function sent(context, value, replyToId) {
  try {
    const response = await context.api.invoke({ name: "fileConsent/invoke", value, replyToId });
    return readStatus(response, "fileConsent/invoke");
  } catch (error) {
    return { title: "The answer could not be sent", detail: error.message };
  }
}

/** A file that the bot has uploaded, or that a user has sent. */
export function FileCard({ attachment }) {
  const address = fileAddress(attachment);
  const name = text(attachment.name) || "File";
  if (!address)
    return html`<${Problem}
      problem=${{ title: name, detail: "The file has no http(s) address." }}
    />`;
  return html`<a
    class="card card--file card__file"
    href=${address}
    download=${name}
    target="_blank"
    rel="noopener noreferrer"
  >
    <${Icon} name="file" /><span
      ><strong>${name}</strong><span class="visually-hidden">, download</span></span
    >
  </a>`;
}
