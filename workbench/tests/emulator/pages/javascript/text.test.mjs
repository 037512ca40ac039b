import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import {
  cardMarkdown,
} from "../../../../bot_workbench/emulator/pages/assets/adaptive/card_markdown.js";
import { webUrl } from "../../../../bot_workbench/emulator/pages/assets/adaptive/values.js";
import { initials, tint } from "../../../../bot_workbench/emulator/pages/assets/shared/initials.js";
import { placed } from "../../../../bot_workbench/emulator/pages/assets/shared/placement.js";
import {
  fileKind,
  fileOf,
  imageOf,
  sizeText,
} from "../../../../bot_workbench/emulator/pages/assets/text/file_facts.js";
import {
  botMarkdown,
  plainMarkdown,
} from "../../../../bot_workbench/emulator/pages/assets/text/markdown.js";
import {
  plainText,
  shortened,
} from "../../../../bot_workbench/emulator/pages/assets/text/plain_text.js";
import { quoteIn, quoteOf } from "../../../../bot_workbench/emulator/pages/assets/text/quotes.js";
import {
  reactionCounts,
} from "../../../../bot_workbench/emulator/pages/assets/text/reaction_types.js";
import { spokenText } from "../../../../bot_workbench/emulator/pages/assets/text/spoken.js";

const libraries = process.env.PAGE_LIBRARIES;
const markdownit = libraries && createRequire(import.meta.url)(`${libraries}/markdown-it.js`);
const markdown = { skip: !libraries && "the pages' libraries are not set up" };

test("Markdown of a bot cannot become anything but text", markdown, () => {
  const made = botMarkdown(markdownit);
  const render = (text, mentions = []) => made.render(text, { mentions: new Set(mentions) });
  assert.equal(
    render("**a** <b onclick=x>c</b>"),
    "<p><strong>a</strong> &lt;b onclick=x&gt;c&lt;/b&gt;</p>\n",
  );
  assert.doesNotMatch(render("[a](javascript:alert(1))"), /href/);
  assert.match(
    render("https://example.com/x"),
    /<a href="[^"]*" target="_blank" rel="noopener noreferrer">/,
  );
  assert.doesNotMatch(render("|a|b|\n|:-:|--:|\n|1|2|"), /style=/);
  assert.match(render("|a|\n|:-:|\n|1|"), /<th class="align-center">/);
  assert.match(render("one\ntwo"), /one<br>/);
  assert.equal(render("```js\nx < 1\n```"), '<pre tabindex="0"><code>x &lt; 1\n</code></pre>\n');
});

test("a link in a card opens beside the page", markdown, (t) => {
  globalThis.markdownit = markdownit;
  t.after(() => delete globalThis.markdownit);
  assert.equal(
    cardMarkdown("[a](https://example.com/x)"),
    '<p><a href="https://example.com/x" target="_blank" rel="noopener noreferrer">a</a></p>\n',
  );
});

test("a mention is marked when its entity names it, and is a name otherwise", markdown, () => {
  const made = botMarkdown(markdownit);
  const text = "<at>A & B</at> hi";
  const env = (mentions) => ({ mentions: new Set(mentions) });
  assert.match(
    made.render(text, env(["<at>A & B</at>"])),
    /<span class="mention">A &amp; B<\/span> hi/,
  );
  assert.equal(made.render(text, env([])), "<p>A &amp; B hi</p>\n");
});

test("plain text keeps its signs and lines, and has links", markdown, () => {
  const made = plainMarkdown(markdownit);
  const shown = made.render("**a** <i>\n# b https://example.com", { mentions: new Set() });
  assert.match(shown, /^<p>\*\*a\*\* &lt;i&gt;<br>\n# b <a href="https:\/\/example.com"/);
});

test("a quote is in the HTML of a message, as Teams has it", () => {
  const item = {
    id: "17",
    activity: { from: { id: "28:b", name: "Bot" }, text: '**1 < 2** "so"' },
  };
  const attachment = quoteOf(item);
  assert.equal(attachment.contentType, "text/html");
  assert.match(attachment.content, /itemtype="http:\/\/schema.skype.com\/Reply" itemid="17"/);
  assert.match(attachment.content, /<\/blockquote>$/);
  const found = { id: "17", name: "Bot", preview: '1 < 2 "so"' };
  assert.deepEqual(quoteIn({ attachments: [attachment] }), found);
  assert.equal(quoteIn({ attachments: [{ contentType: "text/html", content: "<p>a</p>" }] }), null);
  assert.equal(quoteIn({}), null);
});

test("text without Markdown and tags", () => {
  assert.equal(plainText("# **Hi** <at>Bot</at>\n- [a](https://x) `b`"), "Hi @Bot a b");
});

test("a text is cut without splitting a character", () => {
  assert.equal(shortened("abc", 3), "abc");
  assert.equal(shortened("abcd", 3), "abc…");
  assert.equal(shortened("ab cd", 3), "ab…");
  assert.equal(shortened("ab🎉d", 3), "ab…");
});

test("a screen reader says who wrote what", () => {
  const activity = { from: { name: "Bot" }, text: "**Hi**", attachments: [{}] };
  assert.equal(spokenText({ kind: "message", activity }), "Bot: Hi, an attachment");
  assert.equal(spokenText({ kind: "event", text: "User 2 joined" }), "User 2 joined");
});

test("files and images are told apart from cards", () => {
  const info = "application/vnd.microsoft.teams.file.download.info";
  const content = { downloadUrl: "http://localhost/f", fileType: "txt" };
  assert.deepEqual(fileOf({ contentType: info, name: "a.txt", content }), {
    name: "a.txt",
    url: "http://localhost/f",
    size: undefined,
  });
  assert.equal(fileOf({ contentType: "application/vnd.microsoft.card.adaptive", content }), null);
  assert.equal(fileOf({ contentType: "text/plain", contentUrl: "javascript:x" }).url, undefined);
  assert.deepEqual(imageOf({ contentType: "image/*", contentUrl: "/api/x" }), {
    url: "/api/x",
    name: "Image",
  });
  assert.equal(imageOf({ contentType: "image/png", contentUrl: "javascript:x" }), null);
  assert.deepEqual([fileKind("a.b.pdf"), fileKind("README")], ["PDF", "File"]);
  assert.deepEqual([1, 999, 1500, 23_456, 2_500_000, NaN, undefined].map(sizeText), [
    "1 byte",
    "999 bytes",
    "1.5 KB",
    "23 KB",
    "2.5 MB",
    "",
    "",
  ]);
});

test("reactions are counted by type", () => {
  const reactions = [
    { type: "like", user: "a" },
    { type: "heart", user: "b" },
    { type: "like", user: "b" },
  ];
  assert.deepEqual(reactionCounts(reactions, "a"), [
    { type: "like", count: 2, mine: true },
    { type: "heart", count: 1, mine: false },
  ]);
  assert.deepEqual(reactionCounts(undefined, "a"), []);
});

test("an avatar has initials, and always the same color", () => {
  assert.deepEqual(["User 2", "bot", "Émile van Zola", "", "(x)"].map(initials), [
    "U2",
    "B",
    "ÉZ",
    "?",
    "?",
  ]);
  assert.equal(tint("29:a"), tint("29:a"));
  assert.ok(tint("29:a") < 8);
});

test("a menu stays in the window", () => {
  const room = { width: 400, height: 400 };
  const menu = { width: 200, height: 100 };
  const at = (left, top) => placed({ left, top, right: left + 30, bottom: top + 30 }, menu, room);
  assert.deepEqual(at(10, 10), { left: 10, top: 44 });
  assert.deepEqual(at(350, 350), { left: 180, top: 246 });
  assert.deepEqual(
    placed({ left: 0, top: 0, right: 10, bottom: 10 }, { width: 500, height: 500 }, room),
    {
      left: 8,
      top: 8,
    },
  );
});

test("only web pages open", () => {
  assert.deepEqual(
    ["https://a", "http://a", "javascript:a", "data:,a", "", undefined].map(
      (url) => webUrl(url) !== null,
    ),
    [true, true, false, false, false, false],
  );
});
