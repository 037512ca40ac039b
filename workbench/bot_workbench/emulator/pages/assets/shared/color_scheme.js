/** Light or dark: as the system prefers, or as a person chose. */

const KEY = "local-pages.theme";
const NEXT = { system: "light", light: "dark", dark: "system" };

export function chosenScheme(storage) {
  try {
    const kept = storage.getItem(KEY);
    return kept in NEXT ? kept : "system";
  } catch {
    return "system";
  }
}

export function applyScheme(root, scheme) {
  if (scheme === "system") delete root.dataset.theme;
  else root.dataset.theme = scheme;
}

export function chooseScheme(storage, root, scheme) {
  applyScheme(root, scheme);
  try {
    storage.setItem(KEY, scheme);
  } catch {
    // The choice lasts until the page is closed.
  }
}

export function nextScheme(scheme) {
  return NEXT[scheme];
}
