import { html, useEffect, useState } from "/assets/libraries/htm.js";
import { closeDialog, openDialog } from "../dialogs/dialog_store.js";
import { Problem } from "../dialogs/problem.js";
import { unfurledLink } from "../extensions/app_commands.js";
import { linkValue } from "../extensions/extension_invokes.js";
import { askExtension } from "../extensions/extension_requests.js";
import { useApp } from "../extensions/known_app.js";
import { SignInPrompt } from "../extensions/sign_in_prompt.js";

const PAUSE_MS = 400;

/** Cards for a link in what is typed, of the domains that the app handles (link unfurling). */
export function LinkPreviews({ text, context }) {
  const app = useApp(context);
  const link = unfurledLink(app, text);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    setProblem(null);
    if (!link) return undefined;
    const timer = setTimeout(() => unfurl(context, link, setProblem), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [link]);
  return problem && html`<${Problem} problem=${problem} />`;
}

async function unfurl(context, link, fail, state = undefined) {
  const sent = { name: "composeExtension/queryLink", value: linkValue(link, state) };
  const outcome = await askExtension(context, sent);
  if (outcome.kind === "error") fail(outcome);
  if (outcome.kind === "results")
    outcome.items.slice(0, 1).forEach(({ attachment }) => context.attach(attachment));
  if (outcome.kind === "signIn") askSignIn(context, link, fail, outcome);
}

function askSignIn(context, link, fail, outcome) {
  const again = (state) => {
    closeDialog();
    unfurl(context, link, fail, state);
  };
  openDialog({
    title: "Show a preview of the link",
    width: 480,
    height: 240,
    body: SignInPrompt,
    props: { outcome, again },
  });
}
