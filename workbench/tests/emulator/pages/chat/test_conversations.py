"""Personal, group and channel conversations in the chat page, and who is in them."""

import re

from playwright.sync_api import Page, expect

from tests.emulator.pages.chat.local_teams import (
    GREETING,
    LocalTeams,
    box,
    bubble,
    choose,
    message,
    open_group,
    shoot,
)
from tests.support.wire.chromium import say, violations

UNMENTIONED = "Teams delivers only messages that mention the bot."


def mention(page: Page, name: str, rest: str) -> None:
    """Pick somebody after an @, with the keyboard, and send a message that mentions them."""
    box(page).press_sequentially("@")
    options = page.get_by_role("listbox", name="Mention").get_by_role("option")
    expect(options.first).to_be_visible()
    names = [each.strip() for each in options.all_inner_texts()]
    found = next(number for number, each in enumerate(names) if each.endswith(name))
    for _ in range(found):
        box(page).press("ArrowDown")
    box(page).press("Enter")
    box(page).press_sequentially(rest)
    box(page).press("Enter")


def test_a_group_chat(teams: LocalTeams, page: Page, complaints: list[str]) -> None:
    """The bot gets what mentions it; the page says so of what does not."""
    open_group(page)
    say(page, "hello all")
    own = message(page, "hello all")
    expect(own).to_contain_text(UNMENTIONED)
    mention(page, "Bot", "hello bot")
    expect(bubble(page, "You said: ")).to_be_visible()
    expect(page.locator(".message--own .mention")).to_have_text("Bot")
    sent = teams.received(page, "<at>Bot</at> hello bot")
    entity = next(each for each in sent["entities"] if each["type"] == "mention")
    assert entity["mentioned"]["id"].startswith("28:")
    assert sent["conversation"]["conversationType"] == "groupChat"
    shoot(page, "group")
    assert complaints == []


def test_a_mention_survives_a_reload(teams: LocalTeams, page: Page) -> None:
    """A member who was picked is still mentioned when the draft is sent after a reload."""
    open_group(page)
    box(page).press_sequentially("@Bo")
    expect(page.get_by_role("listbox", name="Mention")).to_be_visible()
    box(page).press("Enter")
    box(page).press_sequentially("hello")
    page.reload()
    expect(box(page)).to_have_value("@Bot hello")
    box(page).press("Enter")
    expect(bubble(page, "You said: ")).to_be_visible()
    sent = teams.received(page, "<at>Bot</at> hello")
    assert "mention" in [each["type"] for each in sent["entities"]]


def test_a_mention_among_many(teams: LocalTeams, page: Page) -> None:
    """The list of members scrolls to the one that the arrow keys choose."""
    open_group(page)
    chat = f"{teams.url}api/chat/conversations/{teams.conversation(page).id}"
    for _ in range(12):
        assert page.request.post(f"{chat}/members", data={"new": True}).ok
    expect(page.locator(".count")).to_have_text("13")
    box(page).press_sequentially("@")
    options = page.get_by_role("listbox", name="Mention").get_by_role("option")
    expect(options.last).not_to_be_in_viewport()
    box(page).press("ArrowUp")
    expect(options.last).to_be_in_viewport(ratio=0.9)
    expect(options.last).to_have_attribute("aria-selected", "true")


def test_the_list_of_members_closes_when_the_message_is_sent(page: Page) -> None:
    """Nobody can be picked for a message that is gone."""
    box(page).press_sequentially("mail me @")
    listed = page.get_by_role("listbox", name="Mention")
    expect(listed).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(bubble(page, "You said: mail me @")).to_be_visible()
    expect(listed).not_to_be_visible()


def test_a_second_user_in_the_same_chat(teams: LocalTeams, page: Page) -> None:
    """A member is added, acted as, mentioned and removed; two tabs see the same."""
    open_group(page)
    members = page.get_by_role("button", name="members, acting as")
    members.or_(page.get_by_role("button", name="1 member")).first.click()
    page.get_by_role("menuitem", name="Add a new user").click()
    expect(page.locator(".count")).to_have_text("2")
    expect(page.locator(".event").last).to_have_text(re.compile(r"User \d+ joined"))
    first = page.locator(".rail__user-name").inner_text()
    members.first.click()
    page.get_by_role("menuitemcheckbox", checked=False).click()
    expect(page.locator(".rail__user-name")).not_to_have_text(first)
    say(page, "it is me, the second one")
    expect(message(page, "the second one")).to_have_class("message message--own")
    expect(bubble(page, GREETING)).to_be_visible()
    name = teams.received(page, "it is me, the second one")["from"]["name"]
    expect(page.locator(".rail__user-name")).to_have_text(f"Acting as {name}")
    members.first.click()
    page.get_by_role("menuitem", name="Remove User").first.click()
    expect(page.locator(".count")).to_have_text("1")
    expect(page.locator(".event").last).to_have_text(re.compile(r"User \d+ left"))


def test_a_channel_has_threads(teams: LocalTeams, page: Page) -> None:
    """A post starts a thread, and both the bot's answer and a reply are in it."""
    choose(page, "New conversation", "New team")
    expect(page.get_by_role("heading", level=1)).to_contain_text("General")
    expect(box(page)).to_have_attribute("placeholder", "Start a post")
    mention(page, "Bot", "first post")
    first = page.locator(".thread", has_text="first post")
    expect(first).to_contain_text("You said:")
    mention(page, "Bot", "second post")
    expect(page.locator(".thread", has_text="second post")).to_be_visible()
    expect(page.locator(".thread")).to_have_count(2)
    first.get_by_role("button", name="Reply", exact=True).click()
    say(page, "a reply")
    expect(first).to_contain_text("a reply")
    expect(page.locator(".thread")).to_have_count(2)
    reply = teams.received(page, "a reply")
    assert reply["conversation"]["id"].endswith(f";messageid={reply['thread']}")
    assert violations(page) == []
    shoot(page, "channel")


def test_names_can_be_changed(teams: LocalTeams, page: Page) -> None:
    """A group chat gets another name, in header, list and transcript, whatever comes meanwhile."""
    open_group(page)
    choose(page, "More", "Rename")
    page.get_by_role("textbox", name="Name").fill("Release planning")
    teams.bot_says(page, "meanwhile")
    expect(bubble(page, "meanwhile")).to_have_count(1)
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Release planning")
    expect(page.get_by_role("navigation")).to_contain_text("Release planning")
    expect(page.locator(".event").last).to_contain_text("Release planning")
    choose(page, "More", "Rename")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Release planning")


def test_the_app_is_uninstalled_and_installed(page: Page) -> None:
    """The bot greets again when it is installed again; between, it gets nothing."""
    choose(page, "More", "Uninstall the app")
    expect(page.locator(".event").last).to_have_text("The app was uninstalled")
    say(page, "anybody there?")
    expect(message(page, "anybody there?")).to_contain_text("The app is not installed here.")
    choose(page, "More", "Install the app")
    expect(bubble(page, GREETING)).to_have_count(2)


def test_a_new_user(page: Page) -> None:
    """Another user starts in a chat of their own."""
    first = page.locator(".rail__user-name").inner_text()
    say(page, "by the first")
    expect(bubble(page, "You said: by the first")).to_be_visible()
    choose(page, "New conversation", "New user, in a new chat with the bot")
    expect(page.locator(".rail__user-name")).not_to_have_text(first)
    expect(bubble(page, "by the first")).to_have_count(0)
    expect(bubble(page, GREETING)).to_be_visible()


def test_conversations_keep_what_was_typed(page: Page) -> None:
    """Going to another conversation and back keeps its draft and its transcript."""
    say(page, "in the chat")
    expect(bubble(page, "You said: in the chat")).to_be_visible()
    box(page).fill("not yet sent")
    open_group(page)
    expect(box(page)).to_have_value("")
    page.get_by_role("navigation").get_by_role("button", name="Bot", exact=True).click()
    expect(bubble(page, "You said: in the chat")).to_be_visible()
    expect(box(page)).to_have_value("not yet sent")


def test_unread_messages_elsewhere(teams: LocalTeams, page: Page) -> None:
    """What the bot writes in a conversation that is not open is counted in the list."""
    chat = teams.conversation(page)
    open_group(page)
    sender = teams.thread.cloud.teams.directory.bot
    teams.thread.call(chat.add, {"type": "message", "from": sender, "text": "psst"})
    entry = page.get_by_role("navigation").get_by_role("button", name="Bot")
    expect(entry).to_contain_text("1 unread")
    page.reload()
    expect(entry).to_contain_text("1 unread")
    entry.click()
    expect(bubble(page, "psst")).to_be_visible()
    expect(entry).not_to_contain_text("unread")


def test_a_user_blocks_the_bot(teams: LocalTeams, page: Page) -> None:
    """The menu says what it does next, and the bot's messages are refused meanwhile."""
    choose(page, "More", "Block the bot")
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("menuitem", name="Unblock the bot")).to_be_visible()
    assert teams.conversation(page).blocked
    page.get_by_role("menuitem", name="Unblock the bot").click()
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("menuitem", name="Block the bot", exact=True)).to_be_visible()
    assert not teams.conversation(page).blocked
