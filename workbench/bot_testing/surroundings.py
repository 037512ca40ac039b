"""Surroundings: what all chats of a test share."""

from dataclasses import dataclass

from bot_testing.app.running_bot import RunningBot
from bot_testing.clocks.moved_time import MovedTime
from bot_testing.cloud.cloud_thread import CloudThread
from bot_testing.cloud.faults import CloudFaults


@dataclass(frozen=True)
class Surroundings:
    """The app, and everything around it.

    Attributes:
        cloud: the local cloud.
        bot: the running app.
        time: the clocks.
        faults: injects faults into the services around the bot.
        skip_waits: see ChatOptions.
        turn_seconds: see ChatOptions.
        known: ids of the conversations that the bot has not created in this test.
    """

    cloud: CloudThread
    bot: RunningBot
    time: MovedTime
    faults: CloudFaults
    skip_waits: bool
    turn_seconds: float
    known: set[str]
