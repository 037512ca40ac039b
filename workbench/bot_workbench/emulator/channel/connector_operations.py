"""ConnectorOperations: the operations of the Bot Connector REST API."""

import base64
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot_workbench.emulator.channel.conversations import (
    Account,
    Activity,
    Attachment,
    Conversation,
    Conversations,
)
from bot_workbench.emulator.channel.errors import ChannelError, checked_activity
from bot_workbench.emulator.channel.oauth_cards import OAuthCards
from bot_workbench.emulator.entra.registration import Registration

BOT_NAME = "Bot"
PAGE_SIZE = 50
_BINARY = "application/octet-stream"

Body = dict[str, Any]
Operation = Callable[[web.Request, Body], web.Response]


def bot_account(registration: Registration) -> Account:
    """The bot as a member of conversations."""
    return {"id": registration.app_id, "name": BOT_NAME, "role": "bot"}


class ConnectorOperations:
    """The operations, without the check of the caller's token.

    Args:
        registration: the bot's; its account sends the activities.
        conversations: the store.
        oauth_cards: fills in the links of sign-in cards.
        url: returns the connector's base URL, which is known only once it listens.
    """

    def __init__(
        self,
        registration: Registration,
        conversations: Conversations,
        oauth_cards: OAuthCards,
        url: Callable[[], str],
    ) -> None:
        self._registration = registration
        self._conversations = conversations
        self._oauth_cards = oauth_cards
        self._url = url

    def table(self) -> dict[tuple[str, str], Operation]:
        """The operations by HTTP method and path."""
        one = "/v3/conversations/{conversation}"
        activity = one + "/activities/{activity}"
        member = one + "/members/{member}"
        attachment = "/v3/attachments/{attachment}"
        return {
            ("GET", "/v3/conversations"): self._list_conversations,
            ("POST", "/v3/conversations"): self._create_conversation,
            ("POST", one + "/activities"): self._send,
            ("POST", one + "/activities/history"): self._send_history,
            ("POST", activity): self._reply,
            ("PUT", activity): self._update,
            ("DELETE", activity): self._delete,
            ("GET", activity + "/members"): self._activity_members,
            ("GET", one + "/members"): self._members,
            # The service ignores the letters' case, and SDKs differ in this one.
            ("GET", one + "/{_:(?i:pagedmembers)}"): self._paged_members,
            ("GET", member): self._member,
            ("DELETE", member): self._delete_member,
            ("POST", one + "/attachments"): self._upload_attachment,
            ("GET", attachment): self._attachment_info,
            ("GET", attachment + "/views/{view}"): self._attachment_view,
        }

    def _list_conversations(self, _: web.Request, __: Body) -> web.Response:
        known = [
            {"id": conversation.id, "members": list(conversation.members.values())}
            for conversation in self._conversations.by_id.values()
        ]
        return web.json_response({"conversations": known})

    def _create_conversation(self, _: web.Request, body: Body) -> web.Response:
        first = body.get("activity")
        if first is not None:
            checked_activity(first if isinstance(first, dict) else {})
        conversation = self._conversations.requested(body) or self._new_conversation(body)
        created = {"id": conversation.id, "serviceUrl": f"{self._url()}/"}
        if first is not None:
            accepted = conversation.accept(self._from_bot(conversation, first))
            created["activityId"] = accepted.activity_id
            created["id"] = conversation.thread(accepted.activity_id)
        return web.json_response(created, status=201)

    def _new_conversation(self, body: Body) -> Conversation:
        members = [] if _names_channel(body) else _accounts(body.get("members"))
        return self._conversations.create([*members, bot_account(self._registration)])

    def _send(self, request: web.Request, body: Body) -> web.Response:
        conversation = self._open_conversation(request)
        activity = checked_activity(body)
        thread = {**(activity.get("conversation") or {}), "id": request.match_info["conversation"]}
        sent = self._from_bot(conversation, {**activity, "conversation": thread})
        accepted = conversation.accept(sent)
        return web.json_response(accepted.body(), status=accepted.status)

    def _reply(self, request: web.Request, body: Body) -> web.Response:
        # A reply to an unknown activity is sent like any other (Bot Connector REST API reference).
        return self._send(request, {**body, "replyToId": request.match_info["activity"]})

    def _send_history(self, request: web.Request, body: Body) -> web.Response:
        conversation = self._open_conversation(request)
        activities = body.get("activities")
        if not isinstance(activities, list) or not all(isinstance(one, dict) for one in activities):
            raise ChannelError(400, "BadArgument", "'activities' is not a list of activities.")
        conversation.add_history([checked_activity(activity) for activity in activities])
        return web.json_response({"id": conversation.id})

    def _update(self, request: web.Request, body: Body) -> web.Response:
        conversation, activity_id = self._own_activity(request)
        update = self._from_bot(conversation, checked_activity(body))
        conversation.accept_update(activity_id, update)
        return web.json_response({"id": activity_id})

    def _delete(self, request: web.Request, _: Body) -> web.Response:
        conversation, activity_id = self._own_activity(request)
        conversation.delete(activity_id)
        return web.Response()

    def _members(self, request: web.Request, _: Body) -> web.Response:
        return web.json_response(self._open_conversation(request).roster())

    def _activity_members(self, request: web.Request, _: Body) -> web.Response:
        self._conversation(request).find(request.match_info["activity"])
        return self._members(request, {})

    def _member(self, request: web.Request, _: Body) -> web.Response:
        wanted = request.match_info["member"]
        for member in self._open_conversation(request).roster():
            if wanted in (member["id"], member.get("aadObjectId")):
                return web.json_response(member)
        raise ChannelError(404, "MemberNotFoundInConversation", "The member is not known.")

    def _paged_members(self, request: web.Request, _: Body) -> web.Response:
        members = self._open_conversation(request).roster()
        start = _number(request, "continuationToken", 0)
        end = start + max(1, _number(request, "pageSize", PAGE_SIZE))
        page: dict[str, Any] = {"members": members[start:end]}
        if end < len(members):
            page["continuationToken"] = str(end)
        return web.json_response(page)

    def _delete_member(self, request: web.Request, _: Body) -> web.Response:
        self._conversation(request).remove_member(request.match_info["member"])
        return web.Response()

    def _upload_attachment(self, request: web.Request, body: Body) -> web.Response:
        self._conversation(request)
        views = {"original": _bytes(body.get("originalBase64"))}
        if body.get("thumbnailBase64"):
            views["thumbnail"] = _bytes(body["thumbnailBase64"])
        file = Attachment(str(body.get("name", "")), str(body.get("type", "")), views)
        attachment_id = self._conversations.store_attachment(file)
        return web.json_response({"id": attachment_id}, status=201)

    def _attachment_info(self, request: web.Request, _: Body) -> web.Response:
        file = self._attachment(request)
        views = [{"viewId": view, "size": len(content)} for view, content in file.views.items()]
        return web.json_response({"name": file.name, "type": file.content_type, "views": views})

    def _attachment_view(self, request: web.Request, _: Body) -> web.Response:
        file = self._attachment(request)
        content = file.views.get(request.match_info["view"])
        if content is None:
            raise ChannelError(404, "ViewNotFound", "The attachment has no such view.")
        return web.Response(body=content, headers={"Content-Type": file.content_type or _BINARY})

    def _conversation(self, request: web.Request) -> Conversation:
        return self._conversations.find(request.match_info["conversation"])

    def _open_conversation(self, request: web.Request) -> Conversation:
        conversation = self._conversation(request)
        conversation.check_open()
        return conversation

    def _own_activity(self, request: web.Request) -> tuple[Conversation, str]:
        conversation = self._open_conversation(request)
        activity_id = request.match_info["activity"]
        sender = conversation.find(activity_id).get("from") or {}
        if sender.get("id") != self._bot(conversation)["id"]:
            raise ChannelError(403, "Forbidden", "A bot may change only its own activities.")
        return conversation, activity_id

    def _attachment(self, request: web.Request) -> Attachment:
        file = self._conversations.attachments.get(request.match_info["attachment"])
        if file is None:
            raise ChannelError(404, "AttachmentNotFound", "The attachment is not known.")
        return file

    def _from_bot(self, conversation: Conversation, activity: Activity) -> Activity:
        # The channel sets the sender, because the token proves who calls.
        claimed = activity.get("from") or {}
        sent = {**activity, "from": {**claimed, **self._bot(conversation)}}
        return self._oauth_cards.linked(sent, conversation.id)

    def _bot(self, conversation: Conversation) -> Account:
        return conversation.bot or bot_account(self._registration)


def _accounts(members: object) -> list[Account]:
    if isinstance(members, list) and members and all(_is_account(member) for member in members):
        return members
    raise ChannelError(400, "BadArgument", "'members' is not a list of accounts.")


def _names_channel(body: Body) -> bool:
    """Whether it is a thread in a Teams channel, whose members are the team's."""
    data = body.get("channelData")
    channel = data.get("channel") if isinstance(data, dict) else None
    return bool(body.get("isGroup") and isinstance(channel, dict) and channel.get("id"))


def _is_account(member: object) -> bool:
    return isinstance(member, dict) and isinstance(member.get("id"), str)


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name) or str(default)
    if not text.isdecimal():
        raise ChannelError(400, "BadArgument", f"'{name}' is not a number.")
    return int(text)


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError as error:
        raise ChannelError(400, "BadArgument", "The attachment is not base64.") from error
