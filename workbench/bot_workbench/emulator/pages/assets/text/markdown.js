/** Markdown as Teams shows it, made safe: no HTML of the author's, no style attributes. */

const LINK = { target: "_blank", rel: "noopener noreferrer" };

/** For bots' messages. */
export function botMarkdown(markdownit) {
  return withRules(markdownit({ html: false, linkify: true, breaks: true, typographer: false }));
}

/** For plain text: lines, links and mentions only. */
export function plainMarkdown(markdownit) {
  const made = markdownit("zero", { html: false, linkify: true, breaks: true });
  made.enable(["linkify", "newline"]);
  return withRules(made);
}

function withRules(made) {
  made.inline.ruler.before("text", "mention", mention);
  made.renderer.rules.mention = (tokens, index) => {
    const { content, meta } = tokens[index];
    const name = made.utils.escapeHtml(content);
    return meta.known ? `<span class="mention">${name}</span>` : name;
  };
  const { renderer } = made;
  renderer.rules.link_open = linkBesideThePage;
  renderer.rules.table_open = () => '<div class="table" tabindex="0"><table>';
  renderer.rules.table_close = () => "</table></div>";
  // Long lines scroll, with the keyboard, too.
  renderer.rules.fence = (tokens, index) => codeBlock(tokens[index].content, made.utils);
  renderer.rules.code_block = renderer.rules.fence;
  for (const name of ["th_open", "td_open"]) renderer.rules[name] = alignedCell;
  return made;
}

/** A rule of markdown-it's renderer: a link opens beside the page. */
export function linkBesideThePage(tokens, index, options, _env, self) {
  for (const [name, value] of Object.entries(LINK)) tokens[index].attrSet(name, value);
  return self.renderToken(tokens, index, options);
}

function codeBlock(content, { escapeHtml }) {
  return `<pre tabindex="0"><code>${escapeHtml(content)}</code></pre>\n`;
}

/** The page's policy forbids the style attribute that says how a column is aligned. */
function alignedCell(tokens, index, options, _env, self) {
  const token = tokens[index];
  const aligned = /text-align:(\w+)/.exec(token.attrGet("style") ?? "");
  token.attrs = aligned ? [["class", `align-${aligned[1]}`]] : null;
  return self.renderToken(tokens, index, options);
}

const MENTION = /^<at(?:\s[^>]*)?>(.*?)<\/at>/is;

/** A rule of markdown-it: `<at>Name</at>`, which stands in the entity of a mention. */
function mention(state, silent) {
  if (state.src.charCodeAt(state.pos) !== 0x3c) return false;
  const match = MENTION.exec(state.src.slice(state.pos));
  if (match === null) return false;
  if (!silent) {
    const token = state.push("mention", "", 0);
    token.content = match[1];
    token.meta = { known: state.env.mentions?.has(match[0]) ?? false };
  }
  state.pos += match[0].length;
  return true;
}
