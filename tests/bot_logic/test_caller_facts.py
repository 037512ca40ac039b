"""caller_facts: what the bot lists about the user who sent an activity."""

from typing import Any

import pytest
from botbuilder.schema import Activity

from bot_logic.caller_facts import caller_facts

EVERYTHING: dict[str, Any] = {
    "channelId": "msteams",
    "locale": "en-US",
    "from": {"id": "29:1", "name": "Ada", "aadObjectId": "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"},
    "conversation": {"id": "c", "conversationType": "personal", "tenantId": "5b1c7a58"},
}


def facts_of(activity: dict[str, Any]) -> str:
    """What the bot lists for an activity."""
    return caller_facts(Activity.deserialize(activity))


def test_everything() -> None:
    """Each fact is an item of the list."""
    assert facts_of(EVERYTHING).splitlines() == [
        "- **Name**: Ada",
        "- **User id**: 29:1",
        "- **Entra object id**: 0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11",
        "- **Tenant**: 5b1c7a58",
        "- **Channel**: msteams",
        "- **Conversation type**: personal",
        "- **Locale**: en-US",
    ]


def test_the_sdk_s_spelling_of_the_tenant() -> None:
    """The tenant is found under the name that the SDK's model reads, too."""
    conversation = {"id": "c", "tenantID": "5b1c7a58"}
    facts = facts_of({"channelId": "msteams", "conversation": conversation})
    assert facts == "- **Tenant**: 5b1c7a58\n- **Channel**: msteams"


@pytest.mark.parametrize("channel", ["webchat", "directline"])
def test_what_the_client_claims(channel: str) -> None:
    """An object id and a tenant that the client can set are not shown."""
    facts = facts_of({**EVERYTHING, "channelId": channel})
    assert "object id" not in facts
    assert "Tenant" not in facts
    assert "- **Name**: Ada" in facts


@pytest.mark.parametrize(
    "activity", [{}, {"from": None, "conversation": {"id": "c"}}, {"from": {"name": ""}}]
)
def test_what_is_missing_is_left_out(activity: dict[str, Any]) -> None:
    """Missing facts are left out."""
    assert facts_of(activity) == ""
