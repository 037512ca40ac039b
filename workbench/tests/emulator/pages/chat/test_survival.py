"""The chat page survives reloads, restarts and a bot that is not ready."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.loopback import free_port
from tests.emulator.pages.chat.local_teams import (
    GREETING,
    LocalTeams,
    box,
    bubble,
    choose,
    hand_over,
    message,
    shoot,
)
from tests.support.bots.bot_process import BotProcess
from tests.support.wire.chromium import PAINTS_LATE, say, tab, violations


@contextlib.contextmanager
def running(libraries: Path, folder: Path, port: int = 0) -> Iterator[CloudThread]:
    """A run of the local cloud, whose page has this port or any; without a bot."""
    with CloudThread(Cloud(folder, libraries=libraries)) as thread:
        thread.call(thread.cloud.watch)
        thread.stop("chat")
        thread.do(thread.cloud.pages.start(port))
        yield thread


@contextlib.contextmanager
def bot_of(thread: CloudThread, log: Path) -> Iterator[None]:
    """The bot in front of it."""
    feed = thread.cloud.inspector.feed.address.settings()
    with BotProcess(thread.cloud.settings() | feed, log) as bot:
        thread.cloud.channel.bot_endpoint = bot.messages
        yield


def user_of(page: Page) -> str:
    """The name of the user of a page."""
    return page.locator(".rail__user-name").inner_text()


def test_a_page_that_is_painted_late(
    teams: LocalTeams, browser: Browser, complaints: list[str]
) -> None:
    """It shows what happened before it was painted."""
    with tab(browser, complaints, 1280, 860) as page:
        page.add_init_script(PAINTS_LATE)
        teams.open(page)
        expect(page.locator(".status")).not_to_have_text("Connecting")
    assert complaints == []


def test_nothing_waits_for_a_cloud_that_cannot_be_reached(
    teams: LocalTeams, browser: Browser
) -> None:
    """Without a session, a command says so, and is not carried out later."""
    with tab(browser, [], 1280, 860) as page:
        page.route("**/api/chat/session", lambda route: route.abort())
        page.goto(teams.url)
        choose(page, "New conversation", "New group chat")
        expect(page.get_by_text("The local cloud cannot be reached.")).to_be_visible()
        page.unroute("**/api/chat/session")
        expect(bubble(page, GREETING)).to_be_visible()
        expect(page.get_by_role("navigation")).not_to_contain_text("Group chat")


def test_a_reload_changes_nothing(page: Page, complaints: list[str]) -> None:
    """User, conversation, transcript and what was typed are there again; nobody is greeted."""
    say(page, "remember me")
    expect(bubble(page, "You said: remember me")).to_be_visible()
    name = user_of(page)
    box(page).fill("half a sent")
    page.reload()
    expect(bubble(page, "You said: remember me")).to_be_visible()
    expect(box(page)).to_have_value("half a sent")
    expect(bubble(page, GREETING)).to_have_count(1)
    assert user_of(page) == name
    say(page, "again")
    expect(bubble(page, "You said: again")).to_be_visible()
    assert complaints == []


def test_each_tab_is_another_user(teams: LocalTeams, page: Page) -> None:
    """A new tab has a user and a chat of its own."""
    other = page.context.new_page()
    teams.open(other)
    assert user_of(other) != user_of(page)
    assert teams.conversation(other) is not teams.conversation(page)


def test_a_restart_of_the_local_cloud(libraries: Path, browser: Browser, tmp_path: Path) -> None:
    """The page says that the cloud is stopped, keeps what is written, and sends it to the next."""
    port = free_port()
    page = browser.new_page()
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with running(libraries, first, port) as thread, bot_of(thread, first / "bot.log"):
        page.goto(f"{thread.cloud.pages.url}/")
        expect(bubble(page, GREETING)).to_be_visible()
        say(page, "before")
        expect(bubble(page, "You said: before")).to_be_visible()
    expect(page.locator(".banner")).to_contain_text("The local cloud is stopped.")
    name = user_of(page)
    say(page, "meanwhile")
    expect(page.locator(".delivery")).to_have_text("Waiting for the local cloud…")
    hand_over(page, "a.txt", "text/plain", b"a", "drop")
    say(page, "with a file")
    expect(page.locator(".notice")).to_contain_text("Files cannot be sent until")
    expect(box(page)).to_have_value("with a file")
    shoot(page, "stopped")
    with running(libraries, second, port) as thread, bot_of(thread, second / "bot.log"):
        expect(bubble(page, "You said: meanwhile")).to_be_visible()
        expect(page.locator(".event").last).to_have_text("The local cloud was restarted")
        expect(page.locator(".banner")).to_have_count(0)
        expect(bubble(page, "You said: before")).to_be_visible()
        expect(bubble(page, GREETING)).to_have_count(1)
        assert user_of(page) == name
        before = message(page, "You said: before")
        expect(before.get_by_role("button", name="Message options")).to_have_count(0)
        box(page).press("Enter")
        expect(bubble(page, "You said: with a file")).to_be_visible()
        say(page, "after")
        expect(bubble(page, "You said: after")).to_be_visible()
        page.reload()
        expect(bubble(page, "You said: after")).to_be_visible()
    page.close()


def test_before_the_bot_is_ready(libraries: Path, browser: Browser, tmp_path: Path) -> None:
    """A page that is early shows that the bot starts; greeting and answer come when it can."""
    page = browser.new_page()
    with running(libraries, tmp_path) as thread:
        thread.call(thread.cloud.inspector.status.set, "starting")
        page.goto(f"{thread.cloud.pages.url}/")
        expect(page.locator(".status")).to_have_text("Bot is starting")
        say(page, "early")
        expect(page.locator(".delivery")).to_have_text("Waiting for the bot…")
        with bot_of(thread, tmp_path / "bot.log"):
            thread.call(thread.cloud.inspector.status.set, "ready")
            expect(bubble(page, GREETING)).to_be_visible()
            expect(bubble(page, "You said: early")).to_be_visible()
            expect(page.locator(".delivery")).to_have_count(0)
            expect(page.locator(".status")).to_have_text("Bot is ready")
    page.close()


def test_a_blocked_event_loop(teams: LocalTeams, page: Page) -> None:
    """The page says what blocks it, for as long as it does."""
    cloud = teams.thread.cloud
    teams.thread.call(cloud.inspector.status.set, "ready")
    place = "bot_logic/bot.py:12 in on_message_activity: time.sleep(60)"
    blocked = {"event": "blocked", "pid": 1, "place": place}
    teams.thread.call(cloud.inspector.feed.on_event, blocked)
    expect(page.get_by_role("alert")).to_contain_text(place)
    expect(page.locator(".status")).to_have_text("Bot is blocked")
    assert violations(page) == []
    shoot(page, "blocked")
    teams.thread.call(cloud.inspector.feed.on_event, {**blocked, "place": ""})
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".status")).to_have_text("Bot is ready")


def test_code_that_does_not_load(teams: LocalTeams, page: Page) -> None:
    """The page says where the error is for as long as it is there; the old code answers."""
    status = teams.thread.cloud.inspector.status
    teams.thread.call(status.set, "ready")
    text = "bot_logic/bot.py:109 SyntaxError: invalid syntax; fix and save"
    teams.thread.call(status.set, "broken", text)
    expect(page.get_by_role("alert")).to_contain_text(text)
    say(page, "still there?")
    expect(bubble(page, "You said: still there?")).to_be_visible()
    shoot(page, "broken")
    assert violations(page) == []
    teams.thread.call(status.set, "ready")
    expect(page.get_by_role("alert")).to_have_count(0)
