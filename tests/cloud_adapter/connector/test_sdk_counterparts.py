"""ConnectorClient has the operations of the SDK's client, and sends the same requests."""

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import CloudAdapterBase
from botbuilder.core.inspection.inspection_session import InspectionSession
from botbuilder.schema import Activity, AttachmentData, ChannelAccount, ConversationParameters
from botframework.connector.aio import ConnectorClient as SdkClient
from botframework.connector.aio.operations_async import (
    AttachmentsOperations as SdkAttachmentsOperations,
)
from botframework.connector.aio.operations_async import (
    ConversationsOperations as SdkConversationsOperations,
)
from botframework.connector.auth import MicrosoftAppCredentials
from botframework.connector.teams.operations.teams_operations import (
    TeamsOperations as SdkTeamsOperations,
)

from cloud_adapter.connector.client import (
    AttachmentsOperations,
    ConversationsOperations,
    TeamsOperations,
)
from cloud_adapter.teams_info import TeamsInfo
from tests.support.wire.scripted_service import Reply, ScriptedService, Seen

Operation = Callable[[Any], Awaitable[Any]]


def text(words: str) -> Activity:
    return Activity(type="message", text=words)


OPERATIONS: dict[str, Operation] = {
    "get_conversations": lambda c: c.conversations.get_conversations("next page"),
    "create_conversation": lambda c: c.conversations.create_conversation(
        ConversationParameters(is_group=True, members=[ChannelAccount(id="1")], activity=text("x"))
    ),
    "send_to_conversation": lambda c: c.conversations.send_to_conversation("c|1", text("x")),
    "reply_to_activity": lambda c: c.conversations.reply_to_activity("c|1", "a|1", text("x")),
    "update_activity": lambda c: c.conversations.update_activity("c|1", "a|1", text("x")),
    "delete_activity": lambda c: c.conversations.delete_activity("c|1", "a|1"),
    "send_conversation_history": lambda c: c.conversations.send_conversation_history(
        "c|1", [text("x"), text("y")]
    ),
    "get_conversation_members": lambda c: c.conversations.get_conversation_members("c|1"),
    "get_conversation_member": lambda c: c.conversations.get_conversation_member("c|1", "m/1"),
    "get_conversation_paged_members": lambda c: c.conversations.get_conversation_paged_members(
        "c|1", 7, "next"
    ),
    "get_teams_conversation_paged_members": lambda c: (
        c.conversations.get_teams_conversation_paged_members("c|1", 7, "next")
    ),
    "delete_conversation_member": lambda c: c.conversations.delete_conversation_member("c", "m/1"),
    "get_activity_members": lambda c: c.conversations.get_activity_members("c|1", "a|1"),
    "upload_attachment": lambda c: c.conversations.upload_attachment(
        "c|1", AttachmentData(name="a", type="b", original_base64=b"\x00\xff")
    ),
    "get_attachment_info": lambda c: c.attachments.get_attachment_info("f/1"),
}
MSREST_ONLY = ("custom_headers", "raw")
LISTS = ("get_conversation_members", "get_activity_members")


def essence(seen: Seen) -> tuple[Any, ...]:
    """The parts by which two requests are compared."""
    return seen.method, seen.path, seen.query, seen.json


@pytest.mark.parametrize("name", list(OPERATIONS))
async def test_requests_are_the_sdk_s(name: str, bare: Any, service: ScriptedService) -> None:
    """Method, path, query and body of each operation are those of botbuilder's own client."""
    operation = OPERATIONS[name]
    service.otherwise = Reply(200, [{"id": "1"}] if name in LISTS else {"id": "1"})
    theirs = SdkClient(MicrosoftAppCredentials("", ""), base_url=f"{service.url}/")
    answers = [await operation(theirs), await operation(bare)]
    sdk, own = service.seen
    assert essence(own) == essence(sdk)
    assert answers[1] == answers[0]


PARTS = {
    "conversations": (ConversationsOperations, SdkConversationsOperations),
    "attachments": (AttachmentsOperations, SdkAttachmentsOperations),
    "teams": (TeamsOperations, SdkTeamsOperations),
}
SIGNATURES = [
    (part, name)
    for part, (_, sdk_part) in PARTS.items()
    for name, method in inspect.getmembers(sdk_part, inspect.isfunction)
    if not name.startswith("_")
]
CALLERS = (CloudAdapterBase, TeamsInfo.__base__, InspectionSession)


@pytest.mark.parametrize(("part", "name"), SIGNATURES)
def test_arguments_are_the_sdk_s(part: str, name: str) -> None:
    """Every operation of the SDK exists, with the same names of arguments."""
    ours, sdk_part = PARTS[part]
    theirs = [
        parameter.name
        for parameter in inspect.signature(getattr(sdk_part, name)).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name not in MSREST_ONLY
    ]
    assert list(inspect.signature(getattr(ours, name)).parameters) == theirs


@pytest.mark.parametrize("caller", CALLERS)
def test_what_the_sdk_calls_is_there(caller: type) -> None:
    """botbuilder's adapter, TeamsInfo and inspection find each operation that they call."""
    called = re.findall(r"\.(conversations|attachments|teams)\.(\w+)\(", inspect.getsource(caller))
    assert called
    for part, name in called:
        assert inspect.iscoroutinefunction(getattr(PARTS[part][0], name)), (part, name)
