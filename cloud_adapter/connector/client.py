"""ConnectorClient: the Bot Connector's REST operations, in the shape that botbuilder gives them.

Source: Microsoft reference "Bot Connector API", version 3.
"""

import functools
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from botbuilder.schema import (
    AttachmentInfo,
    ChannelAccount,
    ConversationResourceResponse,
    ConversationsResult,
    PagedMembersResult,
    ResourceResponse,
    Transcript,
)
from botbuilder.schema.teams import (
    ConversationList,
    MeetingInfo,
    MeetingNotificationBase,
    MeetingNotificationResponse,
    TeamDetails,
    TeamsMeetingParticipant,
    TeamsPagedMembersResult,
)

from cloud_adapter.connector.session import (
    Call,
    ConnectorSession,
    Service,
    ServiceResponse,
    as_model,
)


class ConversationsOperations:
    """What `ConnectorClient.conversations` can do."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_conversations(self, continuation_token: str | None = None) -> Any:
        """The conversations that the bot has taken part in: ConversationsResult."""
        query = {"continuationToken": continuation_token}
        response = await self._call("GET", _path(), query=query)
        return response.model(ConversationsResult)

    async def create_conversation(self, parameters: Any) -> Any:
        """Start a conversation: ConversationResourceResponse."""
        response = await self._call("POST", _path(), parameters)
        return response.model(ConversationResourceResponse)

    async def send_to_conversation(self, conversation_id: str, activity: Any) -> Any:
        """Send to the end of a conversation: ResourceResponse."""
        return _resource(await self._call("POST", _path(conversation_id, "activities"), activity))

    async def reply_to_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        """Reply to an activity: ResourceResponse."""
        path = _path(conversation_id, "activities", activity_id)
        return _resource(await self._call("POST", path, activity))

    async def update_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        """Put an activity in the place of a sent one: ResourceResponse."""
        path = _path(conversation_id, "activities", activity_id)
        return _resource(await self._call("PUT", path, activity))

    async def delete_activity(self, conversation_id: str, activity_id: str) -> None:
        """Delete a sent activity."""
        await self._call("DELETE", _path(conversation_id, "activities", activity_id))

    async def send_conversation_history(
        self, conversation_id: str, activities: list[Any] | None = None
    ) -> Any:
        """Upload past activities: ResourceResponse."""
        path = _path(conversation_id, "activities", "history")
        return _resource(await self._call("POST", path, Transcript(activities=activities)))

    async def get_conversation_members(self, conversation_id: str) -> Any:
        """All members: a list of ChannelAccount."""
        response = await self._call("GET", _path(conversation_id, "members"))
        return [as_model(ChannelAccount, each) for each in response.json() or []]

    async def get_conversation_member(self, conversation_id: str, member_id: str) -> Any:
        """One member: ChannelAccount."""
        response = await self._call("GET", _path(conversation_id, "members", member_id))
        return response.model(ChannelAccount)

    async def get_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """A page of the members: PagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return page.model(PagedMembersResult)

    async def get_teams_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """A page of the members as Teams describes them: TeamsPagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return page.model(TeamsPagedMembersResult)

    async def _page(
        self, conversation_id: str, size: int | None, token: str | None
    ) -> ServiceResponse:
        query = {"pageSize": size, "continuationToken": token}
        return await self._call("GET", _path(conversation_id, "pagedmembers"), query=query)

    async def delete_conversation_member(self, conversation_id: str, member_id: str) -> None:
        """Remove a member."""
        await self._call("DELETE", _path(conversation_id, "members", member_id))

    async def get_activity_members(self, conversation_id: str, activity_id: str) -> Any:
        """The members an activity was for: a list of ChannelAccount."""
        path = _path(conversation_id, "activities", activity_id, "members")
        response = await self._call("GET", path)
        return [as_model(ChannelAccount, each) for each in response.json() or []]

    async def upload_attachment(self, conversation_id: str, attachment_upload: Any) -> Any:
        """Upload an AttachmentData into the channel's store: ResourceResponse."""
        path = _path(conversation_id, "attachments")
        return _resource(await self._call("POST", path, attachment_upload))


class AttachmentsOperations:
    """What `ConnectorClient.attachments` can do."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_attachment_info(self, attachment_id: str) -> Any:
        """An attachment's name, type and views: AttachmentInfo."""
        response = await self._call("GET", ("v3", "attachments", attachment_id))
        return response.model(AttachmentInfo)

    async def get_attachment(self, attachment_id: str, view_id: str) -> AsyncIterator[bytes]:
        """The content of one of an attachment's views, in chunks as the SDK gives it."""
        path = ("v3", "attachments", attachment_id, "views", view_id)
        return _in_one_chunk((await self._call("GET", path)).body)


class TeamsOperations:
    """What `ConnectorClient.teams` can do: botbuilder's TeamsConnectorClient, without blocking.

    Source: Microsoft reference "Meeting apps API references".
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_teams_channels(self, team_id: str) -> Any:
        """The channels of a team: ConversationList."""
        response = await self._call("GET", ("v3", "teams", team_id, "conversations"))
        return response.model(ConversationList)

    async def get_team_details(self, team_id: str) -> Any:
        """A team's name, group and counts: TeamDetails."""
        return (await self._call("GET", ("v3", "teams", team_id))).model(TeamDetails)

    async def fetch_participant(self, meeting_id: str, participant_id: str, tenant_id: str) -> Any:
        """Who takes part in a meeting, and as what: TeamsMeetingParticipant."""
        path = ("v1", "meetings", meeting_id, "participants", participant_id)
        response = await self._call("GET", path, query={"tenantId": tenant_id})
        return response.model(TeamsMeetingParticipant)

    async def fetch_meeting(self, meeting_id: str) -> Any:
        """A meeting's details, conversation and organizer: MeetingInfo."""
        return (await self._call("GET", ("v1", "meetings", meeting_id))).model(MeetingInfo)

    async def send_meeting_notification(
        self, meeting_id: str, notification: MeetingNotificationBase
    ) -> Any:
        """Notify people in a meeting: MeetingNotificationResponse, which names whom it missed.

        None when it reached everybody.
        """
        path = ("v1", "meetings", meeting_id, "notification")
        missed = (await self._call("POST", path, notification)).json()
        return None if missed is None else as_model(MeetingNotificationResponse, missed)


class ConnectorClient:
    """Takes the place of `botframework.connector.aio.ConnectorClient`, without msrest.

    Args:
        session: sends the calls.
        connector: the connector at the activity's service URL.

    Attributes:
        conversations: see ConversationsOperations.
        attachments: see AttachmentsOperations.
        teams: see TeamsOperations; the SDK has a client of its own for them.
        config: has `credentials` and `base_url`, as botbuilder's TeamsInfo reads them.
    """

    def __init__(self, session: ConnectorSession, connector: Service) -> None:
        call = functools.partial(session.call, connector)
        self.config = SimpleNamespace(
            credentials=connector.credentials, base_url=connector.base_url
        )
        self.conversations = ConversationsOperations(call)
        self.attachments = AttachmentsOperations(call)
        self.teams = TeamsOperations(call)


async def _in_one_chunk(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _path(*segments: str) -> tuple[str, ...]:
    return ("v3", "conversations", *segments)


def _resource(response: ServiceResponse) -> Any:
    """A ResourceResponse; None when the service accepted the activity without naming it."""
    data = response.json()
    return as_model(ResourceResponse, data) if isinstance(data, dict) else None
