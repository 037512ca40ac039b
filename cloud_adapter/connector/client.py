"""ConnectorClient: the Bot Connector's REST operations, with botbuilder's method signatures.

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
from http_client.connection import MAX_CONTENT_BYTES, MAX_LIST_BYTES


class ConversationsOperations:
    """The operations of `ConnectorClient.conversations`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_conversations(self, continuation_token: str | None = None) -> Any:
        """Return the bot's conversations as a ConversationsResult."""
        query = {"continuationToken": continuation_token}
        response = await self._call("GET", _path(), query=query, max_bytes=MAX_LIST_BYTES)
        return response.model(ConversationsResult)

    async def create_conversation(self, parameters: Any) -> Any:
        """Start a conversation; returns a ConversationResourceResponse."""
        response = await self._call("POST", _path(), parameters)
        return response.model(ConversationResourceResponse)

    async def send_to_conversation(self, conversation_id: str, activity: Any) -> Any:
        """Send an activity to the end of a conversation; returns a ResourceResponse."""
        return _resource(await self._call("POST", _path(conversation_id, "activities"), activity))

    async def reply_to_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        """Reply to an activity; returns a ResourceResponse."""
        path = _path(conversation_id, "activities", activity_id)
        return _resource(await self._call("POST", path, activity))

    async def update_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        """Replace a sent activity; returns a ResourceResponse."""
        path = _path(conversation_id, "activities", activity_id)
        return _resource(await self._call("PUT", path, activity))

    async def delete_activity(self, conversation_id: str, activity_id: str) -> None:
        """Delete a sent activity."""
        await self._call("DELETE", _path(conversation_id, "activities", activity_id))

    async def send_conversation_history(
        self, conversation_id: str, activities: list[Any] | None = None
    ) -> Any:
        """Upload past activities; returns a ResourceResponse."""
        path = _path(conversation_id, "activities", "history")
        return _resource(await self._call("POST", path, Transcript(activities=activities)))

    async def get_conversation_members(self, conversation_id: str) -> Any:
        """Return all members as a list of ChannelAccount."""
        path = _path(conversation_id, "members")
        response = await self._call("GET", path, max_bytes=MAX_LIST_BYTES)
        return response.models(ChannelAccount)

    async def get_conversation_member(self, conversation_id: str, member_id: str) -> Any:
        """Return one member as a ChannelAccount."""
        response = await self._call("GET", _path(conversation_id, "members", member_id))
        return response.model(ChannelAccount)

    async def get_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """Return a page of the members as a PagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return page.model(PagedMembersResult)

    async def get_teams_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """Return a page of the members, with Teams' properties, as a TeamsPagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return page.model(TeamsPagedMembersResult)

    async def _page(
        self, conversation_id: str, size: int | None, token: str | None
    ) -> ServiceResponse:
        query = {"pageSize": size, "continuationToken": token}
        path = _path(conversation_id, "pagedmembers")
        return await self._call("GET", path, query=query, max_bytes=MAX_LIST_BYTES)

    async def delete_conversation_member(self, conversation_id: str, member_id: str) -> None:
        """Remove a member."""
        await self._call("DELETE", _path(conversation_id, "members", member_id))

    async def get_activity_members(self, conversation_id: str, activity_id: str) -> Any:
        """Return the members that an activity was sent to as a list of ChannelAccount."""
        path = _path(conversation_id, "activities", activity_id, "members")
        response = await self._call("GET", path, max_bytes=MAX_LIST_BYTES)
        return response.models(ChannelAccount)

    async def upload_attachment(self, conversation_id: str, attachment_upload: Any) -> Any:
        """Upload an AttachmentData to the channel's store; returns a ResourceResponse."""
        path = _path(conversation_id, "attachments")
        return _resource(await self._call("POST", path, attachment_upload))


class AttachmentsOperations:
    """The operations of `ConnectorClient.attachments`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_attachment_info(self, attachment_id: str) -> Any:
        """Return an attachment's name, type and views as an AttachmentInfo."""
        response = await self._call("GET", ("v3", "attachments", attachment_id))
        return response.model(AttachmentInfo)

    async def get_attachment(self, attachment_id: str, view_id: str) -> AsyncIterator[bytes]:
        """Return the content of an attachment's view, as an iterator of one chunk.

        The SDK's client returns an iterator too.
        """
        path = ("v3", "attachments", attachment_id, "views", view_id)
        return _in_one_chunk((await self._call("GET", path, max_bytes=MAX_CONTENT_BYTES)).body)


class TeamsOperations:
    """The operations of `ConnectorClient.teams`: botbuilder's TeamsConnectorClient, but async.

    Source: Microsoft reference "Meeting apps API references".
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_teams_channels(self, team_id: str) -> Any:
        """Return the channels of a team as a ConversationList."""
        path = ("v3", "teams", team_id, "conversations")
        response = await self._call("GET", path, max_bytes=MAX_LIST_BYTES)
        return response.model(ConversationList)

    async def get_team_details(self, team_id: str) -> Any:
        """Return a team's name, group and counts as TeamDetails."""
        return (await self._call("GET", ("v3", "teams", team_id))).model(TeamDetails)

    async def fetch_participant(self, meeting_id: str, participant_id: str, tenant_id: str) -> Any:
        """Return a meeting's participant, with their role, as a TeamsMeetingParticipant."""
        path = ("v1", "meetings", meeting_id, "participants", participant_id)
        response = await self._call("GET", path, query={"tenantId": tenant_id})
        return response.model(TeamsMeetingParticipant)

    async def fetch_meeting(self, meeting_id: str) -> Any:
        """Return a meeting's details, conversation and organizer as a MeetingInfo."""
        return (await self._call("GET", ("v1", "meetings", meeting_id))).model(MeetingInfo)

    async def send_meeting_notification(
        self, meeting_id: str, notification: MeetingNotificationBase
    ) -> Any:
        """Notify people in a meeting.

        Returns:
            A MeetingNotificationResponse, which lists the people that were not reached; None if
            everybody was.
        """
        path = ("v1", "meetings", meeting_id, "notification")
        failures = (await self._call("POST", path, notification)).json()
        return None if failures is None else as_model(MeetingNotificationResponse, failures)


class ConnectorClient:
    """Replaces `botframework.connector.aio.ConnectorClient`, without msrest.

    Args:
        session: sends the calls.
        connector: the connector service at the activity's service URL.

    Attributes:
        conversations: see ConversationsOperations.
        attachments: see AttachmentsOperations.
        teams: see TeamsOperations; the SDK has a separate client for these.
        config: has `credentials` and `base_url`, which botbuilder's TeamsInfo reads.
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
    """A ResourceResponse; None if the service accepted the activity but returned no id."""
    data = response.json()
    return as_model(ResourceResponse, data) if isinstance(data, dict) else None
