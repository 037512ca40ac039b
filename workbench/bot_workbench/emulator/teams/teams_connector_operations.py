"""TeamsConnectorOperations: the Bot Connector's operations that only Teams has."""

from typing import Any

from aiohttp import web

from bot_workbench.emulator.channel.connector_operations import Body, Operation
from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.teams.directory.team import Team
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory


class TeamsConnectorOperations:
    """Teams and their channels. (Meetings are not supported.)

    Args:
        directory: who is there.
    """

    def __init__(self, directory: TeamsDirectory) -> None:
        self._directory = directory

    def table(self) -> dict[tuple[str, str], Operation]:
        """The operations by HTTP method and path."""
        one = "/v3/teams/{team}"
        return {("GET", one): self._team, ("GET", f"{one}/conversations"): self._channels}

    def _team(self, request: web.Request, _: Body) -> web.Response:
        team = self._find(request)
        details = {
            **team.as_json(),
            "type": "standard",
            "tenantId": self._directory.tenant_id,
            "channelCount": len(team.channels),
            "memberCount": len(team.members),
        }
        return web.json_response(details)

    def _channels(self, request: web.Request, _: Body) -> web.Response:
        team = self._find(request)
        channels = [_channel(team, channel_id) for channel_id in team.channels]
        return web.json_response({"conversations": channels})

    def _find(self, request: web.Request) -> Team:
        team = self._directory.teams.get(request.match_info["team"])
        if team is None:
            raise ChannelError(404, "NotFound", "The team is not known.")
        if not team.installed:
            message = "The bot is not part of the conversation roster."
            raise ChannelError(403, "BotNotInConversationRoster", message)
        return team


def _channel(team: Team, channel_id: str) -> dict[str, Any]:
    # The channel "General" has no name here: clients show it in their user's language.
    name = None if channel_id == team.id else team.channels[channel_id]
    return {"id": channel_id, "name": name, "type": "standard"}
