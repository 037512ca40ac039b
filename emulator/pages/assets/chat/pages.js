/** Whether a link of the bot's may open: pages only, never scripts. */
export function isPage(url) {
  return /^https?:\/\//i.test(String(url ?? ""));
}
