"""The codec does what msrest does, but keeps what the models do not name."""

import copy
import datetime
import enum
import json
from typing import Any

import pytest
from botbuilder.core import CardFactory, TurnContext
from botbuilder.schema import (
    ActionTypes,
    Activity,
    ActivityTypes,
    AttachmentData,
    CardAction,
    ChannelAccount,
    ConversationParameters,
    Entity,
    Fact,
    HeroCard,
    Mention,
    ReceiptCard,
    SuggestedActions,
    TokenExchangeState,
)
from botbuilder.schema.teams import (
    BotConfigAuth,
    ConfigAuthResponse,
    ConfigTaskResponse,
    MeetingNotificationResponse,
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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msrest.serialization import Model

from cloud_adapter.activity_codec import MalformedModel, read_model, write_value
from tests.support.model_json import ANYTHING, MODELS, model_json, msrest_read, msrest_written

RANDOM = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))

UNREADABLE = [MeetingNotificationResponse, TaskModuleCardResponse]
"""The SDK's own slips: a type that does not exist, and a constructor that always raises."""

OTHERWISE_THAN_MSREST = {
    TokenExchangeState: "two attributes have one key",
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

PROPERTIES = st.sampled_from(sorted(entry["key"] for entry in Activity._attribute_map.values()))

COMPARED = [model for model in MODELS if model not in (*UNREADABLE, *OTHERWISE_THAN_MSREST)]

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


@pytest.mark.parametrize(
    ("model", "key", "given"),
    [
        (Activity, "text", 5),
        (Activity, "text", 1.5),
        (Activity, "text", True),
        (Activity, "historyDisclosed", "TRUE"),
        (Activity, "historyDisclosed", "0"),
        (Activity, "historyDisclosed", 1),
        (Activity, "historyDisclosed", 0),
        (TokenExchangeState, "msAppId", 0),
    ],
)
def test_near_misses_are_read_as_by_msrest(model: Any, key: str, given: Any) -> None:
    """Another simple JSON type than the model's is converted as msrest converts it."""
    assert read_model(model, {key: given}) == msrest_read(model, {key: given})


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


class Loose(Model):
    """A model of a bot's own that msrest sends with its additional properties."""

    _attribute_map = {"kind": {"key": "type", "type": "str"}}  # noqa: RUF012  # msrest's shape

    def __init__(self, *, kind: str | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # msrest has no types
        self.kind = kind


def test_a_model_that_msrest_keeps_open() -> None:
    """msrest's own switch for unknown properties, an entry without a key, changes nothing."""
    Loose.enable_additional_properties_sending()  # type: ignore[no-untyped-call]  # the same
    data = {"type": "x", "": {"a": 1}, "later": [2]}
    loose = read_model(Loose, data)
    assert (loose.kind, loose.additional_properties) == ("x", {"": {"a": 1}, "later": [2]})
    assert write_value(loose) == data


# Every model


@pytest.mark.parametrize("model", [model for model in MODELS if model not in UNREADABLE])
def test_every_model_has_a_reader(model: Any) -> None:
    """A reader can be compiled for each class of the SDK, the types of its properties included."""
    samples = {"[": [], "{": {}, "i": "2026-01-01T10:00:00Z", "o": 1}
    data: dict[str, Any] = {}
    for entry in model._attribute_map.values():
        kind = entry["type"] if isinstance(entry["type"], str) else entry["type"].__name__
        if kind in ("str", "bytearray"):
            data[entry["key"]] = "YQ=="
        elif kind in ("bool", "int", "long", "float"):
            data[entry["key"]] = 1
        else:
            data[entry["key"]] = samples["i"] if kind == "iso-8601" else samples.get(kind[0], {})
    instance = read_model(model, data)
    assert type(instance) is model
    assert instance.additional_properties == {}


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
@given(st.dictionaries(PROPERTIES, ANYTHING, max_size=4))
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


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (Shade.DARK, "dark"),
        (Title("x"), "x"),
        ((1, [Shade.DARK], {"a": (None,)}), [1, ["dark"], {"a": [None]}]),
        ({1: "x", Title("y"): ChannelAccount(id="1")}, {"1": "x", "y": {"id": "1"}}),
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (datetime.date(2026, 1, 2), "2026-01-02"),
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


@pytest.mark.parametrize("value", [object(), {1}, datetime.timedelta(1), [ValueError("x")], 1j])
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    """There is no guess at a form: the bot hears of its mistake."""
    with pytest.raises(TypeError, match="no JSON form"):
        write_value(Activity(value=value))


def test_what_is_none_is_not_written() -> None:
    """A model's empty properties stay away; null in free JSON stays."""
    assert write_value(Activity(type="message", text=None)) == {"type": "message"}
    assert write_value({"a": None}) == {"a": None}
