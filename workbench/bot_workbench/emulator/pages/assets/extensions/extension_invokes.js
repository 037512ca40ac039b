// The values of the invokes that message extensions get. Source: Microsoft Learn, "Search command",
// "Action commands", "Link unfurling" and the Activity schema's samples there.

import { isUser, list, object, text } from "../adaptive/values.js";
import { dialogContext } from "../dialogs/task_response.js";

export const PAGE_SIZE = 25;

/** Whether Teams asks the bot: for what is typed, and before that if the manifest says so. */
export function isAsked(command, typed) {
  return command.initialRun === true || Object.values(typed).some((each) => text(each));
}

/** composeExtension/query. Before the user has typed anything, Teams sends `initialRun`. */
export function queryValue(command, typed, skip, state) {
  const parameters = list(command.parameters);
  const filled = parameters.filter(({ name }) => text(typed[name]));
  const sent = filled.length
    ? filled.map(({ name }) => ({ name, value: text(typed[name]) }))
    : [{ name: "initialRun", value: "true" }];
  const value = {
    commandId: command.id,
    parameters: sent,
    queryOptions: { skip, count: PAGE_SIZE },
  };
  return state === undefined ? value : { ...value, state };
}

/**
 * composeExtension/fetchTask and submitAction. `place` is "compose" or "message"; with "message",
 * `payload` is that message as Teams describes it.
 */
export function actionValue(
  command,
  place,
  { data, payload, theme, preview, previewAction, state },
) {
  return withoutUndefined({
    data,
    state,
    context: dialogContext(theme),
    commandId: command.id,
    commandContext: place,
    botMessagePreviewAction: previewAction,
    botActivityPreview: preview,
    messagePayload: payload,
  });
}

/** composeExtension/queryLink. */
export function linkValue(url, state) {
  return withoutUndefined({ url, state });
}

/** The message, as `messagePayload` of "Respond to the initial invoke" describes it. */
export function messagePayload(activity, conversation) {
  const {
    id,
    text: words,
    textFormat,
    timestamp,
    from,
    attachments,
    entities,
    importance,
  } = activity;
  const person = object(from);
  const displayName = person.name;
  const identity = isUser(person)
    ? { user: { userIdentityType: "aadUser", id: person.aadObjectId, displayName } }
    : {
        application: {
          applicationIdentityType: "bot",
          id: text(person.id).replace(/^28:/, ""),
          displayName,
        },
      };
  const markup = textFormat === "xml" || textFormat === "markdown" || /<[a-z]/i.test(text(words));
  return {
    id,
    replyToId: null,
    createdDateTime: timestamp,
    lastModifiedDateTime: null,
    deleted: false,
    subject: null,
    summary: null,
    importance: text(importance) || "normal",
    locale: "en-us",
    linkToMessage: `https://teams.microsoft.com/l/message/${conversation.id}/${id}`,
    from: { device: null, conversation: null, user: null, application: null, ...identity },
    body: { contentType: markup ? "html" : "text", content: text(words) },
    attachmentLayout: text(activity.attachmentLayout) || null,
    attachments: list(attachments).map((each, index) => attachment(each, index)),
    mentions: list(entities)
      .filter((each) => object(each).type === "mention")
      .map(mention),
    reactions: [],
  };
}

function attachment({ contentType, contentUrl, content, name, thumbnailUrl }, index) {
  // Teams sends a card's content as JSON text.
  const shown =
    content === undefined ? null : typeof content === "string" ? content : JSON.stringify(content);
  return {
    id: String(index),
    contentType,
    contentUrl: contentUrl ?? null,
    content: shown,
    name: name ?? null,
    thumbnailUrl: thumbnailUrl ?? null,
  };
}

function mention({ text: tag, mentioned }, index) {
  const { id, name } = object(mentioned);
  return {
    id: index,
    mentionText: text(name) || text(tag).replace(/<[^>]*>/g, ""),
    mentioned: { user: { displayName: name, id } },
  };
}

function withoutUndefined(value) {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}
