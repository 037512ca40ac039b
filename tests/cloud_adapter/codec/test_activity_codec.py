"""The codec does what msrest does, but keeps what the models do not name."""

import copy
import datetime
import decimal
import enum
import json
import logging
import traceback
import uuid
from types import MappingProxyType
from typing import Any

import pytest
from azure.core.exceptions import DeserializationError, SerializationError
from botbuilder.core import CardFactory, IntentScore, RecognizerResult, TurnContext
from botbuilder.schema import (
    ActionTypes,
    Activity,
    ActivityTypes,
    AnimationCard,
    Attachment,
    AttachmentData,
    AudioCard,
    CardAction,
    ChannelAccount,
    ConversationParameters,
    Entity,
    ErrorResponse,
    Fact,
    GeoCoordinates,
    HeroCard,
    Mention,
    OAuthCard,
    ReceiptCard,
    SemanticAction,
    SigninCard,
    SuggestedActions,
    TextHighlight,
    ThumbnailCard,
    VideoCard,
)
from botbuilder.schema import Error as SdkError
from botbuilder.schema.teams import (
    BotConfigAuth,
    ConfigAuthResponse,
    ConfigTaskResponse,
    MeetingParticipantsEventDetails,
    MessagingExtensionActionResponse,
    MessagingExtensionResponse,
    NotificationInfo,
    O365ConnectorCardActionQuery,
    OnBehalfOf,
    TaskModuleCardResponse,
    TaskModuleContinueResponse,
    TaskModuleMessageResponse,
    TeamsChannelData,
)
from botframework.connector.token_api import models as token_api
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msrest.serialization import Model

from cloud_adapter.codec.reader import read_model
from cloud_adapter.codec.writer import write_value
from cloud_adapter.errors import MalformedModel
from tests.support.model_json import (
    ANYTHING,
    MODELS,
    full_json,
    kinds,
    model_json,
    msrest_read,
    msrest_written,
)

RANDOM = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))

UNREADABLE = [TaskModuleCardResponse]
"""The SDK's own slip: a constructor that always raises."""

OTHERWISE_THAN_MSREST = {
    MessagingExtensionResponse: "a type that is a class, on which msrest raises",
    MessagingExtensionActionResponse: "the same",
    O365ConnectorCardActionQuery: "its constructor does not know its attribute",
    MeetingParticipantsEventDetails: "the same",
    TaskModuleContinueResponse: "its constructor names an attribute twice",
    TaskModuleMessageResponse: "the same",
    BotConfigAuth: "the class's defaults, which msrest overwrites with None",
    OnBehalfOf: "the same",
    TeamsChannelData: "it holds OnBehalfOf",
    ConfigTaskResponse: "an empty list in the place of the default",
    ConfigAuthResponse: "the same",
}
"""Models whose definition msrest and the codec read in different ways, and why."""

COMPARED = [model for model in MODELS if model not in (*UNREADABLE, *OTHERWISE_THAN_MSREST)]

PROPERTIES = [
    (model, name, entry["type"])
    for model in COMPARED
    for name, entry in model._attribute_map.items()
    # Free JSON, and dicts of it, have a table of their own.
    if "object" not in entry["type"]
]
"""Model, attribute and msrest type."""

BASIC_PROPERTIES = {
    kind: (model, name)
    for model, name, kind in PROPERTIES
    if kind in ("str", "bool", "int", "long", "float", "iso-8601", "bytearray")
}
"""A model and an attribute of it for each type that holds one value."""

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

CARDS: list[tuple[Any, Any]] = [
    (CardFactory.animation_card, AnimationCard),
    (CardFactory.audio_card, AudioCard),
    (CardFactory.hero_card, HeroCard),
    (CardFactory.oauth_card, OAuthCard),
    (CardFactory.receipt_card, ReceiptCard),
    (CardFactory.signin_card, SigninCard),
    (CardFactory.thumbnail_card, ThumbnailCard),
    (CardFactory.video_card, VideoCard),
]

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


# As msrest does


@settings(RANDOM, max_examples=300)
@given(
    st.sampled_from(COMPARED).flatmap(lambda model: st.tuples(st.just(model), model_json(model)))
)
def test_models_are_msrests(drawn: tuple[Any, dict[str, Any]]) -> None:
    """Every model is read into the same object as by msrest, and written as the same JSON."""
    model, data = drawn
    mine, theirs = read_model(model, copy.deepcopy(data)), msrest_read(model, copy.deepcopy(data))
    assert mine == theirs
    assert write_value(mine) == msrest_written(theirs)


@settings(RANDOM, max_examples=150)
@given(st.sampled_from(ActivityTypes), model_json(Activity))
def test_activities_are_msrests(kind: ActivityTypes, data: dict[str, Any]) -> None:
    """An activity of any type is the one that Activity.deserialize makes, both ways."""
    data = {**data, "type": kind.value}
    mine = read_model(Activity, copy.deepcopy(data))
    theirs = Activity.deserialize(copy.deepcopy(data))
    assert mine == theirs
    assert write_value(mine) == theirs.serialize()


@pytest.mark.parametrize("kind", ActivityTypes)
def test_each_type_of_activity_in_full_is_msrests(kind: ActivityTypes) -> None:
    """An activity of each type, with all that an activity may hold: the same both ways."""
    data = {**full_json(Activity), "type": kind.value}
    mine, theirs = read_model(Activity, data), Activity.deserialize(copy.deepcopy(data))
    assert mine == theirs
    assert json.dumps(write_value(mine)) == json.dumps(theirs.serialize())


@pytest.mark.parametrize("given", ["filled", "null"])
@pytest.mark.parametrize("key", sorted(kinds(Activity)))
def test_each_property_of_an_activity_is_msrests(key: str, given: str) -> None:
    """Each property alone, filled and null: the same both ways."""
    data = {key: full_json(Activity)[key] if given == "filled" else None}
    mine, theirs = read_model(Activity, data), Activity.deserialize(copy.deepcopy(data))
    assert mine == theirs
    assert write_value(mine) == theirs.serialize()


@pytest.mark.parametrize("model", COMPARED)
def test_each_model_in_full_is_msrests(model: Any) -> None:
    """Every card, answer and part of an activity, with all its properties: the same both ways."""
    data = full_json(model)
    mine, theirs = read_model(model, data), msrest_read(model, copy.deepcopy(data))
    assert mine == theirs
    assert json.dumps(write_value(mine)) == json.dumps(msrest_written(theirs))


def test_a_message_of_teams_is_msrests() -> None:
    """One of everything that Teams sends: the same object, and the same JSON again."""
    mine = read_model(Activity, copy.deepcopy(TEAMS_MESSAGE))
    theirs = Activity.deserialize(copy.deepcopy(TEAMS_MESSAGE))
    assert mine == theirs
    assert write_value(mine) == theirs.serialize()
    assert json.loads(json.dumps(write_value(mine))) == write_value(mine)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(Activity(type=ActivityTypes.message, text="hello"), id="enum"),
        pytest.param(Activity(type="message", attachments=[]), id="empty list"),
        pytest.param(
            Activity(
                suggested_actions=SuggestedActions(
                    actions=[CardAction(type=ActionTypes.open_url, title="Go", value="x")]
                )
            ),
            id="nested models",
        ),
        pytest.param(
            Activity(
                attachments=[
                    CardFactory.hero_card(
                        HeroCard(title="Hero", buttons=[CardAction(type="call")])
                    ),
                    CardFactory.receipt_card(ReceiptCard(facts=[Fact(key="Order", value="1")])),
                    CardFactory.adaptive_card({"type": "AdaptiveCard", "body": [{"x": None}]}),
                ]
            ),
            id="cards",
        ),
        *(
            pytest.param(
                Activity(attachments=[card(read_model(kind, full_json(kind)))]), id=kind.__name__
            )
            for card, kind in CARDS
        ),
        pytest.param(
            Activity(channel_data=TeamsChannelData(notification=NotificationInfo(alert=True))),
            id="a model in channelData",
        ),
        pytest.param(
            ConversationParameters(
                is_group=True,
                channel_data={"channel": {"id": "19:f53"}},
                activity=Activity(type="message", text="first"),
            ),
            id="conversation parameters",
        ),
        pytest.param(AttachmentData(name="a", original_base64=b"\x00\xff"), id="bytes"),
        pytest.param(
            Activity(value={ActionTypes.im_back.value: [1, 2.5, None, {"a": False}]}), id="value"
        ),
    ],
)
def test_what_bots_send_is_written_as_by_msrest(sent: Any) -> None:
    """Models that a bot builds itself are written as msrest writes them."""
    assert write_value(sent) == msrest_written(sent)


NEAR_MISSES = (
    ANYTHING
    | st.sampled_from(["true", "FALSE", "1", "0", "", " 7 ", "1_000", "1e3", "nan", 1.0, 2**70])
    | st.from_regex(r"\A2026-0[12]-(01|30)[Tt ]\d\d:00(:00)?([.,]\d*)?([Zz]|[+-]\d\d(:?30)?)?\Z")
)
"""JSON that may stand where another type is expected."""


@settings(RANDOM, max_examples=1000)
@given(st.sampled_from(sorted(BASIC_PROPERTIES)), NEAR_MISSES)
def test_near_misses_are_read_as_by_msrest(kind: str, given: Any) -> None:
    """Another simple type than the model's is converted as msrest does, or refused as there."""
    model, name = BASIC_PROPERTIES[kind]
    data = {model._attribute_map[name]["key"]: given}
    try:
        theirs = getattr(msrest_read(model, data), name)
    except DeserializationError:
        # More of ISO 8601 is understood: a date alone, hours alone, a space in the place of T.
        if kind != "iso-8601":
            with pytest.raises(MalformedModel):
                read_model(model, data)
        return
    if kind == "str" and isinstance(given, list | dict):
        return  # msrest takes Python's text of it; ours is refused, see below
    mine = getattr(read_model(model, data), name)
    if isinstance(theirs, datetime.datetime):
        assert (mine, mine.utcoffset()) == (theirs, theirs.utcoffset())
    else:
        assert repr(mine) == repr(theirs)


# What the models do not name


@pytest.mark.parametrize("entity", list(ENTITIES.values()), ids=list(ENTITIES))
def test_entities_keep_every_property(entity: dict[str, Any]) -> None:
    """An entity is sent on as it came."""
    activity = read_model(Activity, {"type": "message", "entities": [entity]})
    assert isinstance(activity.entities[0], Entity)
    assert write_value(activity)["entities"] == [entity]


def test_unknown_properties_stay_at_every_level() -> None:
    """Properties that no model names are kept in the activity, in accounts and in attachments."""
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


def test_a_model_s_own_property_wins() -> None:
    """An additional property never takes the place of one that the model names."""
    entity = Entity(type="mention")
    entity.additional_properties = {"type": "other", "text": "x"}
    assert write_value(entity) == {"type": "mention", "text": "x"}


@pytest.mark.parametrize(
    "entity",
    [
        Mention(
            mentioned=ChannelAccount(id="29:1abc", name="Ada"), text="<at>Ada</at>", type="mention"
        ),
        {
            "type": "mention",
            "text": "<at>Ada</at>",
            "mentioned": ChannelAccount(id="29:1abc", name="Ada"),
        },
    ],
    ids=["model", "dict"],
)
def test_a_bot_mentions_somebody(entity: Any) -> None:
    """A Mention, or a plain dict with a model in it, is written in full."""
    written = write_value(Activity(type="message", entities=[entity]))
    assert written["entities"] == [
        {"type": "mention", "text": "<at>Ada</at>", "mentioned": {"id": "29:1abc", "name": "Ada"}}
    ]


def test_the_sdk_finds_mentions_in_what_is_read() -> None:
    """botbuilder's own search for mentions works on a read activity."""
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


def own_model(**changes: Any) -> Any:
    """A new class of a bot's own, as msrest wants it.

    Args:
        changes: to what the class holds; `_attribute_map` is joined with `kind`.
    """

    def construct(self: Any, **given: Any) -> None:
        Model.__init__(self)  # type: ignore[no-untyped-call]  # msrest has no types
        for name in self._attribute_map:
            setattr(self, name, given.get(name))

    map_ = {"kind": {"key": "type", "type": "str"}, **changes.pop("_attribute_map", {})}
    return type("Loose", (Model,), {"__init__": construct, "_attribute_map": map_, **changes})


def test_a_model_that_msrest_keeps_open() -> None:
    """msrest's own switch for unknown properties, an entry without a key, changes nothing."""
    model = own_model()
    model.enable_additional_properties_sending()
    data = {"type": "x", "": {"a": 1}, "later": [2]}
    loose = read_model(model, data)
    assert (loose.kind, loose.additional_properties) == ("x", {"": {"a": 1}, "later": [2]})
    assert write_value(loose) == data


# Models that are left to msrest


class Reply(Activity):  # type: ignore[misc]  # untyped SDK base
    """An activity with a property more, of a class that the SDK has under the same name."""

    _attribute_map: dict[str, Any] = {  # noqa: RUF012  # msrest's shape
        **Activity._attribute_map,
        "fault": {"key": "fault", "type": "Error"},
    }

    def __init__(self, *, fault: Any = None, **given: Any) -> None:
        super().__init__(**given)
        self.fault = fault


class Error(Model):
    """Not the SDK's."""

    _attribute_map = {"depth": {"key": "depth", "type": "int"}}  # noqa: RUF012  # msrest's shape

    def __init__(self, *, depth: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # msrest has no types
        self.depth = depth


def one(key: str, kind: str, **more: Any) -> dict[str, Any]:
    """An attribute map with one property more."""
    return {"_attribute_map": {"more": {"key": key, "type": kind, **more}}}


UNKNOWN: list[Any] = [
    pytest.param(one("more", "duration"), {"more": "P1DT2H"}, "duration", id="duration"),
    pytest.param(
        one("more", "rfc-1123"), {"more": "Mon, 05 Jan 2026 10:00:00 GMT"}, "rfc-1123", id="rfc"
    ),
    pytest.param(one("more", "unix-time"), {"more": 1767261600}, "unix-time", id="unix"),
    pytest.param(one("more", "decimal"), {"more": 1.25}, "decimal", id="decimal"),
    pytest.param(one("more", "[time]"), {"more": ["10:00:00"]}, "[time]", id="times"),
    pytest.param(one("more", "{date}"), {"more": {"a": "2026-01-01"}}, "{date}", id="dates"),
    pytest.param(one("more", "base64"), {"more": "_-8"}, "base64", id="base64"),
    pytest.param(one("more", "ActionTypes"), {"more": "imBack"}, "ActionTypes", id="enum"),
    pytest.param(one("outer.inner", "str"), {"outer": {"inner": "x"}}, "flattened", id="flattened"),
    pytest.param(one("odata\\.kind", "str"), {"odata.kind": "x"}, "flattened", id="escaped dot"),
    pytest.param(one("type", "str"), {}, "one key", id="two of one key"),
    pytest.param(
        one("more", "str") | {"_validation": {"more": {"readonly": True}}},
        {"more": "x"},
        "read-only",
        id="read-only",
    ),
    pytest.param(one("more", "str") | {"more": "y"}, {}, "its own more", id="class attribute"),
    pytest.param(
        {"_attribute_map": {"additional_properties": {"key": "more", "type": "{str}"}}},
        {"more": {"a": "b"}},
        "its own additional_properties",
        id="additional_properties",
    ),
]
"""What a class may hold that the codec does not know, JSON for it, and what the warning says."""


@pytest.mark.parametrize(("unknown", "more", "says"), UNKNOWN)
def test_what_the_codec_does_not_know_is_msrests(
    unknown: dict[str, Any], more: dict[str, Any], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Such a class is read and written by msrest, wherever it stands; one warning names it."""
    model = own_model(**copy.deepcopy(unknown))
    data = {"type": "x", **more}
    with caplog.at_level(logging.WARNING, "cloud_adapter.codec.writer"):
        mine = [read_model(model, copy.deepcopy(data)) for _ in range(2)]
        written = [write_value(Activity(value=[each])) for each in mine]
    theirs = msrest_read(model, copy.deepcopy(data))
    assert mine == [theirs, theirs]
    assert written == [{"value": [msrest_written(theirs)]}] * 2
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{__name__}.Loose is left to msrest")
    assert says in record.getMessage()


def test_subtypes_are_msrests(caplog: pytest.LogCaptureFixture) -> None:
    """A class that has subtypes is read as the one that its discriminator names."""
    base = own_model(_subtype_map={"kind": {"error": "Error"}})
    assert type(read_model(base, {"type": "error", "depth": 1})) is Error
    assert type(read_model(base, {"type": "other"})) is base
    assert "its subtypes" in caplog.text


def test_xml_is_no_json(caplog: pytest.LogCaptureFixture) -> None:
    """A model that msrest writes as XML is refused, and said to be odd."""
    model = own_model(_xml_map={"name": "x"})
    with pytest.raises(TypeError, match=r"^Activity\.value: Element has no JSON form$"):
        write_value(Activity(value=model(kind="x")))
    assert "its XML" in caplog.text


@pytest.mark.parametrize("data", [[], "x", {"more": "not long"}])
def test_what_msrest_cannot_read_is_malformed(data: Any) -> None:
    """msrest's errors come as the codec's own."""
    with pytest.raises(MalformedModel):
        read_model(own_model(**one("more", "duration")), data)


def test_what_msrest_cannot_write_is_refused() -> None:
    """The text names the class, and does not quote it as msrest's error does."""
    model = own_model(**one("more", "duration"))
    with pytest.raises(TypeError, match=r"^Activity.value: Loose cannot be written$") as caught:
        write_value(Activity(value=model(kind="s3cret", more="long")))
    story = "".join(traceback.format_exception(caught.value))
    assert story.count("s3cret") == 1  # this test's own line


def test_a_bot_s_own_model_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """A class whose map holds nothing odd is written by the codec, with all that it holds."""
    mention = read_model(Entity, ENTITIES["mention"])
    reply = Reply(type="message", entities=[mention], fault=Error(depth=3))
    assert write_value(reply) == {
        "type": "message",
        "entities": [write_value(mention)],
        "fault": {"depth": 3},
    }
    assert caplog.text == ""


def test_a_bot_s_own_model_is_read_by_msrest(caplog: pytest.LogCaptureFixture) -> None:
    """Its constructor may do anything. Types are looked for beside the class, then in the SDK."""
    reply = read_model(Reply, {"type": "message", "from": {"id": "1"}, "fault": {"depth": "3"}})
    assert reply == Reply(
        type="message", from_property=ChannelAccount(id="1"), fault=Error(depth=3)
    )
    assert type(reply.fault) is Error
    assert "Reply is left to msrest" in caplog.text
    assert "its own constructor" in caplog.text


def test_models_of_other_modules_of_the_sdk_are_written(caplog: pytest.LogCaptureFixture) -> None:
    """What recognizers return is sent in traces; the class lives in botbuilder.core."""
    found = RecognizerResult(
        text="book", intents={"Book": IntentScore(score=1)}, entities={"city": [None]}
    )
    assert write_value(Activity(value=found)) == msrest_written(Activity(value=found))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("model", "key", "type_"),
    [(ErrorResponse, "error", SdkError), (token_api.ErrorResponse, "error", token_api.Error)],
)
def test_types_are_those_beside_the_class(model: Any, key: str, type_: Any) -> None:
    """Two modules of the SDK have classes of one name: each class gets its own module's."""
    assert type(getattr(read_model(model, {key: {"code": "x"}}), key)) is type_


# Every model


@pytest.mark.parametrize("model", [model for model in MODELS if model not in UNREADABLE])
def test_every_model_has_a_reader(model: Any) -> None:
    """Each class of the SDK can be read with all its properties, and is written again in full."""
    data = full_json(model)
    instance = read_model(model, data)
    assert type(instance) is model
    assert instance.additional_properties == {}
    assert write_value(instance).keys() == data.keys()


@pytest.mark.parametrize("model", UNREADABLE)
def test_a_model_that_cannot_be_read_says_so(model: Any) -> None:
    """Where the SDK's own definition is broken, reading raises instead of losing data."""
    with pytest.raises(TypeError):
        read_model(model, {})


@pytest.mark.parametrize("model", [model for model in MODELS if model not in UNREADABLE])
def test_instances_share_nothing(model: Any) -> None:
    """What one instance is given by default is not in another's hands."""
    first, second = read_model(model, {}), read_model(model, {})
    assert vars(first).keys() >= {"additional_properties"}
    for name, value in vars(first).items():
        if isinstance(value, list | dict) or hasattr(value, "_attribute_map"):
            assert value is not vars(second)[name], name


# Shapes


@pytest.mark.parametrize("data", [None, [], "text", 1, True, [{}]])
def test_a_model_is_an_object(data: Any) -> None:
    """Any other JSON in a model's place is refused."""
    with pytest.raises(MalformedModel):
        read_model(Activity, data)


@pytest.mark.parametrize(
    ("model", "key", "wrong"),
    [
        ("Activity", "text", {}),
        ("Activity", "text", ["x"]),
        ("Activity", "from", []),
        ("Activity", "from", "Ada"),
        ("Activity", "from", 0),
        ("Activity", "from", False),
        ("Activity", "membersAdded", {}),
        ("Activity", "membersAdded", "x"),
        ("Activity", "membersAdded", [1]),
        ("Activity", "entities", [["x"]]),
        ("Activity", "listenFor", [{}]),
        ("Activity", "historyDisclosed", "yes"),
        ("Activity", "historyDisclosed", {}),
        ("Activity", "historyDisclosed", 2),
        ("Activity", "timestamp", 1767261600),
        ("Activity", "timestamp", "yesterday"),
        ("Activity", "timestamp", f"2026-01-01T10:00:00.{'1' * 100}Z"),
        ("Activity", "timestamp", "\u00e9" * 100_000),
        ("ConversationAccount", "isGroup", "\u00e9" * 100_000),
        ("Activity", "timestamp", "2026-13-01T10:00:00Z"),
        ("Activity", "timestamp", "0001-01-01T00:00:00+05:00"),
        ("Activity", "timestamp", "9999-12-31T23:59:59-05:00"),
        ("Activity", "timestamp", {}),
        ("TextHighlight", "occurrence", "many"),
        ("TextHighlight", "occurrence", {}),
        ("TextHighlight", "occurrence", float("inf")),
        ("SemanticAction", "entities", []),
        ("SemanticAction", "entities", {"city": "x"}),
        ("GeoCoordinates", "elevation", "high"),
        ("GeoCoordinates", "elevation", []),
        ("GeoCoordinates", "elevation", 10**400),
        ("AttachmentData", "originalBase64", "\u00e9"),
        ("AttachmentData", "originalBase64", "a"),
        ("AttachmentData", "originalBase64", 5),
    ],
)
def test_another_json_type_is_refused(model: str, key: str, wrong: Any) -> None:
    """What cannot be what the model says it is raises MalformedModel, and nothing else."""
    found = next(each for each in MODELS if each.__name__ == model)
    with pytest.raises(MalformedModel):
        read_model(found, {key: wrong})


@settings(RANDOM, max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(kinds(Activity))), ANYTHING, max_size=4))
def test_random_json_is_read_or_refused(body: dict[str, Any]) -> None:
    """Whatever stands in an activity's properties, there is an activity or a MalformedModel."""
    try:
        activity = read_model(Activity, body)
    except MalformedModel:
        return
    assert type(activity) is Activity


def test_an_empty_text_is_no_model() -> None:
    """Some channels send an empty string where there is no account."""
    assert read_model(Activity, {"from": "", "recipient": ""}) == Activity()


def test_null_is_nothing() -> None:
    """Null properties are those that are missing; null list items stay in their place."""
    assert read_model(Activity, {"text": None, "from": None}) == Activity()
    assert read_model(Activity, {"membersAdded": [None]}).members_added == [None]


def test_free_json_may_nest_deeply() -> None:
    """A property of any JSON is taken as it is, however deep."""
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    assert read_model(Activity, {"value": deep}).value is deep


# Writing


class Shade(str, enum.Enum):  # noqa: UP042  # the SDK's enums are of this kind
    """An enum of a bot's own."""

    DARK = "dark"


NAIVE = datetime.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001  # bots forget the time zone


class Title(str):
    """A subclass of a basic type, as libraries make them."""

    __slots__ = ()


class Level(enum.Enum):
    """Another one."""

    HIGH = 2


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)

ODDITIES: list[Any] = [
    *("true", "7", " 1_000 ", "1e3", "inf", "2026-01-01T10:00:00+05:30", "YQ=="),
    *(Shade.DARK, Level.HIGH, Title("x"), b"a", bytearray(b"b"), (1, "a"), {"a"}),
    *(NAIVE, NAIVE.date(), NAIVE.time(), datetime.timedelta(1)),
    *(decimal.Decimal("1.50"), decimal.Decimal("nan"), uuid.UUID(int=1), 1j, object(), len),
    *(ChannelAccount(id="1"), CardAction(value=["x"])),
]
"""What a bot may put into a property by mistake, or by habit."""


def check_written(model: Any, name: str, value: Any) -> None:
    """A value in an attribute of a model is written, or refused, as by msrest."""
    instance = model()
    setattr(instance, name, value)
    try:
        theirs = json.dumps(msrest_written(instance))
    except (SerializationError, OverflowError):
        theirs = "refused"
    try:
        mine = json.dumps(write_value(instance))
    except TypeError:
        mine = "refused"
    assert mine == theirs, (name, value)


@pytest.mark.parametrize("value", ODDITIES, ids=lambda value: type(value).__name__)
def test_odd_values_are_written_as_by_msrest(value: Any) -> None:
    """A value of another type than its property's becomes what msrest makes of it."""
    for model, name, kind in PROPERTIES:
        if not (isinstance(value, enum.Enum) and kind.startswith(("[", "{"))):  # see below
            check_written(model, name, value)


@settings(RANDOM, max_examples=500)
@given(st.sampled_from(PROPERTIES), SCALARS | st.lists(SCALARS, max_size=3))
def test_any_value_is_written_as_by_msrest(of: tuple[Any, str, str], value: Any) -> None:
    """The same with plain values of all kinds, and lists of them."""
    check_written(*of[:2], value)


@settings(RANDOM, max_examples=300)
@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_moments_are_written_as_by_msrest(moment: datetime.datetime) -> None:
    """A date and time of any zone, and without one, is written in UTC."""
    activity = Activity(timestamp=moment, value={"seen": moment})
    try:
        theirs = msrest_written(activity)
    except (SerializationError, OverflowError):
        with pytest.raises(TypeError, match=r"^Activity\.timestamp: "):
            write_value(activity)
    else:
        assert write_value(activity) == theirs


@pytest.mark.parametrize(
    ("sent", "theirs", "mine"),
    [
        pytest.param(
            Activity(value=Shade.DARK), {"value": "Shade.DARK"}, {"value": "dark"}, id="enum"
        ),
        pytest.param(Activity(value=(1, 2)), {"value": "(1, 2)"}, {"value": [1, 2]}, id="tuple"),
        pytest.param(Activity(value=b"a"), {"value": "b'a'"}, {"value": "YQ=="}, id="bytes"),
        pytest.param(
            Activity(value=datetime.time(1, 2, 3, 500)),
            {"value": "01:02:03.500"},  # half a second, that is
            {"value": "01:02:03.000500"},
            id="time",
        ),
        pytest.param(
            Activity(value=MappingProxyType({"a": 1})), {"value": "{'a': 1}"}, None, id="mapping"
        ),
        pytest.param(Activity(value={1}), {"value": "{1}"}, None, id="set"),
        pytest.param(
            Activity(entities=Shade.DARK), {"entities": "dark"}, None, id="enum in a list's place"
        ),
        pytest.param(
            Activity(entities=[{"type": "mention"}]),
            None,
            {"entities": [{"type": "mention"}]},
            id="dict in a model's place",
        ),
        pytest.param(
            read_model(Activity, {"entities": [{"type": "a", "text": "b"}], "later": 1}),
            {"entities": [{"type": "a"}]},
            {"entities": [{"type": "a", "text": "b"}], "later": 1},
            id="unknown properties",
        ),
    ],
)
def test_what_is_written_otherwise_than_by_msrest(sent: Any, theirs: Any, mine: Any) -> None:
    """Where msrest loses or garbles what the bot means, it is written, or refused (None)."""
    if theirs is None:
        with pytest.raises(SerializationError):
            msrest_written(sent)
    else:
        assert msrest_written(sent) == theirs
    if mine is None:
        with pytest.raises(TypeError, match=r"^Activity\."):
            write_value(sent)
    else:
        assert write_value(sent) == mine


@settings(RANDOM, max_examples=300)
@given(
    st.recursive(
        SCALARS
        | st.sampled_from([NAIVE, NAIVE.date(), datetime.timedelta(1.5), decimal.Decimal("1.50")])
        | st.sampled_from([ChannelAccount(id="1"), Activity(type=ActivityTypes.event, name="x")]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=4) | st.just(Level.HIGH), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_free_json_is_written_as_by_msrest(value: Any) -> None:
    """channelData, value, and what cards hold: any JSON, with models and dates in it."""
    activity = Activity(channel_data=value)
    assert json.dumps(write_value(activity)) == json.dumps(msrest_written(activity))


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (TextHighlight(occurrence="s3cret"), "occurrence: a whole number is expected, not str"),
        (TextHighlight(occurrence=float("inf")), "occurrence: a whole number is expected"),
        (GeoCoordinates(latitude="s3cret"), "latitude: a number is expected, not str"),
        (Activity(timestamp="s3cret"), "timestamp: a date and time is expected, not this str"),
        (Activity(timestamp=datetime.date(2026, 1, 1)), "timestamp: a date and time is expected"),
        (AttachmentData(original_base64="s3cret"), "original_base64: a bytes-like object is"),
        (Activity(entities="s3cret"), "entities: a list is expected, not str"),
        (Activity(entities=Entity(type="x")), "entities: a list is expected, not Entity"),
        (Activity(entities=[["s3cret"]]), "entities: a model is expected, not list"),
        (SemanticAction(entities=["s3cret"]), "entities: a dict is expected, not list"),
        (Activity(from_property=["s3cret"]), "from_property: a model is expected, not list"),
        (
            Activity(attachments=[Attachment(content={"a": [object()]})]),
            "attachments: Attachment.content: object has no JSON form",
        ),
    ],
)
def test_a_refusal_names_the_property(sent: Any, says: str) -> None:
    """The bot's author reads where the mistake is; what stands there is not quoted."""
    with pytest.raises(TypeError) as caught:
        write_value(sent)
    assert str(caught.value).startswith(f"{type(sent).__name__}.{says}")
    story = "".join(traceback.format_exception(caught.value)).partition("write_value(sent)")[2]
    assert "s3cret" not in story


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (Shade.DARK, "dark"),
        (Level.HIGH, 2),
        (Title("x"), "x"),
        ((1, [Shade.DARK], {"a": (None,)}), [1, ["dark"], {"a": [None]}]),
        ({1: "x", Title("y"): ChannelAccount(id="1")}, {"1": "x", "y": {"id": "1"}}),
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.timedelta(minutes=90), "PT1H30M"),
        (decimal.Decimal("1.50"), 1.5),
        (NAIVE, "2026-01-02T03:04:05.000Z"),
        (
            datetime.datetime(2026, 1, 2, 3, 4, 5, 120, tzinfo=datetime.UTC),
            "2026-01-02T03:04:05.00012Z",
        ),
        (datetime.datetime(1, 1, 1, tzinfo=datetime.UTC), "0001-01-01T00:00:00.000Z"),
        (
            datetime.datetime(
                2026, 1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))
            ),
            "2026-01-01T21:34:00.000Z",
        ),
    ],
)
def test_what_json_has_a_form_for_is_written(value: Any, written: Any) -> None:
    """Enums, tuples, dates, bytes and models inside of them become plain JSON data."""
    assert write_value(value) == written
    assert json.loads(json.dumps(write_value(value))) == written


@pytest.mark.parametrize("value", [object(), {1}, Exception("x"), [ValueError("x")], 1j])
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    """There is no guess at a form: the bot hears of its mistake."""
    with pytest.raises(TypeError, match="no JSON form"):
        write_value(Activity(value=value))


def test_what_is_none_is_not_written() -> None:
    """A model's empty properties stay away; null in free JSON stays."""
    assert write_value(Activity(type="message", text=None)) == {"type": "message"}
    assert write_value({"a": None}) == {"a": None}
