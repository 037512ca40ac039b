/** What was typed and not sent: kept for each conversation of a tab. */

const PREFIX = "local-chat.draft.";

/** A draft is `{text, picked}`: what was typed, and the members who were picked after an `@`. */
export const EMPTY_DRAFT = Object.freeze({ text: "", picked: [] });

export function keptDraft(storage, conversation) {
  try {
    const { text, picked } = JSON.parse(storage.getItem(PREFIX + conversation));
    return { text: String(text), picked: Array.isArray(picked) ? picked : [] };
  } catch {
    return EMPTY_DRAFT;
  }
}

export function keepDraft(storage, conversation, { text, picked }) {
  if (!conversation) return;
  try {
    if (text) storage.setItem(PREFIX + conversation, JSON.stringify({ text, picked }));
    else storage.removeItem(PREFIX + conversation);
  } catch {
    // Then the draft is kept only until the page is closed.
  }
}
