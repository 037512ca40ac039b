"""The SDK's TeamsActivityHandler and TeamsInfo with the local Teams, in the deployed adapter."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import CardFactory, MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler, TeamsInfo
from botbuilder.schema.teams import (
    FileConsentCardResponse,
    TaskModuleContinueResponse,
    TaskModuleResponse,
    TaskModuleTaskInfo,
)

from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage
from tests.support.timing import condition

Ask = Callable[[TurnContext], Awaitable[Any]]


class RecordingHandler(TeamsActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Records which of its methods is called, and with what."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    async def on_teams_members_added(
        self, teams_members_added: Any, team_info: Any, turn_context: TurnContext
    ) -> None:
        names = [(each.name, getattr(each, "email", None)) for each in teams_members_added]
        self.events.append(("added", (names, getattr(team_info, "name", None))))

    async def on_teams_members_removed(
        self, teams_members_removed: Any, team_info: Any, turn_context: TurnContext
    ) -> None:
        ids = [each.id for each in teams_members_removed]
        self.events.append(("removed", (ids, getattr(team_info, "name", None))))

    async def on_teams_channel_created(
        self, channel_info: Any, team_info: Any, turn_context: TurnContext
    ) -> None:
        self.events.append(("channel created", (channel_info.name, team_info.name)))

    async def on_teams_channel_renamed(
        self, channel_info: Any, team_info: Any, turn_context: TurnContext
    ) -> None:
        self.events.append(("channel renamed", (channel_info.name, team_info.name)))

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        self.events.append(("installed", turn_context.activity.conversation.conversation_type))

    async def on_installation_update_remove(self, turn_context: TurnContext) -> None:
        self.events.append(("uninstalled", turn_context.activity.conversation.conversation_type))

    async def on_teams_message_edit(self, turn_context: TurnContext) -> None:
        self.events.append(("edited", turn_context.activity.text))

    async def on_teams_message_undelete(self, turn_context: TurnContext) -> None:
        self.events.append(("undeleted", turn_context.activity.text))

    async def on_teams_message_soft_delete(self, turn_context: TurnContext) -> None:
        self.events.append(("deleted", turn_context.activity.id))

    async def on_reactions_added(self, message_reactions: Any, turn_context: TurnContext) -> None:
        self.events.append(("reaction", [each.type for each in message_reactions]))

    async def on_teams_file_consent_accept(
        self, turn_context: TurnContext, file_consent_card_response: FileConsentCardResponse
    ) -> None:
        info = file_consent_card_response.upload_info
        self.events.append(("consent", (info.name, info.file_type, bool(info.upload_url))))

    async def on_teams_task_module_fetch(
        self, turn_context: TurnContext, task_module_request: Any
    ) -> TaskModuleResponse:
        self.events.append(("fetch", task_module_request.data))
        card = CardFactory.adaptive_card({"type": "AdaptiveCard"})
        task = TaskModuleContinueResponse(value=TaskModuleTaskInfo(title="A title", card=card))
        return TaskModuleResponse(task=task)


@pytest.fixture
def handler(bot: AdaptedBot, page: TeamsPage) -> RecordingHandler:
    """What the bot is, once the page is open."""
    del page
    handler = RecordingHandler()
    bot.turn = handler.on_turn
    return handler


async def seen(handler: RecordingHandler, event: str, count: int = 1) -> Any:
    """What the newest event of this name brought, once there are so many."""

    def found() -> list[Any]:
        return [detail for name, detail in handler.events if name == event]

    await condition.comes_true(lambda: len(found()) >= count)
    return found()[-1]


async def test_members_of_a_group_chat(page: TeamsPage, handler: RecordingHandler) -> None:
    """The handler looks the new user up; there is no team, and nothing fails."""
    group = await page.create("group")
    names, team = await seen(handler, "added")
    assert (names, team) == ([("Bot", None)], None)
    chat = await group.call("POST", f"{group.path}/members", new=True)
    user = chat["members"][1]
    assert await seen(handler, "added", 2) == ([(user["name"], user["email"])], None)
    await group.call("DELETE", f"{group.path}/members/{user['id']}")
    assert await seen(handler, "removed") == ([user["id"]], None)


async def test_a_team(page: TeamsPage, handler: RecordingHandler) -> None:
    """Members, channels and the installation arrive with the team."""
    general = await page.create("channel")
    team = general.chat["team"]["name"]
    assert await seen(handler, "installed") == "channel"
    assert (await seen(handler, "added"))[1] == team
    plans = await page.create("channel", team=general.chat["team"]["id"], name="Plans")
    assert await seen(handler, "channel created") == ("Plans", team)
    await plans.call("PATCH", plans.path, name="Budget")
    assert await seen(handler, "channel renamed") == ("Budget", team)
    chat = await plans.call("POST", f"{plans.path}/members", new=True)
    user = chat["members"][1]
    assert await seen(handler, "added", 2) == ([(user["name"], user["email"])], team)
    await plans.call("POST", f"{plans.path}/uninstall")
    assert await seen(handler, "uninstalled") == "channel"


async def test_changes_of_messages(page: TeamsPage, handler: RecordingHandler) -> None:
    """Edits, deletions and reactions have handlers of their own."""
    sent = await page.say("first")
    path = f"{page.path}/activities/{sent['id']}"
    await page.call("PUT", path, activity={"text": "second"})
    assert await seen(handler, "edited") == "second"
    await page.call("DELETE", path)
    assert await seen(handler, "deleted") == sent["id"]
    await page.call("POST", f"{path}/undelete")
    assert await seen(handler, "undeleted") == "second"


async def asked(bot: AdaptedBot, page: TeamsPage, ask: Ask) -> Any:
    """What a bot's turn in this page's conversation returns."""
    results: list[Any] = []

    async def turn(context: TurnContext) -> None:
        if context.activity.type == "message":
            results.append(await ask(context))

    bot.turn = turn
    await page.mention("go")
    await condition.comes_true(lambda: bool(results))
    return results[0]


async def test_teams_info_in_a_personal_chat(page: TeamsPage, bot: AdaptedBot) -> None:
    """A member has what the roster knows."""
    member = await asked(bot, page, lambda context: TeamsInfo.get_member(context, page.user))
    user = page.session["user"]
    assert (member.name, member.email) == (user["name"], user["email"])
    assert (member.given_name, member.surname) == ("User", user["surname"])
    assert member.aad_object_id == user["aadObjectId"]
    assert member.tenant_id == user["tenantId"]


async def test_teams_info_in_a_team(page: TeamsPage, bot: AdaptedBot) -> None:
    """Details, channels and members; the id of a thread is no hindrance."""
    channel = await page.create("channel")
    details = await asked(bot, channel, lambda context: TeamsInfo.get_team_details(context))
    assert details.name == channel.chat["team"]["name"]
    assert details.aad_group_id == channel.chat["team"]["aadGroupId"]
    channels = await asked(bot, channel, lambda context: TeamsInfo.get_team_channels(context))
    assert [each.id for each in channels] == [channel.chat["id"]]
    found = await asked(bot, channel, lambda context: TeamsInfo.get_paged_members(context))
    assert [each.id for each in found.members] == [page.user]
    member = await asked(bot, channel, lambda context: TeamsInfo.get_member(context, page.user))
    assert member.user_principal_name


async def test_a_message_to_another_channel(page: TeamsPage, bot: AdaptedBot) -> None:
    """TeamsInfo starts a thread there, and returns a reference that leads to it."""
    channel = await page.create("channel")
    await channel.connect()
    app_id = bot.app.cloud.registration.app_id

    async def post(context: TurnContext) -> Any:
        message = MessageFactory.text("to everybody")
        return await TeamsInfo.send_message_to_teams_channel(
            context, message, channel.chat["id"], bot_app_id=app_id
        )

    reference, _ = await asked(bot, page, post)
    shown = await channel.sees("to everybody")
    assert reference.conversation.id == f"{channel.chat['id']};messageid={shown['id']}"
    await channel.close()


async def test_a_dialog_and_a_file(page: TeamsPage, handler: RecordingHandler) -> None:
    """The handler reads the values of task modules and of file consent."""
    value = {"data": {"id": 7}, "context": {"theme": "default"}}
    answer = await page.call("POST", f"{page.path}/invoke", name="task/fetch", value=value)
    assert await seen(handler, "fetch") == {"id": 7}
    assert answer["body"]["task"]["type"] == "continue"
    assert answer["body"]["task"]["value"]["title"] == "A title"
    value = {"action": "accept", "context": None}
    answer = await page.call("POST", f"{page.path}/invoke", name="fileConsent/invoke", value=value)
    assert answer["status"] == 200
    assert await seen(handler, "consent") == ("file", "", True)
