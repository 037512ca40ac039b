// Reads the root message entity: AI label, citations, sensitivity label. Source: Microsoft Learn,
// "Bot messages with AI-generated content".

import { isObject, list, object, objects, parsed, text, webUrl } from "../adaptive/values.js";

const ROOT = "https://schema.org/Message";
const MAX_CITATIONS = 20;

/** The entity, or an empty object. */
export function messageEntity(activity) {
  return object(objects(activity?.entities).find(({ type }) => type === ROOT));
}

/** Whether Teams shows "AI generated". */
export function isAiGenerated(activity) {
  return list(messageEntity(activity).additionalType).includes("AIGeneratedContent");
}

/** {name, description} of the sensitivity label, else null. */
export function sensitivity(entity) {
  const { name, description } = object(object(entity).usageInfo);
  return text(name) ? { name: text(name), description: text(description) } : null;
}

/** "high" | "urgent" | null. Source: `importance` of the Activity schema; Teams shows both. */
export function importance(activity) {
  const value = text(activity?.importance).toLowerCase();
  return value === "high" || value === "urgent" ? value : null;
}

/** A Map of the citations by position, each {position, name, url, abstract, keywords, icon, label,
 * card}. */
export function citations(activity) {
  const read = list(messageEntity(activity).citation)
    .slice(0, MAX_CITATIONS)
    .filter(isObject)
    .map(citation);
  return new Map(
    read.filter(({ position }) => Number.isInteger(position)).map((each) => [each.position, each]),
  );
}

/** What is wrong with the message's entities, one sentence each: Teams answers 400 for these. */
export function entityProblems(activity) {
  const problems = [];
  const words = text(activity.text);
  list(messageEntity(activity).citation).forEach((each, index) => {
    const { position, appearance } = object(each);
    if (!Number.isInteger(position))
      problems.push(`citation[${index}].position is not an integer.`);
    else if (!words.includes(`[${position}]`))
      problems.push(`The text has no [${position}], which citation[${index}] belongs to.`);
    for (const name of ["name", "abstract"]) {
      if (!text(object(appearance)[name]))
        problems.push(`citation[${index}].appearance.${name} is missing.`);
    }
  });
  return problems;
}

function citation({ position, appearance }) {
  const shown = object(appearance);
  const card = parsed(shown.text);
  return {
    position,
    name: text(shown.name).slice(0, 80),
    url: webUrl(shown.url),
    abstract: text(shown.abstract).slice(0, 160),
    keywords: list(shown.keywords).map(text).filter(Boolean).slice(0, 3),
    icon: text(object(shown.image).name),
    label: sensitivity(shown),
    card: isObject(card) && card.type === "AdaptiveCard" ? card : null,
  };
}

/** The text, split at the marks of known citations: strings, and positions ([1] as 1). */
export function splitAtCitations(words, known) {
  const parts = [];
  let end = 0;
  for (const found of words.matchAll(/\[(\d{1,3})\]/g)) {
    const position = Number(found[1]);
    if (!known.has(position)) continue;
    if (found.index > end) parts.push(words.slice(end, found.index));
    parts.push(position);
    end = found.index + found[0].length;
  }
  if (end < words.length) parts.push(words.slice(end));
  return parts;
}

/** "default" | "custom" | null: which feedback buttons the message has. */
export function feedbackLoop(activity) {
  const { feedbackLoop: loop, feedbackLoopEnabled } = object(activity?.channelData);
  if (isObject(loop)) return loop.type === "custom" ? "custom" : "default";
  return feedbackLoopEnabled === true ? "default" : null;
}

/** The value of the invoke message/submitAction. Teams sends what the user wrote as JSON text. */
export function feedbackValue(reaction, feedback) {
  return { actionName: "feedback", actionValue: { reaction, feedback: JSON.stringify(feedback) } };
}

/** The value of the invoke message/fetchTask, for a form of the bot's own. */
export function feedbackFormValue(reaction) {
  return {
    data: { actionName: "feedback", actionValue: { reaction } },
    actionName: "feedback",
    actionValue: { reaction },
  };
}
