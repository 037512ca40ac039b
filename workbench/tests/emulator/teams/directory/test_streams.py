"""Streamed messages in the local Teams. Microsoft reference "Stream bot messages"."""

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.emulator.channel.stream_parts import part
from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import TeamsPage


async def test_a_stream_becomes_a_message(
    page: TeamsPage, connector: ConnectorCaller, cloud: Cloud
) -> None:
    """The first part is a 201 with the stream's id, all others are a 202; one bubble changes."""
    cloud.teams.directory.conversation(page.chat["id"]).streams.part_seconds = 0
    path = f"/conversations/{page.chat['id']}/activities"
    status, started = await connector.call("POST", path, part(1, kind="informative"))
    assert status == 201
    stream_id = started["id"]
    await page.sees("text 1")
    assert await connector.call("POST", path, part(2, stream_id)) == (202, {})
    shown = await page.sees("text 2")
    assert (shown["id"], shown["type"]) == (stream_id, "typing")
    assert shown["entities"][0]["streamId"] == stream_id
    status, late = await connector.call("POST", path, part(1, stream_id, text="late"))
    assert (status, late["error"]["code"]) == (202, "ContentStreamSequenceOrderPreConditionFailed")
    final = part(None, stream_id, "final", text="text 2, and the end")
    assert await connector.call("POST", path, final) == (202, {})
    shown = await page.sees("text 2, and the end")
    assert (shown["id"], shown["type"]) == (stream_id, "message")
    refusal = await connector.refused("POST", path, part(3, stream_id))
    assert refusal[:2] == (403, "ContentStreamNotAllowed")
    assert "already completed" in refusal[2]


async def test_the_user_stops_a_stream(page: TeamsPage, connector: ConnectorCaller) -> None:
    """Pages see it; the bot learns it from the answer to its next part, and cannot replace it."""
    path = f"/conversations/{page.chat['id']}/activities"
    _, started = await connector.call("POST", path, part(1))
    await page.call("POST", f"{page.path}/activities/{started['id']}/stop")
    await page.sees("text 1", stopped=True)
    refusal = await connector.refused("POST", path, part(2, started["id"]))
    assert refusal[:2] == (403, "ContentStreamNotAllowed")
    assert "cancelled by user" in refusal[2]
    whole = {"type": "message", "text": "the whole text"}
    assert await connector.refused("PUT", f"{path}/{started['id']}", whole) == refusal
    assert (await connector.call("POST", path, part(1)))[0] == 201


@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_streams_are_for_personal_chats(
    page: TeamsPage, connector: ConnectorCaller, kind: str
) -> None:
    """Elsewhere, Teams refuses them in the words that the SDKs look for."""
    chat = await page.create(kind)
    refusal = await connector.refused(
        "POST", f"/conversations/{chat.chat['id']}/activities", part(1)
    )
    assert refusal[:2] == (400, "BadArgument")
    assert "streaming api is not enabled" in refusal[2].lower()
