"""TurnRequest: a host-independent HTTP request from a channel, and the activity in its body."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from botbuilder.schema import Activity, ActivityTypes

from auth.errors import BadRequest, BodyTooLarge, UnsupportedBody
from cloud_adapter.codec.body_cost import check_cost, read_integer
from cloud_adapter.codec.channels import TEAMS, name_channel_id
from cloud_adapter.codec.reader import read_model
from cloud_adapter.codec.writer import json_bytes, write_value
from cloud_adapter.errors import MalformedModel

MAX_BODY_BYTES = 1024 * 1024
"""The size limit of a body. Above 4 MB, the stream between the Functions host and its worker
breaks."""

MAX_NAME_LENGTH = 2048
"""The length limit of ids, names and locales, which become cache keys and parts of URLs and stored
items. Ids in Teams and Slack have at most about 200 characters, those of emails 998 (RFC 5322,
2.1.1)."""


UNSENDABLE_TYPES = frozenset({"delay"})
"""Types that are instructions to the sender's own adapter, and are never sent: the SDK's adapter
would wait."""

_COMMANDS = frozenset({ActivityTypes.command.value, ActivityTypes.command_result.value})


class TurnRequest(NamedTuple):
    """A channel's POST.

    Attributes:
        content_type: the value of the Content-Type header; empty if there is none.
        authorization: the value of the Authorization header; empty if there is none.
        body: the body as received.
        arrived_at: when it arrived, in event loop time (seconds); None: no channel waits.
    """

    content_type: str
    authorization: str
    body: bytes
    arrived_at: float | None = None


def check_head(request: TurnRequest) -> None:
    """Check what can be checked without parsing the body.

    Raises:
        UnsupportedBody: the content type is not JSON.
        BodyTooLarge: the body has more than MAX_BODY_BYTES.
    """
    if not _is_json(request.content_type):
        raise UnsupportedBody("the content type is not JSON")
    if len(request.body) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"the body has {len(request.body)} bytes")


def read_activity(body: bytes) -> Any:
    """The activity in a body, which has every property that the caller check and a turn require.

    Raises:
        BodyTooLarge: parsing the body would take too much memory.
        BadRequest: the body is not an activity.
    """
    activity = _read(body, _check_address)
    if activity.channel_id == TEAMS and activity.channel_data is None:
        # Teams always sends it, but its emulators do not; the SDK's handler for Teams needs it.
        activity.channel_data = {}
    return activity


def read_reply(body: bytes) -> Any:
    """The activity in a body that a skill sends to a conversation; it has no address yet.

    Raises:
        BodyTooLarge, BadRequest: as in `read_activity`, or the activity cannot be sent.
    """
    return _read(body, _check_sendable)


def _read(body: bytes, check: Callable[[Any], object]) -> Any:
    try:
        data = _parsed(body)
        name_channel_id(data)
        activity = read_model(Activity, data)
        check(activity)
    except (MalformedModel, ValueError, TypeError, RecursionError) as error:
        raise BadRequest(f"the body is not an activity ({type(error).__name__})") from error
    return activity


def _parsed(body: bytes) -> Any:
    if not _OBJECT.match(body):
        raise MalformedModel("it is not a JSON object")
    # Only UTF-8 (RFC 8259, 8.1): from bytes, the json module would guess other encodings.
    text = body.decode()
    check_cost(body, text)
    return _JSON.decode(text)


_OBJECT = re.compile(rb"[ \t\n\r]*+\{")


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.count("/") == 1 and kind.endswith("+json"))


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_JSON = json.JSONDecoder(parse_int=read_integer, parse_constant=_refuse_constant)


def _check_sendable(activity: Any) -> None:
    if not activity.type or activity.type in UNSENDABLE_TYPES:
        raise MalformedModel("the type is missing, or cannot be sent")
    if activity.type in _COMMANDS and not activity.name:
        raise MalformedModel("a command has no name")
    json_bytes(write_value(activity))  # Python reads 1e999, but JSON has no infinity


def _check_address(activity: Any) -> None:
    conversation_id = activity.conversation.id if activity.conversation else None
    required: tuple[Any, ...] = (
        activity.type,
        activity.channel_id,
        activity.service_url,
        conversation_id,
    )
    if not all(required):
        raise MalformedModel("type, channelId, serviceUrl or conversation.id is missing")
    address = (*required, activity.id or "")
    # These become parts of URLs, so a lone surrogate is refused here, with UnicodeEncodeError.
    "".join(address).encode()
    address += (activity.locale or "",)  # conversation references keep it
    accounts = (activity.conversation, activity.from_property, activity.recipient)
    for account in filter(None, accounts):
        address += (account.id or "", account.name or "", account.aad_object_id or "")
    if max(map(len, address)) > MAX_NAME_LENGTH:
        raise MalformedModel("an id, a name or the locale is too long")
