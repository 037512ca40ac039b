"""A tab's user and conversation: new, kept, or of an earlier run."""

import json
from typing import Any

import aiohttp
import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage


async def test_a_new_tab_is_a_new_user(page: TeamsPage, cloud: Cloud) -> None:
    """Each new tab has another user, in a personal chat of their own."""
    other = await TeamsPage.opened(page.http)
    assert other.user != page.user
    assert other.chat["id"] != page.chat["id"]
    assert page.chat["kind"] == "personal"
    assert [member["id"] for member in page.chat["members"]] == [page.user]
    assert page.chat["bot"] == {"id": f"28:{cloud.registration.app_id}", "name": "Bot"}
    names = {each["name"] for each in other.session["people"]}
    assert {page.session["user"]["name"], other.session["user"]["name"]} <= names


async def test_a_tab_keeps_its_user_and_conversation(page: TeamsPage, bot: AdaptedBot) -> None:
    """A tab that presents both gets the same ones, and the bot no second greeting."""
    kept = {"user": page.session["user"], "conversation": page.chat}
    again = await TeamsPage.opened(page.http, **kept)
    assert again.session["user"] == page.session["user"]
    assert again.chat == page.chat
    assert again.session["run"] == page.session["run"]
    await again.say("hello")
    await bot.wait_for("message")
    assert [each["type"] for each in bot.activities] == ["message"]


async def test_a_tab_of_a_removed_user(page: TeamsPage) -> None:
    """Once it is loaded again, its user is in their personal chat."""
    group = await page.create("group")
    await group.call("POST", f"{group.path}/members", new=True)
    await group.call("DELETE", f"{group.path}/members/{page.user}")
    kept = {"user": page.session["user"], "conversation": group.chat}
    again = await TeamsPage.opened(page.http, **kept)
    assert again.chat["id"] == page.chat["id"]


async def test_two_tabs_of_one_user(page: TeamsPage, bot: AdaptedBot) -> None:
    """A duplicated tab has the same user: both send, and both see it."""
    other = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await other.connect()
    await page.say("from one")
    await other.say("from the other")
    for tab in (page, other):
        await tab.sees("from one")
        await tab.sees("from the other")
    await bot.wait_for("message", 2)
    await other.close()


@pytest.mark.parametrize("kind", ["personal", "group", "channel"])
async def test_a_later_run_takes_them_back(
    page: TeamsPage, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    """After a restart, user and conversation have the same ids, and everybody can write."""
    before = await page.create(kind)
    with CloudThread(Cloud(tmp_path_factory.mktemp("later"))) as thread:
        async with aiohttp.ClientSession(thread.cloud.pages.url) as http:
            kept = {"user": before.session["user"], "conversation": before.chat}
            page = await TeamsPage.opened(http, **kept)
            await page.connect()
            assert page.session["run"] != before.session["run"]
            assert page.user == before.user
            assert _without_run(page.chat) == _without_run(before.chat)
            assert page.chat["bot"]["id"] == f"28:{thread.cloud.registration.app_id}"
            await page.say("still here")
            await page.sees("still here")
            assert not [each for each in page.shown() if each["type"] != "message"]
            await page.close()


async def test_a_later_run_knows_what_the_bot_may_do(
    page: TeamsPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A bot that was uninstalled, or blocked, still is."""
    await page.call("POST", f"{page.path}/block")
    chat = await page.call("POST", f"{page.path}/uninstall")
    with CloudThread(Cloud(tmp_path_factory.mktemp("later"))) as thread:
        async with aiohttp.ClientSession(thread.cloud.pages.url) as http:
            later = await TeamsPage.opened(http, user=page.session["user"], conversation=chat)
            assert (later.chat["installed"], later.chat["blocked"]) == (False, True)


async def test_a_later_run_knows_the_team_of_a_channel(
    page: TeamsPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A tab that shows another channel brings "General" back, too, with the team's members."""
    general = await page.create("channel")
    team = general.chat["team"]["id"]
    plans = await page.create("channel", team=team, name="Plans")
    kept = {"user": page.session["user"], "conversation": plans.chat}
    with CloudThread(Cloud(tmp_path_factory.mktemp("later"))) as thread:
        async with aiohttp.ClientSession(thread.cloud.pages.url) as http:
            later = await TeamsPage.opened(http, **kept)
            known = await later.call("GET", f"/conversations?user={later.user}")
            assert {each["id"] for each in known} == {team, plans.chat["id"]}
            found = await later.call("GET", general.path)
            assert _without_run(found) == _without_run(general.chat)


async def test_a_new_user_after_kept_ones_has_a_new_name(page: TeamsPage) -> None:
    """Its number is higher than those of the users that tabs have kept; a name may have none."""
    await TeamsPage.opened(page.http, user={**page.session["user"], "id": "29:1x", "name": "Ann"})
    kept = {**page.session["user"], "id": "29:1kept", "name": "User 700"}
    await TeamsPage.opened(page.http, user=kept)
    new = await TeamsPage.opened(page.http)
    assert new.session["user"]["name"] == "User 701"


def _without_run(chat: dict[str, Any]) -> dict[str, Any]:
    """A conversation, without what is the bot's or the tenant's of one run."""
    members = [{**member, "tenantId": ""} for member in chat["members"]]
    return {**chat, "members": members, "bot": None}


USER = {"id": "29:1abc", "name": "User 9", "aadObjectId": "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"}
CHAT = {"id": "a:1abc", "kind": "personal", "members": [USER], "installed": True}
GROUP = {**CHAT, "id": "19:x@thread.v2", "kind": "group"}
TEAM = {"id": "19:t@thread.tacv2", "name": "Team", "aadGroupId": USER["aadObjectId"]}


@pytest.mark.parametrize(
    "kept",
    [
        {"user": "me"},
        {"user": {**USER, "id": "1abc"}},
        {"user": {**USER, "id": "29:" + "x" * 300}},
        {"user": {**USER, "id": "29:a/b"}},
        {"user": {**USER, "name": ""}},
        {"user": {**USER, "name": "x" * 300}},
        {"user": {**USER, "aadObjectId": "no GUID"}},
        {"conversation": CHAT},
        {"user": USER, "conversation": {**CHAT, "kind": "meeting"}},
        {"user": USER, "conversation": {**CHAT, "id": "19:x@thread.v2"}},
        {"user": USER, "conversation": {**CHAT, "members": "all"}},
        {"user": USER, "conversation": {**CHAT, "members": [1]}},
        {"user": USER, "conversation": CHAT},
        {"user": USER, "conversation": {**GROUP, "members": []}},
        {"user": USER, "conversation": {**CHAT, "kind": "channel", "id": "19:c@thread.tacv2"}},
        {"user": USER, "conversation": {**CHAT, "kind": "channel", "id": "19:c", "team": TEAM}},
    ],
)
async def test_an_invalid_kept_session_is_a_400(
    pages: aiohttp.ClientSession, kept: dict[str, Any]
) -> None:
    """The response says what is wrong."""
    async with pages.post("/api/chat/session", json=kept) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "BadArgument"


@pytest.mark.parametrize("body", ["no JSON", "[]", '"text"'])
async def test_a_body_that_is_no_object_is_a_400(pages: aiohttp.ClientSession, body: str) -> None:
    """The body of a request must be a JSON object."""
    async with pages.post("/api/chat/session", data=body) as response:
        assert response.status == 400


async def test_other_sites_are_refused(pages: aiohttp.ClientSession) -> None:
    """A page of another site cannot write to the bot, nor listen."""
    headers = {"Origin": "https://example.com"}
    body = json.dumps({})
    async with pages.post("/api/chat/session", data=body, headers=headers) as response:
        assert response.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await pages.ws_connect("/api/chat/live", headers=headers)
