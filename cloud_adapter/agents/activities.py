"""Activities of the Agents SDK: read from ours, and written as ours.

The SDK's models refuse values that channels send, such as empty texts and attachments without a
type. What a model refuses is left out, so that the bot gets the rest.
"""

from typing import Any

from botbuilder.core import InvokeResponse
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    Attachment,
    ConversationParameters,
    ConversationReference,
)
from microsoft_agents.activity import Activity as AgentActivity
from microsoft_agents.activity import AgentsModel
from pydantic import ValidationError

from cloud_adapter.codec import read_model, write_value
from cloud_adapter.errors import ActivityUnread

MAX_ROUNDS = 4
"""The number of times that an activity is read. Each time, all values are left out that the model
has refused."""

UNKNOWN_CONTENT = "application/octet-stream"
"""The type of an attachment that has none (RFC 2046, 4.5.1)."""

_MAY_BE_EMPTY = {"text", "speak", "value", "channelData"}

_LISTS = (
    "membersAdded",
    "membersRemoved",
    "reactionsAdded",
    "reactionsRemoved",
    "attachments",
    "entities",
    "listenFor",
    "textHighlights",
)
"""Null and empty texts are left out of them."""


def read_activity(activity: Activity) -> AgentActivity:
    """An activity as the SDK has it.

    Raises:
        ActivityUnread: the SDK's model refuses it; the text names the property.
    """
    data = _cleaned(write_value(activity))
    for _ in range(MAX_ROUNDS):
        try:
            return AgentActivity.model_validate(data)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
            refused = ".".join(map(str, errors[0]["loc"]))
            if not _leave_out(data, [each["loc"] for each in errors]):
                break
        except Exception as error:
            # The model's validators raise other errors if an entity contradicts the channel id, or
            # if there is no channel id.
            raise ActivityUnread("channelId, relatesTo.channelId or entities") from error
    # From None: the model's error quotes the activity.
    raise ActivityUnread(refused) from None


def _cleaned(data: dict[str, Any]) -> dict[str, Any]:
    """An activity's JSON without what channels send and the models are known to refuse."""
    for name in [each for each in data if data[each] == "" and each not in _MAY_BE_EMPTY]:
        del data[name]
    for name in [each for each in _LISTS if each in data]:
        data[name] = [each for each in data[name] if each not in (None, "")]
    parts = ("from", "recipient", "conversation", "relatesTo")
    for part in (
        *(data[name] for name in parts if name in data),
        *data.get("membersAdded", ()),
        *data.get("membersRemoved", ()),
    ):
        _leave_out_empty(part)
    data.setdefault("from", {})  # the SDK reads its id without asking
    for attachment in data.get("attachments", ()):
        _leave_out_empty(attachment)
        attachment.setdefault("contentType", UNKNOWN_CONTENT)
    if "entities" in data:
        data["entities"] = [each for each in data["entities"] if each.get("type")]
    return data


def _leave_out_empty(values: dict[str, Any]) -> None:
    for name in [each for each in values if values[each] == ""]:
        del values[name]


def _leave_out(data: dict[str, Any], places: list[tuple[Any, ...]]) -> bool:
    """Remove the values at some places, or the innermost ones around them; False if none is."""
    has_changed = False
    # From the last to the first, and what is within a value before it, so that indexes stay true.
    for place in sorted({_existing(data, each) for each in places}, reverse=True):
        if place == ("entities",):  # the error does not name the place within
            entities = data["entities"]
            data["entities"] = [each for each in entities if _is_entity(each)]
            has_changed |= len(data["entities"]) < len(entities)
        elif place:
            around: Any = data
            for part in place[:-1]:
                around = around[part]
            del around[place[-1]]
            has_changed = True
    return has_changed


def _existing(data: dict[str, Any], place: tuple[Any, ...]) -> tuple[Any, ...]:
    """The part of a place that exists: its end may be missing, or name a type of the model's."""
    found: list[Any] = []
    value: Any = data
    for part in place:
        try:
            value = value[part]
        except (LookupError, TypeError):
            continue
        found.append(part)
    return tuple(found)


def _is_entity(value: dict[str, Any]) -> bool:
    try:
        AgentActivity.model_validate({"type": "message", "entities": [value]})
    except ValidationError:
        return False
    return True


def write_activity(activity: AgentActivity) -> Activity:
    """An activity of the SDK as ours.

    Raises:
        ValueError: it holds a value that has no JSON form.
    """
    written = read_model(Activity, _json(activity))
    if written.type == ActivityTypes.invoke_response and isinstance(written.value, dict):
        answer = written.value
        written.value = InvokeResponse(status=answer.get("status", 200), body=answer.get("body"))
    return written


def write_attachment(attachment: AgentsModel) -> Attachment:
    """An attachment of the SDK as ours."""
    return read_model(Attachment, _json(attachment))


def write_reference(reference: AgentsModel) -> ConversationReference:
    """A conversation reference of the SDK as ours."""
    return read_model(ConversationReference, _json(reference))


def write_parameters(parameters: AgentsModel) -> ConversationParameters:
    """The parameters of a new conversation as ours."""
    return read_model(ConversationParameters, _json(parameters))


def _json(model: AgentsModel) -> dict[str, Any]:
    # As the SDK's own connector writes models.
    written: dict[str, Any] = model.model_dump(
        mode="json", by_alias=True, exclude_unset=True, exclude_none=True
    )
    return written
