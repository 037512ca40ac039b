"""FeedAddress: where a bot's processes find the local cloud's feed."""

from bot_workbench.emulator.loopback import GuardedPort


class FeedAddress(GuardedPort):
    """Where the local cloud listens for what a bot's processes report."""

    SETTING = "BOT_FEED"
