"""TurnRequest: what arrives over HTTP, free of any host; and the activity in it."""

import json
from typing import Any, NamedTuple

from botbuilder.schema import Activity

from auth.errors import BadRequest, BodyTooLarge, UnsupportedBody
from cloud_adapter.activity_codec import MalformedModel, read_model

LARGEST_BODY = 1024 * 1024
"""Bytes. The Functions worker's own stream breaks above 4 MB."""


class TurnRequest(NamedTuple):
    """A channel's POST.

    Attributes:
        content_type: the header, or empty.
        authorization: the header, or empty.
        body: bytes.
    """

    content_type: str
    authorization: str
    body: bytes


def read_activity(request: TurnRequest) -> Any:
    """The activity in a request, with all that a turn and the caller check need.

    Raises:
        UnsupportedBody: the content type is not JSON.
        BodyTooLarge: it is over 1 MiB.
        BadRequest: it is not an activity.
    """
    if not _is_json(request.content_type):
        raise UnsupportedBody("the content type is not JSON")
    if len(request.body) > LARGEST_BODY:
        raise BodyTooLarge(f"the body has {len(request.body)} bytes")
    try:
        # Strictly UTF-8 (RFC 8259, 8.1): json would guess other encodings from bytes.
        data = _JSON.decode(request.body.decode())
        activity = read_model(Activity, data)
        _check_address(activity)
    except (MalformedModel, ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not an activity ({type(error).__name__})") from error
    return activity


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.count("/") == 1 and kind.endswith("+json"))


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


def _check_address(activity: Any) -> None:
    conversation_id = activity.conversation.id if activity.conversation else None
    needed: tuple[Any, ...] = (
        activity.type,
        activity.channel_id,
        activity.service_url,
        conversation_id,
    )
    if not all(needed):
        raise MalformedModel("type, channelId, serviceUrl or conversation.id is missing")
    # They become parts of URLs; JSON's \ud800 alone is no character (UnicodeEncodeError).
    "".join((*needed, activity.id or "")).encode()
