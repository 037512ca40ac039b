"""ConnectorClient: the Bot Connector's REST operations, in the shape that botbuilder gives them.

Source: Microsoft reference "Bot Connector API", version 3.
"""

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
from botbuilder.schema.teams import TeamsPagedMembersResult

from cloud_adapter.connector.credentials import BotCredentials
from cloud_adapter.connector.service_calls import ServiceCalls, answered
from cloud_adapter.connector.session import ConnectorSession
from cloud_adapter.connector.teams_operations import TeamsOperations


class ConversationsOperations:
    """What `ConnectorClient.conversations` can do."""

    def __init__(self, calls: ServiceCalls) -> None:
        self._call = calls.call

    async def get_conversations(self, continuation_token: str | None = None) -> Any:
        """The conversations that the bot has taken part in: ConversationsResult."""
        query = {"continuationToken": continuation_token}
        answer = await self._call("GET", _path(), query=query)
        return answered(ConversationsResult, answer)

    async def create_conversation(self, parameters: Any) -> Any:
        """Begin a conversation: ConversationResourceResponse."""
        answer = await self._call("POST", _path(), parameters)
        return answered(ConversationResourceResponse, answer)

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
        answer = await self._call("GET", _path(conversation_id, "members"))
        return [answered(ChannelAccount, member) for member in answer or []]

    async def get_conversation_member(self, conversation_id: str, member_id: str) -> Any:
        """One member: ChannelAccount."""
        answer = await self._call("GET", _path(conversation_id, "members", member_id))
        return answered(ChannelAccount, answer)

    async def get_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """A page of the members: PagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return answered(PagedMembersResult, page)

    async def get_teams_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """A page of the members as Teams describes them: TeamsPagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return answered(TeamsPagedMembersResult, page)

    async def _page(self, conversation_id: str, size: int | None, token: str | None) -> Any:
        query = {"pageSize": size, "continuationToken": token}
        return await self._call("GET", _path(conversation_id, "pagedmembers"), query=query)

    async def delete_conversation_member(self, conversation_id: str, member_id: str) -> None:
        """Remove a member."""
        await self._call("DELETE", _path(conversation_id, "members", member_id))

    async def get_activity_members(self, conversation_id: str, activity_id: str) -> Any:
        """The members an activity was for: a list of ChannelAccount."""
        path = _path(conversation_id, "activities", activity_id, "members")
        answer = await self._call("GET", path)
        return [answered(ChannelAccount, member) for member in answer or []]

    async def upload_attachment(self, conversation_id: str, attachment_upload: Any) -> Any:
        """Upload an AttachmentData into the channel's store: ResourceResponse."""
        path = _path(conversation_id, "attachments")
        return _resource(await self._call("POST", path, attachment_upload))


class AttachmentsOperations:
    """What `ConnectorClient.attachments` can do."""

    def __init__(self, calls: ServiceCalls) -> None:
        self._calls = calls

    async def get_attachment_info(self, attachment_id: str) -> Any:
        """An attachment's name, type and views: AttachmentInfo."""
        answer = await self._calls.call("GET", ("v3", "attachments", attachment_id))
        return answered(AttachmentInfo, answer)

    async def get_attachment(self, attachment_id: str, view_id: str) -> AsyncIterator[bytes]:
        """The content of one of an attachment's views, in chunks as the SDK gives it."""
        path = ("v3", "attachments", attachment_id, "views", view_id)
        return _in_one_chunk(await self._calls.download(path))


class ConnectorClient:
    """A stand-in for `botframework.connector.aio.ConnectorClient`, without msrest.

    Attributes:
        conversations: see Conversations.
        attachments: see Attachments.
        teams: see TeamsOperations; the SDK has a client of its own for them.
        config: has `credentials` and `base_url`, as botbuilder's TeamsInfo reads them.
    """

    def __init__(
        self,
        session: ConnectorSession,
        credentials: BotCredentials,
        base_url: str,
        deadline: float | None,
    ) -> None:
        calls = ServiceCalls(session, credentials, base_url, deadline)
        self.config = SimpleNamespace(credentials=credentials, base_url=base_url)
        self.conversations = ConversationsOperations(calls)
        self.attachments = AttachmentsOperations(calls)
        self.teams = TeamsOperations(calls)


async def _in_one_chunk(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _path(*segments: str) -> tuple[str, ...]:
    return ("v3", "conversations", *segments)


def _resource(answer: object) -> Any:
    """A ResourceResponse; None when the service accepted the activity without naming it."""
    return answered(ResourceResponse, answer) if isinstance(answer, dict) else None
