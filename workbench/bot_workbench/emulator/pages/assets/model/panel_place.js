/** The inspector's place beside the chat: kept for all tabs. */

const KEY = "local-chat.panel";
const WIDTH = 480;
export const MIN_WIDTH = 320;
const CHAT_WIDTH = 360;

export function keptPanel(storage) {
  try {
    const { open = false, width = WIDTH } = JSON.parse(storage.getItem(KEY) ?? "{}");
    return { open: open === true, width: Number.isFinite(width) ? width : WIDTH };
  } catch {
    return { open: false, width: WIDTH };
  }
}

export function keepPanel(storage, { open, width }) {
  try {
    storage.setItem(KEY, JSON.stringify({ open, width }));
  } catch {
    // Then the width is kept only until the page is closed.
  }
}

/** The largest width (pixels) that leaves the chat its room. */
export function maxWidth(viewport) {
  return Math.max(MIN_WIDTH, viewport - CHAT_WIDTH);
}

/** The wanted width, if there is room for it. */
export function panelWidth(wanted, viewport) {
  return Math.max(MIN_WIDTH, Math.min(wanted, maxWidth(viewport)));
}
