"""Random and mutated bodies, and what a running bot may answer to them."""

import copy
import json
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot_workbench.emulator.cloud import Cloud
from tests.support.credentials.token_press import TokenPress
from tests.support.wire.http_post import Caller

EXPECTED = {200, 400, 401, 403, 413, 415, 501}
"""The statuses that the base answers, and the SDK to unknown invokes."""

RANDOM_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)

MODEL: dict[str, Any] = {
    "type": "message",
    "id": "1",
    "timestamp": "2026-01-01T10:00:00.1234567Z",
    "localTimestamp": "2026-01-01T12:00:00+02:00",
    "channelId": "webchat",
    "serviceUrl": "",
    "from": {"id": "user-1", "name": "Ada", "aadObjectId": "a", "role": "user"},
    "recipient": {"id": "bot", "name": "Bot", "role": "bot"},
    "conversation": {"id": "", "tenantId": "t", "isGroup": False},
    "text": "help",
    "textFormat": "plain",
    "locale": "en-US",
    "name": "adaptiveCard/action",
    "value": {"action": {"type": "Action.Execute", "verb": "color", "data": {"color": "red"}}},
    "entities": [
        {"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "bot", "name": "Bot"}},
        {"type": "clientInfo", "country": "US"},
    ],
    "attachments": [{"contentType": "text/plain", "content": "x", "name": "x"}],
    "membersAdded": [{"id": "user-2", "name": "Grace"}],
    "reactionsAdded": [{"type": "like"}],
    "channelData": {"tenant": {"id": "t"}, "team": {"id": "t"}, "eventType": "x"},
    "suggestedActions": {"to": [], "actions": [{"type": "imBack", "title": "x", "value": "x"}]},
    "relatesTo": {"conversation": {"id": "c"}, "bot": {"id": "b"}, "channelId": "c"},
    "deliveryMode": "normal",
    "expiration": "2026-01-01T10:00:00Z",
}
TYPES = ["message", "invoke", "conversationUpdate", "messageReaction", "event", "typing", "unknown"]
CHANNELS = ["webchat", "msteams", "directline"]
NAMES = ["adaptiveCard/action", "task/fetch", "composeExtension/query", "signin/verifyState", "x"]


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value inside a JSON value stands."""
    if prefix:
        yield prefix
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from paths(value[key], (*prefix, key))


PATHS = list(paths(MODEL))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The model activity with up to three of its values replaced or taken out."""
    activity = copy.deepcopy(MODEL)
    activity["type"] = draw(st.sampled_from(TYPES))
    activity["channelId"] = draw(st.sampled_from(CHANNELS))
    activity["name"] = draw(st.sampled_from(NAMES))
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=3)):
        holder: Any = activity
        try:
            for key in path[:-1]:
                holder = holder[key]
            if draw(st.booleans()):
                holder[path[-1]] = draw(RANDOM_JSON)
            else:
                del holder[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took the place away
    return activity


@st.composite
def bodies(draw: st.DrawFn, service_url: str, conversation_id: str) -> bytes:
    """Bytes to send: noise, other JSON, a mutated activity, or one cut off or overwritten."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    if draw(st.integers(0, 9)) == 0:
        return json.dumps(draw(RANDOM_JSON)).encode()
    activity = draw(mutated())
    if activity.get("serviceUrl") == "":
        activity["serviceUrl"] = service_url
    conversation = activity.get("conversation")
    if isinstance(conversation, dict) and conversation.get("id") == "":
        conversation["id"] = conversation_id
    body = json.dumps(activity).encode()
    if draw(st.integers(0, 7)) == 0:
        place = draw(st.integers(0, len(body)))
        return body[:place] + draw(st.binary(max_size=4)) + body[place + draw(st.integers(0, 3)) :]
    return body


def statuses(
    caller: Caller, cloud: Cloud, message: dict[str, Any], cases: int, of_bot: Collection[int] = ()
) -> Counter[int]:
    """How often a bot answers with each status to so many bodies, all with the channel's token.

    Args:
        caller: connected to the bot.
        cloud: in front of which it runs.
        message: from a user in a conversation that the connector knows.
        cases: how many bodies.
        of_bot: the statuses that this bot may answer in addition.
    """
    token = f"Bearer {TokenPress(cloud, message).token()}"
    headers = [("Content-Type", "application/json"), ("Authorization", token)]
    seen: Counter[int] = Counter()

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(bodies(message["serviceUrl"], message["conversation"]["id"]))
    def check(body: bytes) -> None:
        status = caller.send("POST", "/api/messages", headers, body).status
        seen[status] += 1
        assert status in {*EXPECTED, *of_bot}

    check()
    return seen
