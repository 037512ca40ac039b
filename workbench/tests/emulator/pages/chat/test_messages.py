"""Messages in the chat page: what a person writes, and what the bot answers."""

import datetime
import re

import pytest
from playwright.sync_api import Page, expect

from cloud_adapter.adapter import APOLOGY
from tests.emulator.pages.chat.local_teams import (
    LocalTeams,
    box,
    bubble,
    choose_for,
    message,
    shoot,
)
from tests.support.wire.chromium import say, violations


def test_a_message_and_its_answer(page: Page, complaints: list[str]) -> None:
    """Enter sends, the box is empty and keeps the focus, the answer comes."""
    expect(box(page)).to_be_focused()
    say(page, "good morning")
    expect(bubble(page, "You said: good morning")).to_be_visible()
    expect(box(page)).to_have_value("")
    expect(box(page)).to_be_focused()
    expect(page.locator(".message--own")).to_have_count(1)
    expect(page.locator(".day")).to_have_text("Today")
    assert complaints == []


def test_several_lines(page: Page) -> None:
    """Shift+Enter starts a line; an input method's Enter picks a word, and sends nothing."""
    box(page).press_sequentially("one")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("two")
    page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent(
            "keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))"""
    )
    expect(box(page)).to_have_value("one\ntwo")
    box(page).press("Enter")
    expect(page.locator(".message--own .text")).to_have_text("one\ntwo", use_inner_text=True)


def test_markdown_of_the_bot(teams: LocalTeams, page: Page, complaints: list[str]) -> None:
    """Markdown is shown as such, HTML of the bot's as text, and a link opens a tab of its own."""
    teams.bot_says(
        page,
        "**bold** and `code`\n\n- [docs](https://example.com/)\n\n```\nx < 1\n```\n\n"
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n<script>alert(1)</script> [x](javascript:alert(1))",
    )
    shown = bubble(page, "bold")
    expect(shown.locator("strong")).to_have_text("bold")
    expect(shown.locator("pre")).to_have_text("x < 1\n")
    expect(shown.locator("td").last).to_have_css("text-align", "right")
    expect(shown.get_by_role("link")).to_have_count(1)
    expect(shown.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer")
    expect(shown).to_contain_text("<script>alert(1)</script>")
    assert complaints == []


def test_text_formats(teams: LocalTeams, page: Page) -> None:
    """Plain text keeps its signs; of xml, the tags that Teams knows are shown."""
    teams.bot_says(page, "**plain**", textFormat="plain")
    xml = "<b>xml</b> <a href='javascript:x'>a</a><img src=x onerror=alert(1)><script>1</script>"
    teams.bot_says(page, xml, textFormat="xml")
    expect(bubble(page, "**plain**")).to_be_visible()
    shown = bubble(page, "xml")
    expect(shown.locator("b")).to_have_text("xml")
    expect(shown).to_have_text("xml a")
    expect(shown.locator("img, script, [href]")).to_have_count(0)


def test_consecutive_messages_are_one_group(teams: LocalTeams, page: Page) -> None:
    """A sender's messages have the name and the time once."""
    for text in ("one", "two", "three"):
        teams.bot_says(page, text)
    group = page.locator(".group", has=bubble(page, "three"))
    expect(group.locator(".message")).to_have_count(4)  # and the greeting
    expect(group.locator("time")).to_have_count(1)
    expect(group.locator(".group__name")).to_have_text("Bot")


def test_typing_is_shown_until_the_answer(teams: LocalTeams, page: Page) -> None:
    """The indicator comes with its activity, and goes with the message; or after some seconds."""
    indicator = page.locator(".typing")
    now = datetime.datetime.now(datetime.UTC)
    page.clock.set_fixed_time(now)  # so that a slow page is not too late for it
    teams.bot_sends(page, type="typing")
    expect(indicator).to_be_visible()
    teams.bot_says(page, "here it is")
    expect(bubble(page, "here it is")).to_be_visible()
    expect(indicator).to_have_count(0)
    teams.bot_sends(page, type="typing")
    expect(indicator).to_be_visible()
    page.clock.set_fixed_time(now + datetime.timedelta(minutes=1))
    expect(indicator).to_have_count(0)


def test_the_bot_changes_a_message(teams: LocalTeams, page: Page) -> None:
    """An update replaces the text where it is, and is marked."""
    said = teams.bot_says(page, "first")
    teams.bot_says(page, "last")
    expect(bubble(page, "last")).to_be_visible()
    teams.update(page, said, text="second")
    expect(message(page, "second").get_by_text("Edited")).to_be_visible()
    expect(bubble(page, "first")).to_have_count(0)
    expect(page.locator(".bubble").last).to_have_text("last")


def test_editing_and_deleting(teams: LocalTeams, page: Page) -> None:
    """A user changes a message, deletes it, and takes that back."""
    say(page, "tpyo")
    choose_for(message(page, "tpyo").first, "Message options", "Edit")
    expect(box(page)).to_have_value("tpyo")
    say(page, "typo")
    edited = page.locator(".message--own")
    expect(edited).to_contain_text("typo")
    expect(edited).to_contain_text("Edited")
    choose_for(edited, "Message options", "Delete")
    expect(edited).to_contain_text("This message has been deleted.")
    edited.get_by_role("button", name="Undo").click()
    expect(edited).to_contain_text("typo")
    assert teams.received(page, "typo")


def test_an_edit_leaves_the_draft(page: Page) -> None:
    """What was typed before an edit is there again when it is given up, and when it is sent."""
    say(page, "tpyo")
    own = page.locator(".message--own")
    box(page).fill("a draft")
    choose_for(own, "Message options", "Edit")
    expect(box(page)).to_have_value("tpyo")
    box(page).press("Escape")
    expect(box(page)).to_have_value("a draft")
    choose_for(own, "Message options", "Edit")
    say(page, "typo")
    expect(own.locator(".text")).to_have_text("typo")
    expect(box(page)).to_have_value("a draft")
    choose_for(own, "Message options", "Edit")
    page.reload()
    expect(box(page)).to_have_value("a draft")


KEPT_DRAFTS = """async () => {
  const kept = [];
  const setItem = Storage.prototype.setItem;
  Storage.prototype.setItem = function (key, value) {
    if (key.startsWith("local-chat.draft.")) kept.push(JSON.parse(value).text);
    setItem.call(this, key, value);
  };
  const field = document.querySelector(".composer__field");
  const atOnce = [];
  for (const text of ["a", "ab"]) {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    atOnce.push(kept.at(-1));
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  Storage.prototype.setItem = setItem;
  return [atOnce, kept];
}"""
"""Types two letters before the page's effects run; returns the drafts that were kept, those of the
first list by the time that a letter was typed."""


def test_a_draft_is_the_newest_one(page: Page) -> None:
    """Who types faster than the page is drawn finds all of it after a reload."""
    at_once, kept = page.evaluate(KEPT_DRAFTS)
    assert at_once == ["a", "ab"]
    assert set(kept[kept.index("ab") :]) == {"ab"}


def test_reactions(teams: LocalTeams, page: Page) -> None:
    """A reaction is counted below the message, and a click takes it back."""
    said = teams.bot_says(page, "react to this")
    choose_for(message(page, "react to this"), "React", "👍 Like")
    like = page.get_by_role("button", name="Like, 1")
    expect(like).to_have_attribute("aria-pressed", "true")
    assert teams.conversation(page).find(said["id"])["reactions"][0]["type"] == "like"
    like.click()
    expect(like).to_have_count(0)


def test_a_reply_quotes_the_message(teams: LocalTeams, page: Page) -> None:
    """The quote is shown above the answer, and stands in the HTML that the bot gets."""
    teams.bot_says(page, "the **question**")
    choose_for(message(page, "the question"), "Message options", "Reply")
    expect(page.locator(".referring")).to_contain_text("the question")
    say(page, "my answer")
    own = page.locator(".message--own")
    expect(own.locator(".quote")).to_contain_text("the question")
    expect(own.locator(".text")).to_have_text("my answer")
    (html,) = teams.received(page, "my answer")["attachments"]
    assert 'itemtype="http://schema.skype.com/Reply"' in html["content"]


def test_suggested_actions(teams: LocalTeams, page: Page) -> None:
    """They are buttons below the last message, send what they say, and go."""
    actions = [
        {"type": "imBack", "title": "Yes", "value": "yes, please"},
        {"type": "imBack", "title": "No", "value": "no"},
    ]
    teams.bot_says(page, "More?", suggestedActions={"actions": actions})
    page.get_by_role("button", name="Yes").click()
    expect(bubble(page, "You said: yes, please")).to_be_visible()
    expect(page.locator(".suggestion")).to_have_count(0)


def test_a_suggested_text_for_the_composer(teams: LocalTeams, page: Page) -> None:
    """Action.Compose puts its message into the composer, with its mention, and sends nothing."""
    bot_id = teams.thread.cloud.teams.directory.bot["id"]
    mentioned = {"id": 0, "mentionText": "Bot", "mentioned": {"user": {"id": bot_id}}}
    body = {"content": '<at id="0">Bot</at> how is the weather?'}
    value = {"type": "Teams.chatMessage", "data": {"body": body, "mentions": [mentioned]}}
    actions = [{"type": "Action.Compose", "title": "Weather", "value": value}]
    teams.bot_says(page, "Ask me", suggestedActions={"actions": actions})
    page.get_by_role("button", name="Weather").click()
    expect(box(page)).to_have_value("@Bot how is the weather?")
    expect(box(page)).to_be_focused()
    box(page).press("Enter")
    expect(page.locator(".message--own .mention")).to_have_text("Bot")


def test_a_failed_delivery(teams: LocalTeams, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status that refuses the message is shown below it, with its turn and another try."""
    cloud = teams.thread.cloud
    own = page.locator(".message--own")
    with monkeypatch.context() as patching:
        no_bot = f"{cloud.pages.url}/api/chat/session"
        patching.setattr(cloud.channel, "bot_endpoint", no_bot)
        say(page, "fails")
        expect(own).to_contain_text(re.compile(r"The bot answered \d+\."))
    assert violations(page) == []
    shoot(page, "failed")
    own.get_by_role("button", name="Retry").click()
    expect(bubble(page, "You said: fails")).to_be_visible()
    expect(own).not_to_contain_text("The bot answered")
    choose_for(own, "Message options", "Show the turn")
    expect(page.get_by_role("complementary", name="Inspector")).to_be_visible()


def test_an_apology(page: Page, complaints: list[str]) -> None:
    """It leads to the turn that has failed, whose error the inspector shows beside the chat."""
    say(page, "fail")
    apology = message(page, APOLOGY)
    apology.get_by_role("button", name="Show the turn").click()
    aside = page.get_by_role("complementary", name="Inspector")
    expect(aside.get_by_role("heading", name="ValueError")).to_be_visible()
    expect(page.get_by_role("button", name="Show the turn")).to_have_count(1)
    shoot(page, "apology")
    assert complaints == []
    assert violations(page) == []


def test_the_newest_message_is_in_sight(teams: LocalTeams, page: Page) -> None:
    """The list stays at its end; who has scrolled up stays there, and sees what is new."""
    for number in range(30):
        teams.bot_says(page, f"line {number}\n\nmore")
    expect(bubble(page, "line 29")).to_be_in_viewport()
    page.locator(".messages").evaluate("list => list.scrollTo(0, 0)")
    newest = page.locator(".to-end")
    expect(newest).to_be_visible()
    teams.bot_says(page, "something new")
    expect(newest).to_have_text("1 new")
    expect(bubble(page, "line 0")).to_be_in_viewport()
    expect(page.locator(".unread")).to_have_count(1)
    newest.click()
    expect(bubble(page, "something new")).to_be_in_viewport()
    expect(newest).to_have_count(0)


GROWS_AND_SCROLLS = """() => {
  const list = document.querySelector(".messages");
  const tall = document.createElement("div");
  tall.style.height = "300px";
  list.firstElementChild.append(tall);
  list.dispatchEvent(new Event("scroll"));
}"""


def test_what_grows_is_no_reason_to_leave_the_end(teams: LocalTeams, page: Page) -> None:
    """A picture that has loaded below the end is scrolled to; only a person leaves the end."""
    for number in range(30):
        teams.bot_says(page, f"line {number}\n\nmore")
    expect(bubble(page, "line 29")).to_be_in_viewport()
    page.evaluate(GROWS_AND_SCROLLS)
    teams.bot_says(page, "the newest")
    expect(bubble(page, "the newest")).to_be_in_viewport()
    expect(page.locator(".to-end")).to_have_count(0)


HEARD = """
  window.heard = [];
  new MutationObserver(() => {
    const text = document.getElementById("announcements")?.textContent;
    if (text && text !== heard.at(-1)) heard.push(text);
  }).observe(document, { subtree: true, childList: true, characterData: true });
"""


def test_screen_readers_hear_each_new_message_once(teams: LocalTeams, page: Page) -> None:
    """A polite live region has the newest message of others, and nothing of the past."""
    region = page.locator("#announcements")
    teams.bot_says(page, "**Attention**")
    expect(region).to_have_text("Bot: Attention")
    page.add_init_script(HEARD)
    page.reload()
    expect(bubble(page, "Attention")).to_be_visible()
    say(page, "hello")
    expect(region).to_have_text("Bot: You said: hello")
    assert page.evaluate("heard") == ["Bot: You said: hello"]
