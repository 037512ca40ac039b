// The color scheme that the user has chosen (color_scheme.js). A classic script in a page's head:
// it runs before anything is drawn, so nothing flashes in the other scheme.
try {
  const theme = localStorage.getItem("local-pages.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The browser keeps nothing for this page.
}
