/** The theme that the page has now: "light" or "dark". */
export function theme() {
  const { theme: chosen } = document.documentElement.dataset;
  if (chosen) return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
