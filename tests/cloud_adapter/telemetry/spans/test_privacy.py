"""What spans say of hostile activities: nothing that their sender has written."""

import contextlib
import copy
import json
from collections.abc import Callable
from typing import Any

from botbuilder.core import TurnContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from auth.errors import BotError
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.bots.remembering_bot import RememberingBot
from tests.support.logic import answering, echo, processed, raising
from tests.support.random_bodies import MODEL, PATHS
from tests.support.telemetry.exported_spans import ExportedSpans

CANARY = "canary"
"""Whatever an activity says has this in it."""

KINDS = ["message", "invoke", "event", CANARY]
CHANNELS = ["webchat", "msteams", CANARY]
MODES = ["normal", "expectReplies", CANARY]
TIMES = {"timestamp", "localTimestamp", "expiration"}
"""What is no time there is refused before anything is said of the activity."""
SHAPES: list[Any] = [
    CANARY,
    [CANARY],
    {CANARY: CANARY},
    f"https://{CANARY}/{CANARY}",
    f"{CANARY}\n",
]


@st.composite
def activities(draw: st.DrawFn) -> dict[str, Any]:
    """An activity whose texts, names and ids are canaries, and some of whose values are odd."""
    activity: dict[str, Any] = _with_canaries(copy.deepcopy(MODEL))
    activity |= {"type": draw(st.sampled_from(KINDS)), "channelId": draw(st.sampled_from(CHANNELS))}
    activity["deliveryMode"] = draw(st.sampled_from(MODES))
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=3)):
        holder: Any = activity
        try:
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = copy.deepcopy(draw(st.sampled_from(SHAPES)))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return activity


def _with_canaries(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: each if key in TIMES else _with_canaries(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_canaries(each) for each in value]
    return CANARY if isinstance(value, str) else value


async def quoting(turn: TurnContext) -> None:
    """Raise an error that is made of what the user wrote, its class too."""
    text = f"{turn.activity.text}"
    raise type(f"of {text}", (Exception,), {})(text)


BOTS: dict[str, Callable[[ComposedApp], Logic]] = {
    "echo": lambda _: echo,
    "raises": lambda _: raising(ValueError(CANARY)),
    "quotes": lambda _: quoting,
    "remembers": lambda app: RememberingBot(app.parts),
    "answers": lambda _: answering(200, {CANARY: CANARY}),
}

MESSAGE = _with_canaries(MODEL) | {"type": "message", "channelId": "webchat"}


@settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    activity=activities(),
    bot=st.sampled_from(sorted(BOTS)),
    is_ours=st.sampled_from([True, True, True, False]),
)
@example(activity=MESSAGE, bot="quotes", is_ours=True)
@example(activity=MESSAGE, bot="raises", is_ours=True)
@example(activity=MESSAGE, bot="remembers", is_ours=True)
async def test_nothing_of_an_activity(
    app: ComposedApp, exported: ExportedSpans, activity: dict[str, Any], bot: str, is_ours: bool
) -> None:
    """No attribute, event, name, status, link or resource has any of it, whatever the bot does."""
    if is_ours:
        activity = {**activity, "serviceUrl": app.service_url}
    exported.clear()
    with contextlib.suppress(BotError):
        await processed(app, json.dumps(activity).encode(), BOTS[bot](app))
    assert exported.names
    if activity == {**MESSAGE, "serviceUrl": app.service_url}:
        assert "agents.app.run" in exported.names, "it is refused, so nothing is tested"
    assert CANARY not in exported.text.lower()
    token = app.cloud.channel.token(app.service_url)
    assert not [secret for secret in (token, "eyJ", "Bearer") if secret in exported.text]
