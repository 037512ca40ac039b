"""The hint for an invoke that nothing handles names the method that the SDK calls for it."""

from typing import Any

import pytest
from botbuilder.core import BotAdapter, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount, ConversationAccount

from bot_workbench.emulator.inspector.unhandled_invokes import (
    METHODS,
    METHODS_BY_VALUE,
    OTHER,
    hint_for,
    method_for,
)

VALUES: dict[str, dict[str, Any]] = {
    "adaptiveCard/action": {"action": {"type": "Action.Execute", "verb": "do"}},
    "fileConsent/invoke": {"type": "fileUpload", "action": "other"},
}
"""Values that the SDK needs to come to the method."""


class Adapter(BotAdapter):  # type: ignore[misc]  # the SDK has no types
    """Drops what the bot sends."""

    async def send_activities(self, context: Any, activities: Any) -> Any:
        return []

    async def update_activity(self, context: Any, activity: Any) -> Any:
        return None

    async def delete_activity(self, context: Any, reference: Any) -> Any:
        return None


class Called(Exception):
    """The method was called."""


async def called_by_the_sdk(name: str | None, value: Any, method: str) -> bool:
    """Whether the unmodified SDK calls a method for an invoke."""

    async def record(*_: Any) -> None:
        raise Called

    handler = type("Bot", (TeamsActivityHandler,), {method: record})()
    activity = Activity(
        type=ActivityTypes.invoke,
        name=name,
        value=value,
        channel_id="msteams",
        from_property=ChannelAccount(id="u"),
        recipient=ChannelAccount(id="b"),
        conversation=ConversationAccount(id="c"),
    )
    try:
        await handler.on_turn(TurnContext(Adapter(), activity))
    except Called:
        return True
    return False


@pytest.mark.parametrize("name", METHODS)
async def test_the_sdk_calls_the_method(name: str) -> None:
    """For each name, the SDK's own dispatcher comes to the method of the table."""
    value = VALUES.get(name, {})
    assert await called_by_the_sdk(name or None, value, METHODS[name])
    assert method_for(name, value) == METHODS[name]


@pytest.mark.parametrize(("name", "field", "text"), METHODS_BY_VALUE)
async def test_the_sdk_calls_the_method_by_value(name: str, field: str, text: str) -> None:
    """Where the value decides, the SDK comes to that method."""
    value = {field: text}
    method = METHODS_BY_VALUE[name, field, text]
    assert method_for(name, value) == method
    assert await called_by_the_sdk(name, value, method)


def test_no_invoke_method_is_missing() -> None:
    """Each method of the SDK that answers an invoke is in the table."""
    others = {
        *("on_teams_members_added", "on_teams_members_removed"),
        *("on_teams_members_added_dispatch", "on_teams_members_removed_dispatch"),
        *("on_teams_message_edit", "on_teams_message_undelete", "on_teams_message_soft_delete"),
        "on_teams_messaging_extension_submit_action_dispatch",
    }
    events = ("on_teams_channel_", "on_teams_team_", "on_teams_meeting_", "on_teams_read_receipt")
    found = {
        name
        for name in dir(TeamsActivityHandler)
        if name.startswith("on_teams_") and not name.startswith(events)
    }
    named = {*METHODS.values(), *METHODS_BY_VALUE.values()}
    assert found - others == named - {"on_adaptive_card_invoke"}


def test_hints() -> None:
    """Only an invoke that was answered 501 has a hint; other invokes have one method for all."""
    query = {"type": "invoke", "name": "composeExtension/query"}
    text = "Nothing handles composeExtension/query: write on_teams_messaging_extension_query"
    assert hint_for(query, 501) == text
    assert hint_for(query, 200) == ""
    assert hint_for({"type": "message"}, 501) == ""
    feedback = {"type": "invoke", "name": "message/submitAction", "value": None}
    assert hint_for(feedback, 501) == f"Nothing handles message/submitAction: write {OTHER}"
    assert hint_for({"type": "invoke"}, 501).endswith("write on_teams_card_action_invoke")
    assert hasattr(TeamsActivityHandler, OTHER)
