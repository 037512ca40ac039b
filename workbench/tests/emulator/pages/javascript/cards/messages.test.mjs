import assert from "node:assert/strict";
import { test } from "node:test";
import {
  automaticRefresh,
  manualRefresh,
  withMentions,
} from "../../../../../bot_workbench/emulator/pages/assets/adaptive/card_mentions.js";
import {
  HOST_CONFIG,
  isTooNew,
} from "../../../../../bot_workbench/emulator/pages/assets/adaptive/host_config.js";
import {
  citations,
  entityProblems,
  feedbackLoop,
  feedbackValue,
  isAiGenerated,
  sensitivity,
  messageEntity,
  splitAtCitations,
} from "../../../../../bot_workbench/emulator/pages/assets/ai/message_entity.js";
import {
  consentProblem,
  consentValue,
  fileAddress,
} from "../../../../../bot_workbench/emulator/pages/assets/attachments/file_values.js";
import {
  answerPage,
} from "../../../../../bot_workbench/emulator/pages/assets/dialogs/teams_js_host.js";

const claim = (position, more = {}) => ({
  "@type": "Claim",
  position,
  appearance: { "@type": "DigitalDocument", name: "Report", abstract: "Why", ...more },
});
const said = (text, entity) => ({
  text,
  entities: [{ type: "https://schema.org/Message", ...entity }],
});

test("citations are read by position; scripts are no addresses", () => {
  const activity = said("a [1] b [2]", {
    citation: [
      claim(1, {
        url: "https://a.example/",
        keywords: ["x", "y", "z", "w"],
        image: { name: "PDF" },
      }),
      claim(2, { url: "javascript:alert(1)", text: '{"type":"AdaptiveCard"}' }),
    ],
  });
  const read = citations(activity);
  assert.equal(read.get(1).url, "https://a.example/");
  assert.deepEqual(read.get(1).keywords, ["x", "y", "z"]);
  assert.equal(read.get(1).icon, "PDF");
  assert.equal(read.get(2).url, null);
  assert.deepEqual(read.get(2).card, { type: "AdaptiveCard" });
  assert.deepEqual(entityProblems(activity), []);
});

test("a text is split at the citations that there are", () => {
  const known = new Map([
    [1, {}],
    [12, {}],
  ]);
  assert.deepEqual(splitAtCitations("a [1] [12]. [3]", known), ["a ", 1, " ", 12, ". [3]"]);
  assert.deepEqual(splitAtCitations("[1]", known), [1]);
  assert.deepEqual(splitAtCitations("none", known), ["none"]);
});

test("what Teams refuses about citations is named", () => {
  const problems = entityProblems(said("no mark", { citation: [claim(1), { position: "2" }] }));
  assert.match(problems[0], /no \[1\]/);
  assert.match(problems[1], /citation\[1\]\.position/);
  assert.match(problems[2], /appearance\.name/);
});

test("the AI label and the sensitivity label are read", () => {
  const activity = said("x", {
    additionalType: ["AIGeneratedContent"],
    usageInfo: { name: "Confidential", description: "Do not share" },
  });
  assert.equal(isAiGenerated(activity), true);
  assert.equal(isAiGenerated({ text: "x" }), false);
  assert.deepEqual(sensitivity(messageEntity(activity)), {
    name: "Confidential",
    description: "Do not share",
  });
  assert.equal(sensitivity({}), null);
});

test("feedback buttons are asked for in two ways, and the text is sent as JSON", () => {
  assert.equal(feedbackLoop({ channelData: { feedbackLoop: { type: "custom" } } }), "custom");
  assert.equal(feedbackLoop({ channelData: { feedbackLoopEnabled: true } }), "default");
  assert.equal(feedbackLoop({}), null);
  assert.deepEqual(feedbackValue("like", { feedbackText: "Nice" }), {
    actionName: "feedback",
    actionValue: { reaction: "like", feedback: '{"feedbackText":"Nice"}' },
  });
});

test("mentions in cards become names", () => {
  const entity = { type: "mention", text: "<at>ada</at>", mentioned: { id: "29:1", name: "Ada" } };
  const card = {
    body: [{ type: "TextBlock", text: "Hi <at>ada</at> and <at>who</at>" }],
    actions: [{ type: "Action.Submit", data: { text: "<at>ada</at>" } }],
    msteams: { entities: [entity] },
  };
  const shown = withMentions(card);
  assert.equal(shown.body[0].text, "Hi **@Ada** and who");
  assert.equal(shown.actions[0].data.text, "<at>ada</at>");
});

test("a card refreshes by itself for the users that it names", () => {
  const action = { type: "Action.Execute", verb: "refresh" };
  assert.equal(automaticRefresh({ refresh: { action, userIds: ["29:1"] } }, "29:1"), action);
  assert.equal(automaticRefresh({ refresh: { action, userIds: ["29:1"] } }, "29:2"), null);
  assert.equal(automaticRefresh({ refresh: { action } }, "29:2"), action);
  assert.equal(automaticRefresh({}, "29:1"), null);
  assert.equal(manualRefresh({ refresh: { action, userIds: [] } }), action);
});

test("a card is too new from version 1.7 on", () => {
  assert.deepEqual(["1.0", "1.6", "1.7", "2.0", "x", undefined].map(isTooNew), [
    false,
    false,
    true,
    true,
    false,
    false,
  ]);
});

test("all colors of cards are the theme's variables", () => {
  const colors = JSON.stringify(HOST_CONFIG).match(
    /"(default|subtle|backgroundColor|borderColor|lineColor)":"(?!var\()[^"]*"/g,
  );
  const others = (colors ?? []).filter((each) => /#|rgb/.test(each));
  assert.deepEqual(others, []);
  assert.equal(/#[0-9a-f]{3}/i.test(JSON.stringify(HOST_CONFIG)), false);
});

test("file consent answers with the card's context", () => {
  const content = { sizeInBytes: 1536, acceptContext: { a: 1 }, declineContext: { d: 1 } };
  assert.deepEqual(consentValue("accept", { content }), {
    type: "fileUpload",
    action: "accept",
    context: { a: 1 },
  });
  assert.deepEqual(consentValue("decline", { content }).context, { d: 1 });
  assert.equal(consentProblem({ name: "a.txt", content }), null);
  assert.match(consentProblem({ content }), /name/);
  assert.match(consentProblem({ name: "a", content: {} }), /sizeInBytes/);
  assert.equal(fileAddress({ contentType: "x", contentUrl: "file:///etc" }), null);
});

test("a page in a popup signs the user in, or says why it cannot", () => {
  const facts = { frameContext: "authentication" };
  const answer = (func, args) => answerPage({ id: 1, func, args }, facts);
  assert.equal(answer("initialize", ["2"]).reply[0], "authentication");
  const success = answer("authentication.authenticate.success", ["123456"]);
  assert.deepEqual(success.submitted, { result: "123456" });
  assert.equal(answer("authentication.authenticate.failure", ["Cancelled"]).failed, "Cancelled");
});

test("a page in a dialog gets TeamsJS's handshake, and ends the dialog with its result", () => {
  const facts = { frameContext: "task", theme: "dark", locale: "en-us", userObjectId: "guid" };
  const answer = (func, args) => answerPage({ id: 1, func, args }, facts);
  assert.equal(answer("initialize", ["2"]).reply[0], "task");
  assert.equal(JSON.parse(answer("initialize", []).reply[2]).apiVersion, 4);
  assert.equal(answer("getContext").reply[0].theme, "dark");
  assert.deepEqual(answer("tasks.submitTask", [{ a: 1 }, []]).submitted, { result: { a: 1 } });
  assert.deepEqual(answer("tasks.completeTask", ["x"]).submitted, { result: "x" });
  assert.deepEqual(answer("tasks.updateTask", [{ height: 300 }]).resized, { height: 300 });
  assert.equal(answer("appInitialization.failure", ["Timeout", "slow"]).failed, "slow");
  assert.match(answer("calendar.openCalendarItem").reply[1], /not available/);
  assert.equal(answerPage("text", facts), null);
  assert.equal(answerPage({ other: 1 }, facts), null);
});
