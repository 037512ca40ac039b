// Choices that a bot finds while the user types. Source: Microsoft Learn, "Typeahead search in
// Adaptive Cards".

import { isObject, kindOf, object, text } from "./values.js";
import { readStatus } from "./execute_response.js";

const RESPONSE = "application/vnd.microsoft.search.searchResponse";
const MAX_CHOICES = 15;

/** The value of the invoke application/search. */
export function searchValue({ dataset, text: words, count, skip }) {
  return {
    queryText: words,
    queryOptions: { skip: skip ?? 0, top: count ?? MAX_CHOICES },
    dataset,
  };
}

/**
 * The choices, {title, value} each; Teams shows 15.
 *
 * Throws an Error whose message says what is wrong with the response.
 */
export function readChoices({ status, body }) {
  const failure = readStatus({ status, body }, "application/search");
  if (failure) throw new Error(`${failure.title}. ${failure.detail}`);
  const { statusCode, type, value } = object(body);
  if (typeof statusCode === "number" && statusCode >= 300)
    throw new Error(`The bot answered ${statusCode}: ${text(object(value).message)}`);
  if (type !== RESPONSE)
    throw new Error(`The response's type is ${kindOf(type)}; Teams needs ${RESPONSE}.`);
  const { results } = object(value);
  if (!Array.isArray(results))
    throw new Error(`value.results is ${kindOf(results)}; Teams needs a list.`);
  return results
    .filter(isObject)
    .slice(0, MAX_CHOICES)
    .map((each) => ({ title: text(each.title), value: text(each.value) }));
}
