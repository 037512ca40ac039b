"""TeamsInfo: botbuilder's TeamsInfo, without the methods that block the event loop.

Five of the SDK's methods call Teams with a blocking client, which stops all other turns meanwhile.
`import_bot_sdk` replaces the SDK's class with this one, so bots import it from
botbuilder.core.teams.
"""

from typing import Any

from botbuilder.core import TurnContext
from botbuilder.core.teams import TeamsInfo as SdkTeamsInfo
from botbuilder.core.teams.teams_activity_extensions import (
    teams_get_channel_data,
    teams_get_meeting_info,
)
from botbuilder.schema.teams import MeetingNotificationBase

from cloud_adapter.connector.client import ConnectorClient, TeamsOperations


class TeamsInfo(SdkTeamsInfo):  # type: ignore[misc]  # untyped SDK base
    """Gets information from Teams, in a turn of this project's CloudAdapter.

    Signatures and results are those of botbuilder's TeamsInfo. Arguments that are left out are
    taken from the turn's activity. Outside of a turn, each method raises ValueError.
    """

    @staticmethod
    def get_team_id(turn_context: TurnContext) -> str:
        """The id of the activity's team; empty if it has none.

        (The SDK's method fails if the activity has no channel data.)
        """
        team = getattr(teams_get_channel_data(turn_context.activity), "team", None)
        return getattr(team, "id", None) or ""

    @staticmethod
    async def get_team_details(turn_context: TurnContext, team_id: str = "") -> Any:
        """A team's name, group and counts, as TeamDetails.

        Raises:
            TypeError: neither the arguments nor the activity name a team.
            ConnectorError: Teams refused the call, or cannot be reached.
        """
        team_id = _team_id(turn_context, team_id)
        return await (await _teams(turn_context)).get_team_details(team_id)

    @staticmethod
    async def get_team_channels(turn_context: TurnContext, team_id: str = "") -> Any:
        """The channels of a team, as a list of ChannelInfo.

        Raises:
            TypeError, ConnectorError: as get_team_details.
        """
        team_id = _team_id(turn_context, team_id)
        channels = await (await _teams(turn_context)).get_teams_channels(team_id)
        return channels.conversations

    @staticmethod
    async def get_meeting_participant(
        turn_context: TurnContext,
        meeting_id: str | None = None,
        participant_id: str | None = None,
        tenant_id: str | None = None,
    ) -> Any:
        """A participant of a meeting, with their role, as a TeamsMeetingParticipant.

        (The SDK's method mixes up two URLs, and requests the meeting instead.)

        Raises:
            TypeError: neither the arguments nor the activity name all three.
            ConnectorError: Teams refused the call, or cannot be reached.
        """
        activity = turn_context.activity
        sender = getattr(activity.from_property, "aad_object_id", None)
        tenant = getattr(teams_get_channel_data(activity), "tenant", None)
        meeting_id = _meeting_id(turn_context, meeting_id)
        participant_id = _required(participant_id or sender, "participant_id")
        tenant_id = _required(tenant_id or getattr(tenant, "id", None), "tenant_id")
        teams = await _teams(turn_context)
        return await teams.fetch_participant(meeting_id, participant_id, tenant_id)

    @staticmethod
    async def get_meeting_info(turn_context: TurnContext, meeting_id: str | None = None) -> Any:
        """A meeting's details, conversation and organizer, as a MeetingInfo.

        Raises:
            TypeError: neither the arguments nor the activity name a meeting.
            ConnectorError: Teams refused the call, or cannot be reached.
        """
        meeting_id = _meeting_id(turn_context, meeting_id)
        return await (await _teams(turn_context)).fetch_meeting(meeting_id)

    @staticmethod
    async def send_meeting_notification(
        turn_context: TurnContext,
        notification: MeetingNotificationBase,
        meeting_id: str | None = None,
    ) -> Any:
        """Notify people in a meeting.

        (The SDK's method sends the notification, and then raises.)

        Returns:
            A MeetingNotificationResponse, which lists the people that were not reached; None if
            everybody was.

        Raises:
            TypeError, ConnectorError: as get_meeting_info.
        """
        meeting_id = _meeting_id(turn_context, meeting_id)
        notification = _required(notification, "notification")
        teams = await _teams(turn_context)
        return await teams.send_meeting_notification(meeting_id, notification)


async def _teams(turn_context: TurnContext) -> TeamsOperations:
    client: ConnectorClient = await TeamsInfo._get_connector_client(turn_context)
    return client.teams


def _team_id(turn_context: TurnContext, team_id: str) -> Any:
    return _required(team_id or TeamsInfo.get_team_id(turn_context), "team_id")


def _meeting_id(turn_context: TurnContext, meeting_id: str | None) -> Any:
    meeting = teams_get_meeting_info(turn_context.activity)
    return _required(meeting_id or getattr(meeting, "id", None), "meeting_id")


def _required(value: Any, name: str) -> Any:
    if not value:
        raise TypeError(f"{name} is missing, and the turn's activity does not name it either")
    return value
