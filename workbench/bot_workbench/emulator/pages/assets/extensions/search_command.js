import { html, useEffect, useRef, useState } from "/assets/libraries/htm.js";
import { objects } from "../adaptive/values.js";
import { openDialog } from "../dialogs/dialog_store.js";
import { Problem } from "../dialogs/problem.js";
import { isAsked, PAGE_SIZE, queryValue } from "./extension_invokes.js";
import { askExtension } from "./extension_requests.js";
import { failed } from "./extension_response.js";
import { Parameter } from "./parameter_form.js";
import { SignInPrompt } from "./sign_in_prompt.js";

const PAUSE_MS = 300;

/** Open the search box of a search command. */
export function openSearch(command) {
  openDialog({
    title: command.title || command.id,
    width: 560,
    height: 520,
    body: SearchBox,
    props: { command },
  });
}

/** What is found for the words that are asked for last. */
function useResults(context, command) {
  const [state, setState] = useState({ kind: command.initialRun ? "loading" : "idle" });
  const [items, setItems] = useState([]);
  const [more, setMore] = useState(false);
  const latest = useRef(0);
  const ask = async (words, skip = 0, proof = undefined) => {
    latest.current += 1;
    const mine = latest.current;
    setState({ kind: "loading" });
    const value = queryValue(command, words, skip, proof);
    const outcome = await askExtension(context, { name: "composeExtension/query", value });
    // The user has typed on meanwhile.
    if (mine !== latest.current) return;
    setState(outcome);
    if (outcome.kind !== "results") return;
    setItems((before) => (skip ? [...before, ...outcome.items] : outcome.items));
    setMore(outcome.items.length >= PAGE_SIZE);
  };
  const clear = () => {
    latest.current += 1;
    setState({ kind: "idle" });
    setItems([]);
  };
  useEffect(() => {
    if (command.initialRun) ask({});
    return () => {
      latest.current += 1;
    };
  }, []);
  return { state, setState, items, more, ask, clear };
}

function SearchBox({ context, close, command }) {
  const [typed, setTyped] = useState({});
  const timer = useRef(0);
  const { state, setState, items, more, ask, clear } = useResults(context, command);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (name, value) => {
    const words = { ...typed, [name]: value };
    setTyped(words);
    clearTimeout(timer.current);
    if (isAsked(command, words)) timer.current = setTimeout(() => ask(words), PAUSE_MS);
    else clear();
  };
  const choose = async (item) => {
    const chosen = await selected(context, item);
    if (chosen.kind === "error") return setState(chosen);
    context.attach(chosen.attachment);
    return close();
  };
  return html`<search>
    ${objects(command.parameters).map(
      (parameter) =>
        html`<${Parameter}
          parameter=${parameter}
          value=${typed[parameter.name] ?? ""}
          change=${(value) => change(parameter.name, value)}
        />`,
    )}
    <${Outcome}
      state=${state}
      items=${items}
      again=${(proof) => ask(typed, 0, proof)}
      context=${context}
    />
    ${
      state.kind !== "error" &&
      html`<${Results} layout=${state.layout} items=${items} choose=${choose} />`
    }
    ${
      more &&
      state.kind === "results" &&
      html`<button type="button" class="button" onClick=${() => ask(typed, items.length)}>
        More results
      </button>`
    }
  </search>`;
}

function Outcome({ state, items, again, context }) {
  if (state.kind === "error") return html`<${Problem} problem=${state} />`;
  if (state.kind === "signIn" || state.kind === "configure")
    return html`<${SignInPrompt} outcome=${state} again=${again} context=${context} />`;
  const words = {
    idle: "Type to search.",
    loading: "Searching…",
    message: state.text,
    close: "The bot returned no results.",
    results:
      items.length === 1
        ? "1 result"
        : items.length
          ? `${items.length} results`
          : "No results found",
  };
  return html`<p class="search__state" role="status">${words[state.kind] ?? ""}</p>`;
}

function Results({ layout, items, choose }) {
  return html`<ul class=${`results results--${layout ?? "list"}`}>
    ${items.map(
      (item, index) =>
        html`<li key=${index}>
          <button type="button" class="result" onClick=${() => choose(item)}>
            ${
              item.preview.image &&
              html`<img src=${item.preview.image} alt=${item.preview.imageText} />`
            }
            <span class="result__texts">
              <strong>${item.preview.title}</strong>
              ${item.preview.text && html`<span>${item.preview.text}</span>`}
            </span>
          </button>
        </li>`,
    )}
  </ul>`;
}

/** What choosing a result gives: {attachment}. The bot is asked for it where the result says so. */
async function selected(context, { attachment, tap }) {
  if (tap.type !== "invoke") return { attachment };
  const sent = { name: "composeExtension/selectItem", value: tap.value };
  const outcome = await askExtension(context, sent);
  if (outcome.kind === "error") return outcome;
  if (outcome.kind !== "results")
    return failed(`composeExtension/selectItem needs a result; the bot returned ${outcome.kind}.`);
  const [first] = outcome.items;
  return first ?? failed("composeExtension.attachments is empty; Teams needs the card.");
}
