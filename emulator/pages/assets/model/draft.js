/** What was typed and not sent: kept for each conversation of a tab. */

const PREFIX = "local-chat.draft.";

export function keptDraft(storage, conversation) {
  try {
    return storage.getItem(PREFIX + conversation) ?? "";
  } catch {
    return "";
  }
}

export function keepDraft(storage, conversation, text) {
  try {
    if (text) storage.setItem(PREFIX + conversation, text);
    else storage.removeItem(PREFIX + conversation);
  } catch {
    // It stays as long as the page does.
  }
}
