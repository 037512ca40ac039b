"""The codec reads and writes what msrest does, but keeps what the models do not name."""

import copy
import json
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, Entity
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_adapter.codec import read_model, write_value
from tests.support.model_json import (
    COMPARED,
    RANDOM,
    full_json,
    in_utc,
    kinds,
    model_json,
    msrest_read,
    msrest_written,
)

TEAMS_MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "1485983408511",
    "timestamp": "2026-01-01T10:00:00.1234567Z",
    "localTimestamp": "2026-01-01T15:30:00.1234567+05:30",
    "localTimezone": "Asia/Kolkata",
    "serviceUrl": "https://smba.trafficmanager.net/amer/",
    "channelId": "msteams",
    "from": {"id": "29:1abc", "name": "Ada", "aadObjectId": "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"},
    "conversation": {
        "isGroup": True,
        "conversationType": "channel",
        "tenantID": "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22",
        "id": "19:f53@thread.tacv2;messageid=1485983408511",
    },
    "recipient": {"id": "28:c9e", "name": "Bot"},
    "textFormat": "plain",
    "attachmentLayout": "list",
    "text": "<at>Bot</at> h\u00e9llo \U0001f600 \ud800",
    "locale": "en-US",
    "expiration": None,
    "importance": "normal",
    "deliveryMode": "normal",
    "listenFor": ["a", None],
    "attachments": [
        {"contentType": "text/html", "content": "<div>hello</div>"},
        {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "n": 1.5}, None]},
        },
        None,
    ],
    "suggestedActions": {
        "to": ["29:1abc"],
        "actions": [{"type": "imBack", "title": "Yes", "value": {"deep": [1, {"er": False}]}}],
    },
    "channelData": {"tenant": {"id": "5b1c"}, "team": {"id": "19:f53"}, "nothing": None},
    "value": {"x": [True, None, 12345678901234567890, 1e-9, ""]},
    "relatesTo": {"activityId": "1", "bot": {"id": "28:c9e"}, "conversation": {"id": "19:f53"}},
    "semanticAction": {"id": "book", "state": "start", "entities": {"city": {"type": "place"}}},
    "textHighlights": [{"text": "hello", "occurrence": 1}],
    "replyToId": "",
}

ENTITIES: dict[str, dict[str, Any]] = {
    "mention": {
        "type": "mention",
        "text": "<at>Bot</at>",
        "mentioned": {"id": "28:c9e", "name": "Bot"},
        "mentionType": None,
    },
    "citation": {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "@id": "",
        "additionalType": ["AIGeneratedContent"],
        "citation": [
            {
                "@type": "Claim",
                "position": 1,
                "appearance": {"@type": "DigitalDocument", "name": "Doc", "abstract": "..."},
            }
        ],
    },
    "streaming": {
        "type": "streaminfo",
        "streamId": "a-0000l",
        "streamType": "streaming",
        "streamSequence": 2,
    },
    "client": {
        "type": "clientInfo",
        "locale": "en-US",
        "country": "US",
        "platform": "Windows",
        "timezone": "America/New_York",
    },
    "place": {"type": "GeoCoordinates", "latitude": 47.6, "longitude": -122.3, "elevation": 0},
    "without type": {"text": "x"},
}


@settings(RANDOM, max_examples=450)
@given(
    # Every third one is an activity.
    st.sampled_from([*COMPARED, *[Activity] * (len(COMPARED) // 2)]).flatmap(
        lambda model: st.tuples(st.just(model), model_json(model))
    )
)
def test_random_models_are_read_and_written_as_by_msrest(drawn: tuple[Any, dict[str, Any]]) -> None:
    """Every model is read into the same object, and written as the same JSON."""
    model, data = drawn
    mine, theirs = read_model(model, copy.deepcopy(data)), msrest_read(model, copy.deepcopy(data))
    assert mine == theirs
    assert in_utc(write_value(mine)) == in_utc(msrest_written(theirs))


def test_null_properties_are_read_as_by_msrest() -> None:
    """Each property of an activity may be null."""
    data = dict.fromkeys(kinds(Activity))
    assert read_model(Activity, data) == Activity.deserialize(dict(data)) == Activity()


@pytest.mark.parametrize("model", COMPARED)
def test_full_models_are_read_and_written_as_by_msrest(model: Any) -> None:
    """Every class of the SDK, with all its properties."""
    data = full_json(model)
    mine, theirs = read_model(model, data), msrest_read(model, copy.deepcopy(data))
    assert mine == theirs
    assert json.dumps(in_utc(write_value(mine))) == json.dumps(in_utc(msrest_written(theirs)))


def test_a_message_of_teams_is_read_and_written_as_by_msrest() -> None:
    """It has one of everything that Teams sends."""
    mine = read_model(Activity, copy.deepcopy(TEAMS_MESSAGE))
    theirs = Activity.deserialize(copy.deepcopy(TEAMS_MESSAGE))
    assert mine == theirs
    assert in_utc(write_value(mine)) == theirs.serialize()
    assert json.loads(json.dumps(write_value(mine))) == write_value(mine)


@pytest.mark.parametrize("name", ["timestamp", "localTimestamp", "expiration"])
@pytest.mark.parametrize(
    ("received", "passed_on"),
    [
        ("2026-01-01T11:00:00.123+01:00", "2026-01-01T11:00:00.123+01:00"),
        ("2026-01-01T00:30:00-09:30", "2026-01-01T00:30:00.000-09:30"),
        ("2026-01-01T11:00:00.1234567+14:00", "2026-01-01T11:00:00.123456+14:00"),
        ("2026-01-01T10:00:00.123Z", "2026-01-01T10:00:00.123Z"),
        ("2026-01-01T10:00:00.123+00:00", "2026-01-01T10:00:00.123Z"),
        ("2026-01-01T10:00:00", "2026-01-01T10:00:00.000Z"),
        ("2026-01-01T10:00:00.5+00:00:30", "2026-01-01T09:59:30.500Z"),
        ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_passed_on_with_its_offset(name: str, received: str, passed_on: str) -> None:
    """As in the SDK for .NET; msrest writes it in UTC. An offset with seconds is not JSON's."""
    assert write_value(read_model(Activity, {name: received})) == {name: passed_on}


@pytest.mark.parametrize("entity", list(ENTITIES.values()), ids=list(ENTITIES))
def test_entities_keep_every_property(entity: dict[str, Any]) -> None:
    """An entity is written as it was read."""
    activity = read_model(Activity, {"type": "message", "entities": [entity]})
    assert isinstance(activity.entities[0], Entity)
    assert write_value(activity)["entities"] == [entity]


def test_unknown_properties_stay_at_every_level() -> None:
    """Unknown properties of activities, accounts and attachments survive."""
    data = {
        "type": "message",
        "new": {"a": [None]},
        "additional_properties": "is a property like others",
        "from": {"id": "1", "userPrincipalName": "ada"},
        "conversation": {"id": "1", "tenantId": "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"},
        "attachments": [{"contentType": "x", "later": 1}],
    }
    activity = read_model(Activity, copy.deepcopy(data))
    assert activity.from_property.additional_properties == {"userPrincipalName": "ada"}
    assert write_value(activity) == data


def test_the_sdk_finds_mentions_in_what_is_read() -> None:
    """botbuilder's own search for mentions works on an activity that the codec read."""
    activity = read_model(
        Activity,
        {
            "text": "<at>Bot</at> help",
            "recipient": {"id": "28:c9e"},
            "entities": [ENTITIES["mention"], ENTITIES["client"]],
        },
    )
    assert len(TurnContext.get_mentions(activity)) == 1
    assert TurnContext.remove_recipient_mention(activity).strip() == "help"
