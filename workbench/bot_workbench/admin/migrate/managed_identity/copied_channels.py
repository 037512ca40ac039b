"""CopiedChannels: the new bot has the old one's channels, as far as they can be copied."""

import json

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.managed_identity.channels import (
    ChannelCopy,
    channel_name,
    missing_copies,
)
from bot_workbench.admin.migrate.managed_identity.new_bot import NewBot
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import Target


def channels_of(arm: ArmClient, bot_id: str) -> list[JsonObject]:
    """A bot's channels, each read by itself, with its settings and without its secrets.

    Raises:
        AzureProblem: they cannot be read.
    """
    names = [channel_name(channel) for channel in arm.pages(f"{bot_id}/channels")]
    return [arm.get(f"{bot_id}/channels/{name}") for name in names]


class CopiedChannels:
    """Each channel of the old bot that needs no credential of another service.

    Args:
        old: the old bot.
        new: the new bot.
    """

    title = "Channels"

    def __init__(self, old: Target, new: NewBot) -> None:
        self._old = old
        self._new = new

    def look(self) -> Finding:
        """Compare the channels.

        Raises:
            AzureProblem: they cannot be read.
        """
        arm = self._old.azure.arm
        old = channels_of(arm, self._old.bot_id.id)
        new = channels_of(arm, self._new.id) if self._new.read() else []
        missing = missing_copies(old, new)
        names = ", ".join(channel_name(channel) for channel in old) or "none"
        if not missing:
            return Finding(f"{self._new.name} has all channels that can be copied; old: {names}")
        lacks = ", ".join(copy.name for copy in missing)
        return Finding(f"{self._new.name} lacks {lacks}", tuple(map(self._change, missing)))

    def _change(self, copy: ChannelCopy) -> Change:
        url = self._old.azure.arm.url(f"{self._new.id}/channels/{copy.name}")
        return Change(
            method="PUT",
            url=url,
            body=copy.body,
            summary=copy.summary,
            az=(
                "az rest --method put --headers Content-Type=application/json --output none \\",
                f"  --url {quoted(url)} \\",
                f"  --body {quoted(json.dumps(copy.body))}",
            ),
        )
