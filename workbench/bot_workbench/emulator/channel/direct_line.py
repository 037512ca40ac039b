"""DirectLine: Direct Line 3.0 as Web Chat speaks it, between a user and the bot."""

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import Callable, Container, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web

from bot_workbench.emulator.channel.card_action import show_result
from bot_workbench.emulator.channel.channel import BotAnswer, Channel
from bot_workbench.emulator.channel.connector_operations import bot_account
from bot_workbench.emulator.channel.conversations import (
    Account,
    Activity,
    Attachment,
    Conversation,
    Conversations,
    UnknownConversationError,
)
from bot_workbench.emulator.channel.errors import (
    ChannelError,
    bearer_token,
    checked_activity,
    json_object,
    parsed_object,
    with_error_responses,
)
from bot_workbench.emulator.channel.user_tokens import UserSignIn

BASE = "/v3/directline"
ACTIVITY_TYPE = "application/vnd.microsoft.activity"
"""Media type of the activity in a multipart upload; the other parts are files."""
FILES = f"{BASE}/attachments/"
DECLINES = {("signin/tokenExchange", 412), ("signin/verifyState", 404)}
"""Invoke name and status: normal responses during a sign-in, not shown as failures."""
SYSTEM: Account = {"id": "channel", "name": "Channel", "role": "channel"}

SANDBOX = {
    # A file from a user or a bot must not run as a page of this origin.
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Grant:
    """The access of one token: to a conversation, as one user; `expires_at` is monotonic."""

    conversation_id: str
    user: Account
    expires_at: float


class DirectLineTokens:
    """Issues and checks opaque tokens.

    Attributes:
        lifetime: seconds that a token is valid.
    """

    def __init__(self) -> None:
        self.lifetime = 1800
        self._grants: dict[str, Grant] = {}

    def generate(self, user: Account) -> str:
        """A token for a conversation that does not exist yet."""
        return self.issue(uuid.uuid4().hex, user)

    def issue(self, conversation_id: str, user: Account) -> str:
        """A token for this conversation and user."""
        token = secrets.token_urlsafe(32)
        expires_at = time.monotonic() + self.lifetime
        self._grants[token] = Grant(conversation_id, user, expires_at)
        return token

    def grant(self, token: str) -> Grant:
        """The conversation and the user of the token.

        Raises:
            ChannelError: 403, the token is unknown or expired; clients take both for expired.
        """
        grant = self._grants.get(token)
        if grant is None or grant.expires_at <= time.monotonic():
            self._grants.pop(token, None)
            raise ChannelError(403, "TokenExpired", "The token is not valid, or it has expired.")
        return grant


class DirectLine:
    """Gives users conversations with the bot; the chat page's server has its routes.

    Rules: Direct Line API 3.0 reference.

    Args:
        channel: delivers the users' activities to the bot.
        connector_url: returns the Bot Connector's base URL, without a slash at the end.
        conversations: the store shared with the Bot Connector.
        channel_id: the `channelId` of the users' activities.

    Attributes:
        tokens: the tokens issued to users.
    """

    def __init__(
        self,
        channel: Channel,
        connector_url: Callable[[], str],
        conversations: Conversations,
        channel_id: str = "webchat",
    ) -> None:
        self.channel = channel
        self.conversations = conversations
        self.channel_id = channel_id
        self.tokens = DirectLineTokens()
        self._connector_url = connector_url
        self._deliveries: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """The routes under /v3/directline."""
        one = f"{BASE}/conversations/{{conversation}}"
        file = f"{FILES}{{attachment}}/views/{{view}}"
        return [
            web.post(f"{BASE}/tokens/generate", with_error_responses(self._generate)),
            web.post(f"{BASE}/tokens/refresh", with_error_responses(self._refresh)),
            web.post(f"{BASE}/conversations", with_error_responses(self._start_conversation)),
            web.get(one, with_error_responses(self._reconnect)),
            web.get(f"{one}/activities", with_error_responses(self._activities)),
            web.post(f"{one}/activities", with_error_responses(self._post)),
            web.post(f"{one}/upload", with_error_responses(self._upload)),
            web.get(f"{one}/stream", with_error_responses(self._stream)),
            web.get(file, with_error_responses(self._file)),
        ]

    async def close(self) -> None:
        """Cancel the deliveries in progress."""
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def _generate(self, request: web.Request) -> web.Response:
        token = self.tokens.generate(_user(await json_object(request)))
        return self._token_response(token)

    async def _refresh(self, request: web.Request) -> web.Response:
        grant = self.tokens.grant(bearer_token(request))
        return self._token_response(self.tokens.issue(grant.conversation_id, grant.user))

    def _token_response(self, token: str) -> web.Response:
        conversation_id = self.tokens.grant(token).conversation_id
        lifetime = self.tokens.lifetime
        return web.json_response(
            {"conversationId": conversation_id, "token": token, "expires_in": lifetime}
        )

    async def _start_conversation(self, request: web.Request) -> web.Response:
        token = bearer_token(request)
        grant = self.tokens.grant(token)
        started = grant.conversation_id in self.conversations.by_id
        if not started:
            bot = bot_account(self.channel.registration)
            conversation = self.conversations.create([grant.user, bot], grant.conversation_id)
            update = {"type": "conversationUpdate", "membersAdded": [bot, grant.user]}
            self._start_delivery(
                self._deliver(conversation, self._add(conversation, grant, update))
            )
        return self._conversation_response(request, token, 200 if started else 201)

    async def _reconnect(self, request: web.Request) -> web.Response:
        _, grant = self._granted(request, bearer_token(request))
        token = self.tokens.issue(grant.conversation_id, grant.user)
        return self._conversation_response(request, token, 200)

    def _conversation_response(self, request: web.Request, token: str, status: int) -> web.Response:
        conversation_id = self.tokens.grant(token).conversation_id
        path = f"{BASE}/conversations/{conversation_id}/stream"
        query = f"watermark={_watermark(request)}&t={token}"
        answer = {
            "conversationId": conversation_id,
            "token": token,
            "expires_in": self.tokens.lifetime,
            "streamUrl": f"ws://{request.host}{path}?{query}",
        }
        return web.json_response(answer, status=status)

    async def _post(self, request: web.Request) -> web.Response:
        conversation, grant = self._granted(request, bearer_token(request))
        activity = checked_activity(await json_object(request))
        sent = self._add(conversation, grant, activity)
        if sent["type"] == "invoke":
            return await self._invoke(conversation, sent)
        # Not awaited: Web Chat would show a slow turn as a failed message.
        self._start_delivery(self._deliver(conversation, sent))
        return web.json_response({"id": sent["id"]})

    async def _upload(self, request: web.Request) -> web.Response:
        conversation, grant = self._granted(request, bearer_token(request))
        files_url = f"http://{request.host}{FILES}"
        message = await uploaded_message(request, self.conversations, files_url)
        sent = self._add(conversation, grant, message)
        self._start_delivery(self._deliver(conversation, sent))
        return web.json_response({"id": sent["id"]})

    def _add(self, conversation: Conversation, grant: Grant, activity: Activity) -> Activity:
        return conversation.add(self._addressed(grant.user, activity))

    def _addressed(self, user: Account, activity: Activity) -> Activity:
        return {
            **activity,
            "channelId": self.channel_id,
            "serviceUrl": f"{self._connector_url()}/",
            "from": {**user, "role": "user"},
            "recipient": bot_account(self.channel.registration),
        }

    def announce(self, sign_in: UserSignIn, token: dict[str, Any]) -> None:
        """Send the bot the event `tokens/response`: the user has signed in.

        The event is not part of the conversation, whose user must not see the token.

        Args:
            sign_in: the sign-in that has ended.
            token: the user's TokenResponse.

        Raises:
            ChannelError: 404, the sign-in is of another channel.
        """
        if sign_in.target.channel_id != self.channel_id:
            raise ChannelError(404, "BadArgument", "The sign-in is of another channel.")
        conversation = self._find(sign_in.conversation_id)
        user = conversation.members.get(sign_in.target.user_id, {"id": sign_in.target.user_id})
        event = {
            "type": "event",
            "name": "tokens/response",
            "value": token,
            "id": uuid.uuid4().hex,
            "conversation": {"id": conversation.id},
        }
        self._start_delivery(self._deliver(conversation, self._addressed(user, event)))

    async def _deliver(self, conversation: Conversation, activity: Activity) -> None:
        answer = await self.channel.deliver(activity)
        if not answer.ok:
            self._show_failure(conversation, answer)

    async def _invoke(self, conversation: Conversation, invoke: Activity) -> web.Response:
        answer = await self.channel.deliver(invoke)
        if not answer.ok:
            if (str(invoke.get("name")), answer.status) not in DECLINES:
                self._show_failure(conversation, answer)
            raise ChannelError(502, "BotError", "The bot did not accept the invoke.")
        show_result(conversation, invoke, answer.body, bot_account(self.channel.registration))
        return web.Response(status=answer.status, body=answer.body, content_type="application/json")

    def _show_failure(self, conversation: Conversation, answer: BotAnswer) -> None:
        conversation.add({"type": "message", "from": SYSTEM, "text": answer.failure})

    async def _activities(self, request: web.Request) -> web.Response:
        conversation, _ = self._granted(request, bearer_token(request))
        # Only the WebSocket brings typing, and so the parts of a stream (LIVESTREAMING.md of
        # microsoft/BotFramework-WebChat, "Channel support").
        text, _ = self._shown(conversation, _watermark(request), request, without=("typing",))
        return web.json_response(text=text)

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        conversation, _ = self._granted(request, request.query.get("t", ""))
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        pushing = asyncio.create_task(self._push(socket, conversation, request))
        try:
            async for _ in socket:
                pass  # clients send empty messages to keep the connection alive
        finally:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        return socket

    async def _push(
        self, socket: web.WebSocketResponse, conversation: Conversation, request: web.Request
    ) -> None:
        watermark = _watermark(request)
        while not socket.closed:
            await conversation.wait_for_change(watermark)
            text, watermark = self._shown(conversation, watermark, request)
            await socket.send_str(text)

    def _shown(
        self,
        conversation: Conversation,
        watermark: int,
        request: web.Request,
        without: Container[str] = (),
    ) -> tuple[str, int]:
        shown, reached = conversation.shown_since(watermark)
        activities = [each for each in shown if each["type"] not in without]
        text = json.dumps({"activities": activities, "watermark": str(reached)})
        # Browsers do not trust the connector's certificate: they load its files from the page.
        connector_files = f"{self._connector_url()}/v3/attachments/"
        return text.replace(connector_files, f"http://{request.host}{FILES}"), reached

    async def _file(self, request: web.Request) -> web.Response:
        file = self.conversations.attachments.get(request.match_info["attachment"])
        content = None if file is None else file.views.get(request.match_info["view"])
        if file is None or content is None:
            raise ChannelError(404, "AttachmentNotFound", "The attachment is not known.")
        headers = {"Content-Type": file.content_type, **SANDBOX}
        return web.Response(body=content, headers=headers)

    def _granted(self, request: web.Request, token: str) -> tuple[Conversation, Grant]:
        grant = self.tokens.grant(token)
        conversation_id = request.match_info["conversation"]
        if grant.conversation_id != conversation_id:
            raise ChannelError(403, "BadArgument", "The token is for another conversation.")
        return self._find(conversation_id), grant

    def _find(self, conversation_id: str) -> Conversation:
        try:
            return self.conversations.find(conversation_id)
        except UnknownConversationError:
            message = "The conversation is not known."
            raise ChannelError(404, "BadArgument", message) from None

    def _start_delivery(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)


async def uploaded_message(
    request: web.Request, conversations: Conversations, files_url: str
) -> Activity:
    """The message of an upload, with its files as attachments.

    Args:
        request: `multipart/form-data`; at most one part is the activity, the others are files.
        conversations: where the files are stored.
        files_url: the URL under which they are served, with a slash at the end.

    Raises:
        ChannelError: 400, the body is not multipart, or the activity is not valid.
    """
    if not request.content_type.startswith("multipart/"):
        raise ChannelError(400, "BadSyntax", "The body is not multipart.")
    try:
        return await _read_upload(await request.multipart(), conversations, files_url)
    except ValueError:
        raise ChannelError(400, "BadSyntax", "The multipart body is malformed.") from None


async def _read_upload(
    parts: MultipartReader, conversations: Conversations, files_url: str
) -> Activity:
    message: Activity = {"type": "message"}
    attachments = []
    async for part in parts:
        if not isinstance(part, BodyPartReader):
            raise ChannelError(400, "BadSyntax", "Multipart inside multipart.")
        kind = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0]
        content = bytes(await part.read(decode=True))
        if kind == ACTIVITY_TYPE:
            message = checked_activity(parsed_object(content))
            continue
        file = Attachment(part.filename or "file", kind, {"original": content})
        url = f"{files_url}{conversations.store_attachment(file)}/views/original"
        attachments.append({"contentType": kind, "contentUrl": url, "name": file.name})
    return {**message, "attachments": attachments}


def _user(body: dict[str, object]) -> Account:
    given = body.get("user")
    user = {"id": f"user-{uuid.uuid4().hex[:8]}", "name": "User", "role": "user"}
    return {**user, **given} if isinstance(given, dict) else user


def _watermark(request: web.Request) -> int:
    text = request.query.get("watermark", "")
    # Direct Line clients send "-" or nothing to start from the beginning.
    return int(text) if text.isdecimal() else 0
