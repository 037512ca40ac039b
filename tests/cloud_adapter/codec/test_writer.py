"""The writer writes what msrest writes; refusals name the property and quote nothing."""

import contextlib
import datetime
import decimal
import enum
import json
import traceback
import uuid
from typing import Any

import pytest
from azure.core.exceptions import SerializationError
from botbuilder.core import CardFactory
from botbuilder.schema import (
    ActionTypes,
    Activity,
    ActivityTypes,
    Attachment,
    AttachmentData,
    CardAction,
    ChannelAccount,
    ConversationParameters,
    Entity,
    Fact,
    GeoCoordinates,
    HeroCard,
    Mention,
    ReceiptCard,
    SemanticAction,
    SuggestedActions,
    TextHighlight,
)
from botbuilder.schema.teams import NotificationInfo, TeamsChannelData
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_adapter.codec import write_value
from tests.support.model_json import (
    NAIVE,
    PROPERTIES,
    RANDOM,
    SCALARS,
    Level,
    Shade,
    Title,
    in_utc,
    msrest_written,
)


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
    """Models that a bot builds."""
    assert write_value(sent) == msrest_written(sent)


def test_a_declared_property_wins() -> None:
    """An additional property never replaces one that the model names."""
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
def test_a_mention_is_written_in_full(entity: Any) -> None:
    """A Mention, or a dict that holds a model."""
    written = write_value(Activity(type="message", entities=[entity]))
    assert written["entities"] == [
        {"type": "mention", "text": "<at>Ada</at>", "mentioned": {"id": "29:1abc", "name": "Ada"}}
    ]


OTHER_VALUES: list[Any] = [
    *("true", "7", " 1_000 ", "1e3", "inf", "2026-01-01T10:00:00+05:30", "YQ=="),
    *(Shade.DARK, Level.HIGH, Title("x"), b"a", bytearray(b"b"), (1, "a"), {"a"}),
    *(NAIVE, NAIVE.date(), NAIVE.time(), datetime.timedelta(1)),
    *(decimal.Decimal("1.50"), decimal.Decimal("nan"), uuid.UUID(int=1), 1j, object(), len),
    *(ChannelAccount(id="1"), CardAction(value=["x"])),
]
"""What a bot may put into a property of another type."""


def check_written(model: Any, name: str, value: Any) -> None:
    """Check that the codec writes or refuses a property's value as msrest does."""
    instance = model()
    setattr(instance, name, value)
    try:
        theirs = json.dumps(msrest_written(instance))
    except (SerializationError, OverflowError):
        theirs = "refused"
    try:
        mine = json.dumps(in_utc(write_value(instance)))
    except TypeError:
        mine = "refused"
    assert mine == theirs, (name, value)


@pytest.mark.parametrize("value", OTHER_VALUES, ids=lambda value: type(value).__name__)
def test_other_types_are_written_as_by_msrest(value: Any) -> None:
    """A value of another type than its property's is converted as msrest does."""
    for model, name, kind in PROPERTIES:
        if not (
            isinstance(value, enum.Enum) and kind.startswith(("[", "{"))
        ):  # see test_free_form_json.py
            check_written(model, name, value)


@settings(RANDOM, max_examples=500)
@given(st.sampled_from(PROPERTIES), SCALARS | st.lists(SCALARS, max_size=3))
def test_any_value_is_written_as_by_msrest(of: tuple[Any, str, str], value: Any) -> None:
    """Random scalars, and lists of them."""
    check_written(*of[:2], value)


@settings(RANDOM, max_examples=300)
@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_datetimes_are_those_that_msrest_writes(when: datetime.datetime) -> None:
    """With any time zone, and without one, the same moment is written."""
    activity = Activity(timestamp=when, value={"seen": when})
    with contextlib.suppress(SerializationError, OverflowError):  # not within UTC's years
        assert in_utc(write_value(activity)) == msrest_written(activity)


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
    """The bot's author reads where the mistake is; the value is not quoted."""
    with pytest.raises(TypeError) as caught:
        write_value(sent)
    assert str(caught.value).startswith(f"{type(sent).__name__}.{says}")
    trace = "".join(traceback.format_exception(caught.value)).partition("write_value(sent)")[2]
    assert "s3cret" not in trace


def test_what_is_none_is_not_written() -> None:
    """A model's None properties are left out; null in free-form JSON stays."""
    assert write_value(Activity(type="message", text=None)) == {"type": "message"}
    assert write_value({"a": None}) == {"a": None}
