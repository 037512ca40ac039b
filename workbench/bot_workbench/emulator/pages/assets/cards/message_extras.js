import { html } from "/assets/libraries/htm.js";
import { FeedbackButtons } from "../ai/feedback_buttons.js";
import { entityProblems } from "../ai/message_entity.js";
import { Streaming, Unfinished } from "../ai/streaming.js";
import { Problem } from "../dialogs/problem.js";

/** What stands below a message's text: feedback, and what Teams would refuse. */
export function MessageExtras({ item, context }) {
  const { activity, streaming } = item;
  if (streaming) return html`<${Streaming} activity=${activity} context=${context} />`;
  if (activity.type === "typing") return html`<${Unfinished} activity=${activity} />`;
  const problems = entityProblems(activity);
  return html`${
      problems.length > 0 &&
      html`<${Problem}
        problem=${{ title: "Teams refuses this message (400)", detail: problems.join(" ") }}
      />`
    } <${FeedbackButtons} activity=${activity} context=${context} />`;
}
