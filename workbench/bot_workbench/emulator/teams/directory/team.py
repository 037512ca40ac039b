"""Team: a team of the local Teams, its members and its channels."""

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot_workbench.emulator.channel.conversations import Account
from bot_workbench.emulator.teams.directory.body import GUID, text

CHANNEL_ID = re.compile(r"19:[A-Za-z0-9_-]{1,200}@thread\.tacv2")

GENERAL = "General"
"""The name of each team's first channel, whose id is the team's."""


def new_channel_id() -> str:
    """An id for a channel."""
    return f"19:{secrets.token_urlsafe(32)}@thread.tacv2"


@dataclass
class Team:
    """A team; bots are installed in teams, not in channels.

    Attributes:
        id: the id of its channel "General".
        name: its name.
        aad_group_id: the id of its group in Entra (GUID).
        members: the people by id, as in `Conversation.members`.
        channels: names of channels by their ids.
        installed: whether the bot is a member.
    """

    id: str
    name: str
    aad_group_id: str
    members: dict[str, Account] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    installed: bool = True

    @classmethod
    def new(cls, number: int) -> "Team":
        """A new team, `Team 1` and so on, with its first channel."""
        team_id = new_channel_id()
        return cls(team_id, f"Team {number}", str(uuid.uuid4()), {}, {team_id: GENERAL})

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Team":
        """A team as a page has kept it.

        Raises:
            ChannelError: 400, it is not a valid team.
        """
        team_id = text(body, "id", CHANNEL_ID)
        group = text(body, "aadGroupId", GUID)
        return cls(team_id, text(body, "name"), group, {}, {team_id: GENERAL})

    def as_json(self) -> dict[str, str]:
        """The team as in `channelData.team`."""
        return {"aadGroupId": self.aad_group_id, "name": self.name, "id": self.id}
