import assert from "node:assert/strict";
import { test } from "node:test";
import {
  missingProperties,
} from "../../../../../bot_workbench/emulator/pages/assets/adaptive/required.js";

const ADAPTIVE = "application/vnd.microsoft.card.adaptive";
const text = { type: "TextBlock", text: "x" };
const lacking = { type: "TextBlock" };
const submit = { type: "Action.Submit", title: "OK" };
const card = (body, more = {}) => ({ type: "AdaptiveCard", version: "1.6", body, ...more });
const line = (place, name) => `${place} has no "${name}", which Microsoft's schema requires.`;
const found = (body, more) => missingProperties(card(body, more));

const ELEMENTS = {
  ActionSet: { actions: [submit] },
  Container: { items: [text] },
  FactSet: { facts: [] },
  Image: { url: "https://example.com/a.png" },
  ImageSet: { images: [] },
  "Input.ChoiceSet": { id: "a" },
  "Input.Date": { id: "a" },
  "Input.Number": { id: "a" },
  "Input.Text": { id: "a" },
  "Input.Time": { id: "a" },
  "Input.Toggle": { id: "a", title: "" },
  Media: { sources: [] },
  RichTextBlock: { inlines: ["x"] },
  TextBlock: { text: "" },
};

const ACTIONS = {
  "Action.OpenUrl": { url: "https://example.com" },
  "Action.ToggleVisibility": { targetElements: ["a"] },
};

/** By property: what it stands in, and what each of its parts must have. */
const PARTS = {
  Fact: [{ type: "FactSet" }, "facts", { title: "a", value: "b" }],
  "Input.Choice": [{ type: "Input.ChoiceSet", id: "a" }, "choices", { title: "a", value: "b" }],
  Image: [{ type: "ImageSet" }, "images", { url: "https://example.com/a.png" }],
  MediaSource: [{ type: "Media" }, "sources", { url: "https://example.com/a.mp4" }],
  CaptionSource: [
    { type: "Media", sources: [] },
    "captionSources",
    { mimeType: "vtt", url: "https://example.com/a.vtt", label: "English" },
  ],
};

/** The properties without which each of them is named, and no other. */
function assertEach(given, lines, place) {
  assert.deepEqual(lines(given), []);
  for (const name of Object.keys(given)) {
    const { [name]: _, ...others } = given;
    assert.deepEqual(lines(others), [line(place, name)]);
    assert.deepEqual(lines({ ...given, [name]: null }), [line(place, name)]);
  }
}

for (const [type, given] of Object.entries(ELEMENTS)) {
  test(`what ${type} must have is named`, () => {
    assertEach(given, (each) => found([text, { type, ...each }]), `body[1] (${type})`);
  });
}

for (const [type, given] of Object.entries(ACTIONS)) {
  test(`what ${type} must have is named`, () => {
    const lines = (each) => found([], { actions: [{ type, ...each }] });
    assertEach(given, lines, `actions[0] (${type})`);
  });
}

for (const [type, [owner, property, given]] of Object.entries(PARTS)) {
  test(`what ${type} in ${property} must have is named`, () => {
    const lines = (each) => found([{ ...owner, [property]: [each] }]);
    assertEach(given, lines, `body[0].${property}[0] (${type})`);
  });
}

test("what the other parts must have is named", () => {
  const image = { url: "https://example.com/a.png" };
  const background = (each) => found([], { backgroundImage: each });
  assertEach(image, background, "backgroundImage (BackgroundImage)");
  assert.deepEqual(background("https://example.com/a.png"), []);
  const run = { type: "TextRun", text: "x" };
  const inline = (each) => found([{ type: "RichTextBlock", inlines: [each] }]);
  assert.deepEqual(inline(run), []);
  assert.deepEqual(inline({ type: "TextRun" }), [line("body[0].inlines[0] (TextRun)", "text")]);
  const toggle = (each) =>
    found([], { actions: [{ type: "Action.ToggleVisibility", targetElements: ["a", each] }] });
  assertEach({ elementId: "a" }, toggle, "actions[0].targetElements[1] (TargetElement)");
  const search = (each) => found([{ type: "Input.ChoiceSet", id: "a", "choices.data": each }]);
  assertEach({ dataset: "a" }, search, "body[0].choices.data (Data.Query)");
  const cell = (each) => found([{ type: "Table", rows: [{ type: "TableRow", cells: [each] }] }]);
  assertEach({ items: [text] }, cell, "body[0].rows[0].cells[0] (TableCell)");
});

test("what the sign-in of a card must have is named", () => {
  const exchange = (each) => found([], { authentication: { tokenExchangeResource: each } });
  const place = "authentication.tokenExchangeResource (TokenExchangeResource)";
  assertEach({ id: "a", uri: "api://a", providerId: "b" }, exchange, place);
  const button = (each) => found([], { authentication: { buttons: [each] } });
  const given = { type: "signin", value: "https://example.com" };
  assertEach(given, button, "authentication.buttons[0] (AuthCardButton)");
});

test("parts of any type must name theirs", () => {
  assert.deepEqual(found([{ text: "x" }]), [line("body[0]", "type")]);
  assert.deepEqual(found([text], { actions: [{ title: "OK" }] }), [line("actions[0]", "type")]);
  const lines = found([{ ...text, selectAction: { url: "https://example.com" } }]);
  assert.deepEqual(lines, [line("body[0].selectAction", "type")]);
});

test("a card is found within a message and within the response to an invoke", () => {
  const missing = [line("body[0] (TextBlock)", "text")];
  const attachment = { contentType: ADAPTIVE, content: card([lacking]) };
  const message = { type: "message", text: "x", attachments: [attachment, attachment] };
  assert.deepEqual(missingProperties([message, null]), [...missing, ...missing]);
  const body = { statusCode: 200, type: ADAPTIVE, value: card([lacking]) };
  assert.deepEqual(missingProperties(body), missing);
  assert.deepEqual(missingProperties(undefined), []);
});

test("cards within parts of a card are read, and their place is named", () => {
  const column = { items: [{ type: "Container", items: [text, lacking] }] };
  const columns = { type: "ColumnSet", columns: [{ items: [text] }, column] };
  assert.deepEqual(found([columns]), [
    line("body[0].columns[1].items[0].items[1] (TextBlock)", "text"),
  ]);
  const show = { type: "Action.ShowCard", card: card([lacking]) };
  const shown = found([{ type: "ActionSet", actions: [submit, show] }], { actions: [show] });
  assert.deepEqual(shown, [
    line("body[0].actions[1].card.body[0] (TextBlock)", "text"),
    line("actions[0].card.body[0] (TextBlock)", "text"),
  ]);
  const input = { type: "Input.Text", id: "a", inlineAction: { type: "Action.OpenUrl" } };
  assert.deepEqual(found([input]), [line("body[0].inlineAction (Action.OpenUrl)", "url")]);
});

test("what the schema does not know is never named, but its fallback is read", () => {
  const unknown = { type: "Chart.Pie", items: [lacking], facts: [{}], fallback: lacking };
  assert.deepEqual(found([unknown]), [line("body[0].fallback (TextBlock)", "text")]);
  assert.deepEqual(found([{ ...unknown, fallback: "drop" }]), []);
  assert.deepEqual(found([{ ...text, other: [lacking] }], { msteams: { items: [{}] } }), []);
  const data = { body: [lacking], card: card([lacking]), items: [{}] };
  assert.deepEqual(found([], { actions: [{ ...submit, data }] }), []);
  assert.deepEqual(found([null, "x", 3, [], { type: {} }, { type: "toString" }]), []);
});
