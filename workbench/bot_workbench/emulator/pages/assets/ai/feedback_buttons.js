import { html, useState } from "/assets/libraries/htm.js";
import { readStatus } from "../adaptive/execute_response.js";
import { answerTo, keepAnswer } from "../cards/kept_answers.js";
import { openDialog } from "../dialogs/dialog_store.js";
import { showTask } from "../dialogs/open_task.js";
import { Problem } from "../dialogs/problem.js";
import { readTaskResponse } from "../dialogs/task_response.js";
import { feedbackFormValue, feedbackLoop, feedbackValue } from "./message_entity.js";

const NAMES = { like: "Good response", dislike: "Bad response" };
/** Drawn for this page on a grid of 20 x 20. */
const THUMB = "M7 9l3-5.500c1.300 0 2 .9 1.700 2.200L11.200 8H16l-1.200 7H7zM3.500 9H7v6H3.500z";
const TURNED = { like: "", dislike: "rotate(180 10 10)" };

/** The buttons that ask the user what a message was like. */
export function FeedbackButtons({ activity, context }) {
  const loop = feedbackLoop(activity);
  const [reaction, setReaction] = useState(() => answerTo("feedback", activity));
  if (!loop) return null;
  const done = (chosen) => {
    keepAnswer("feedback", activity, chosen);
    setReaction(chosen);
    context.announce("Feedback was sent.");
  };
  const press = (chosen) =>
    loop === "custom" ? askBot(chosen, activity, done) : askHere(chosen, activity, done);
  return html`<div class="feedback" role="group" aria-label="Feedback">
    ${Object.keys(NAMES).map(
      (each) =>
        html`<button
          type="button"
          class="icon-button"
          aria-label=${NAMES[each]}
          title=${NAMES[each]}
          aria-pressed=${reaction === each}
          onClick=${() => press(each)}
        >
          <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
            <path d=${THUMB} transform=${TURNED[each]} />
          </svg>
        </button>`,
    )}
  </div>`;
}

/** The bot's own form. */
function askBot(reaction, activity, done) {
  const flow = {
    replyToId: activity.id,
    submit: (data) => ({ name: "message/submitAction", value: feedbackValue(reaction, data) }),
    read: ({ body }) => (body?.task ? readTaskResponse({ status: 200, body }) : { kind: "close" }),
    done: () => done(reaction),
  };
  showTask({ name: "message/fetchTask", value: feedbackFormValue(reaction) }, flow);
}

/** Teams' form. */
function askHere(reaction, activity, done) {
  openDialog({
    title: "Send feedback",
    width: 480,
    height: 280,
    body: FeedbackForm,
    props: { reaction, activity, done },
  });
}

function FeedbackForm({ context, close, reaction, activity, done }) {
  const [words, setWords] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    const failure = await sendFeedback(
      context,
      activity,
      feedbackValue(reaction, { feedbackText: words }),
    );
    setBusy(false);
    if (failure) return setProblem(failure);
    close();
    return done(reaction);
  };
  const question = reaction === "like" ? "What did you like?" : "What went wrong?";
  return html`<form onSubmit=${submit}>
    ${problem && html`<${Problem} problem=${problem} />`}
    <label class="label" for="feedback-text">${question}</label>
    <textarea
      id="feedback-text"
      class="field"
      rows="4"
      value=${words}
      onInput=${({ target }) => setWords(target.value)}
    ></textarea>
    <div class="dialog__buttons">
      <button type="button" class="button" onClick=${close}>Cancel</button>
      <button type="submit" class="button button--primary" disabled=${busy}>Submit</button>
    </div>
  </form>`;
}

async function sendFeedback(context, activity, value) {
  try {
    const response = await context.api.invoke({
      name: "message/submitAction",
      value,
      replyToId: activity.id,
    });
    return readStatus(response, "message/submitAction");
  } catch (error) {
    return { title: "The feedback could not be sent", detail: error.message };
  }
}
