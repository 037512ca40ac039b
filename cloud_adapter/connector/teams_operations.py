"""TeamsOperations: what Teams' connector can do beside the others', without blocking.

Source: Microsoft reference "Meeting apps API references"; botbuilder's TeamsConnectorClient.
"""

from typing import Any

from botbuilder.schema.teams import (
    ConversationList,
    MeetingInfo,
    MeetingNotificationBase,
    MeetingNotificationResponse,
    TeamDetails,
    TeamsMeetingParticipant,
)

from cloud_adapter.connector.service_calls import ServiceCalls, answered


class TeamsOperations:
    """What `ConnectorClient.teams` can do, named as in `TeamsConnectorClient.teams`."""

    def __init__(self, calls: ServiceCalls) -> None:
        self._call = calls.call

    async def get_teams_channels(self, team_id: str) -> Any:
        """The channels of a team: ConversationList."""
        answer = await self._call("GET", ("v3", "teams", team_id, "conversations"))
        return answered(ConversationList, answer)

    async def get_team_details(self, team_id: str) -> Any:
        """A team's name, group and counts: TeamDetails."""
        return answered(TeamDetails, await self._call("GET", ("v3", "teams", team_id)))

    async def fetch_participant(self, meeting_id: str, participant_id: str, tenant_id: str) -> Any:
        """Who takes part in a meeting, and as what: TeamsMeetingParticipant."""
        path = ("v1", "meetings", meeting_id, "participants", participant_id)
        answer = await self._call("GET", path, query={"tenantId": tenant_id})
        return answered(TeamsMeetingParticipant, answer)

    async def fetch_meeting(self, meeting_id: str) -> Any:
        """A meeting's details, conversation and organizer: MeetingInfo."""
        return answered(MeetingInfo, await self._call("GET", ("v1", "meetings", meeting_id)))

    async def send_meeting_notification(
        self, meeting_id: str, notification: MeetingNotificationBase
    ) -> Any:
        """Notify people in a meeting: MeetingNotificationResponse, which names whom it missed.

        None when it reached everybody.
        """
        path = ("v1", "meetings", meeting_id, "notification")
        answer = await self._call("POST", path, notification)
        return answered(MeetingNotificationResponse, answer) if answer is not None else None
