"""MessageRoutes: what users do in a conversation."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from bot_workbench.emulator.channel.conversations import Activity, UnknownActivityError
from bot_workbench.emulator.channel.errors import ChannelError, checked_activity, json_object
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.teams.activities import (
    DOWNLOAD_INFO,
    TIMEZONE,
    TeamsActivities,
    as_delivered,
    channel_data,
    mentions,
)
from bot_workbench.emulator.teams.api.app_manifest import AppManifest
from bot_workbench.emulator.teams.api.conversation_routes import member_of
from bot_workbench.emulator.teams.deliveries import Deliveries
from bot_workbench.emulator.teams.directory.body import (
    bad,
    item,
    items,
    message_content,
    optional_text,
)
from bot_workbench.emulator.teams.directory.conversation import TeamsConversation
from bot_workbench.emulator.teams.directory.person import Person
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory
from bot_workbench.emulator.teams.uploads import Uploads

REACTIONS = ("like", "heart", "laugh", "surprised", "sad", "angry")
UNMENTIONED = "Teams delivers only messages that mention the bot."
FILE_CONSENT = "fileConsent/invoke"
SOFT_DELETE = "softDeleteMessage"


class MessageRoutes:
    """Messages, edits, reactions and invokes.

    Args:
        directory: who is there.
        activities: makes what the bot gets.
        deliveries: delivers it.
        uploads: the upload sessions of files that the bot sends.
        app: says what the bot gets.
    """

    def __init__(
        self,
        directory: TeamsDirectory,
        activities: TeamsActivities,
        deliveries: Deliveries,
        uploads: Uploads,
        app: AppManifest,
    ) -> None:
        self._directory = directory
        self._activities = activities
        self._deliveries = deliveries
        self._uploads = uploads
        self._app = app

    def table(self) -> dict[tuple[str, str], Handler]:
        """The handlers by HTTP method and path below /api/chat."""
        one = "/conversations/{conversation}"
        activity = f"{one}/activities/{{activity}}"
        return {
            ("POST", f"{one}/activities"): self._post,
            ("PUT", activity): self._edit,
            ("DELETE", activity): self._delete,
            ("POST", f"{activity}/undelete"): self._undelete,
            ("POST", f"{activity}/retry"): self._retry,
            ("POST", f"{activity}/stop"): self._stop,
            ("POST", f"{activity}/reactions"): self._react,
            ("POST", f"{one}/typing"): self._typing,
            ("POST", f"{one}/invoke"): self._invoke,
        }

    async def _post(self, request: web.Request) -> web.Response:
        chat, person, body = await self._asked(request)
        content = message_content(checked_activity(item(body, "activity")))
        if content["type"] != "message":
            raise bad("The 'type' of 'activity' must be 'message'.")
        return web.json_response(self.send(chat, person, content, body))

    def send(
        self, chat: TeamsConversation, person: Person, content: Activity, form: Mapping[str, Any]
    ) -> dict[str, str]:
        """Add a user's message, and deliver it, once.

        Args:
            chat: where.
            person: who writes.
            content: the message.
            form: with the `thread`, the `timezone`, the page's own id (`clientId`), and what it
                shows in place of the text (`shown`).

        Returns:
            The message's id, and the turn.
        """
        client_id = optional_text(form, "clientId")
        if client_id and client_id in chat.accepted:
            # The page has not got the answer.
            return chat.accepted[client_id]
        chosen = {name: value for name, value in content.items() if name not in _GIVEN}
        plain = {"textFormat": "plain"} if content.get("text") else {}
        message = self._activities.message(chat, person, {**plain, **chosen}, zone_of(form))
        known: Activity = {"clientId": client_id} if client_id else {}
        if "shown" in form:
            known["shown"] = form["shown"]
        stored = chat.post({**message, **known}, optional_text(form, "thread") or "")
        answer = {"id": stored["id"], "turn": self._deliver(chat, stored)}
        if client_id:
            chat.accepted[client_id] = answer
        return answer

    def _deliver(self, chat: TeamsConversation, stored: Activity) -> str:
        refusal = self._refusal(chat, stored)
        if refusal:
            known = {"type": "delivery", "activityId": stored["id"], "turn": "", "status": None}
            chat.publish_delivery({**known, "state": "unsent", "text": refusal})
            return ""
        failed = chat.failed.get(stored["id"])  # an edit may have failed
        return self._deliveries.start(chat, failed or as_delivered(stored))

    def _refusal(self, chat: TeamsConversation, stored: Activity) -> str:
        """Why Teams does not deliver a message; empty if it does."""
        if not chat.installed:
            return "The app is not installed here."
        if chat.kind == "personal":
            kinds = [each["contentType"] for each in stored.get("attachments") or []]
            return self._app.refusal_of_files() if DOWNLOAD_INFO in kinds else ""
        if stored.get("value") is not None or self._app.reads_all():
            return ""
        return "" if mentions(stored, self._directory.bot["id"]) else UNMENTIONED

    async def _edit(self, request: web.Request) -> web.Response:
        chat, person, body = await self._asked(request)
        stored = self._own(chat, person, request)
        content = message_content(item(body, "activity"))
        chosen = {name: value for name, value in content.items() if name in _EDITABLE}
        *_, client = stored["entities"]
        chosen["entities"] = [*items(content, "entities"), client]
        updated = chat.update(stored["id"], {**stored, **chosen})
        return self._update(chat, updated, "editMessage")

    async def _delete(self, request: web.Request) -> web.Response:
        chat, person, _ = await self._asked(request)
        stored = self._own(chat, person, request)
        chat.deleted[stored["id"]] = stored
        chat.delete(stored["id"])
        return self._update(chat, stored, SOFT_DELETE)

    async def _undelete(self, request: web.Request) -> web.Response:
        chat, person, _ = await self._asked(request)
        deleted = chat.deleted.get(request.match_info["activity"])
        if deleted is None or deleted["from"]["id"] != person.id:
            raise UnknownActivityError(request.match_info["activity"])
        stored = chat.restore(deleted["id"])
        return self._update(chat, stored, "undeleteMessage")

    def _update(self, chat: TeamsConversation, stored: Activity, event_type: str) -> web.Response:
        if self._refusal(chat, stored):
            return web.json_response({"id": stored["id"], "turn": ""})
        data = {**stored["channelData"], "eventType": event_type}
        activity = {**as_delivered(stored), "type": "messageUpdate", "channelData": data}
        if event_type == SOFT_DELETE:
            activity["type"] = "messageDelete"
            for name in ("text", "attachments"):
                activity.pop(name, None)
        turn = self._deliveries.start(chat, activity)
        return web.json_response({"id": stored["id"], "turn": turn})

    async def _retry(self, request: web.Request) -> web.Response:
        chat, person, _ = await self._asked(request)
        stored = self._own(chat, person, request)
        if chat.deliveries.get(stored["id"], {}).get("state") not in ("failed", "unsent"):
            raise ChannelError(409, "Conflict", "The message is delivered, or on its way.")
        return web.json_response({"id": stored["id"], "turn": self._deliver(chat, stored)})

    async def _stop(self, request: web.Request) -> web.Response:
        chat, _, _ = await self._asked(request)
        chat.stop_stream(request.match_info["activity"])
        return web.json_response({})

    async def _react(self, request: web.Request) -> web.Response:
        chat, person, body = await self._asked(request)
        reaction, add = body.get("type"), body.get("add") is not False
        if reaction not in REACTIONS:
            raise bad(f"'type' must be one of {', '.join(REACTIONS)}.")
        stored = chat.find(request.match_info["activity"])
        given = {"type": reaction, "user": person.id}
        reactions = list(stored.get("reactions") or [])
        if (given in reactions) == add:
            return web.json_response({"turn": ""})  # nothing changes
        others = [each for each in reactions if each != given]
        chat.update(stored["id"], {**stored, "reactions": [*others, given] if add else others})
        turn = ""
        # Bots get the reactions to their own messages only.
        if chat.installed and stored["from"]["id"] == self._directory.bot["id"]:
            name = "reactionsAdded" if add else "reactionsRemoved"
            event = {
                "type": "messageReaction",
                name: [{"type": reaction}],
                "replyToId": stored["id"],
                "conversation": chat.account(str(stored.get("thread") or "")),
                "channelData": channel_data(chat),
            }
            turn = self._deliveries.start(chat, self._activities.event(chat, person, event))
        return web.json_response({"turn": turn})

    async def _typing(self, request: web.Request) -> web.Response:
        # Teams shows it to the other people; it sends bots no typing activities.
        chat, person, _ = await self._asked(request)
        chat.publish({"type": "typing", "user": person.id})
        return web.json_response({})

    async def _invoke(self, request: web.Request) -> web.Response:
        chat, person, body = await self._asked(request)
        if not chat.installed:
            raise ChannelError(403, "BotNotInConversationRoster", "The app is not installed here.")
        name, value = optional_text(body, "name"), body.get("value")
        replied = body.get("replyToId")
        shown = chat.find(replied) if isinstance(replied, str) and chat.has(replied) else {}
        if name == FILE_CONSENT:
            value = self._uploads.with_upload(value, shown)
        # An `invoke` button of a hero card sends a value without a name.
        content: Activity = {"name": name, "value": value} if name else {"value": value}
        if replied:
            content["replyToId"] = replied
        thread = str(shown.get("thread") or body.get("thread") or "")
        if thread:
            content["conversation"] = chat.account(thread)
        invoke = self._activities.invoke(chat, person, content, zone_of(body))
        return await self._answered(invoke)

    async def _answered(self, invoke: Activity) -> web.Response:
        answer = await self._deliveries.ask(invoke)
        result = {"status": answer.status, "body": answer.content, "turn": answer.turn}
        if not answer.ok:
            result["text"] = answer.failure
        return web.json_response(result)

    async def _asked(
        self, request: web.Request
    ) -> tuple[TeamsConversation, Person, dict[str, Any]]:
        """The conversation, the user who acts, and the body."""
        chat = self._directory.conversation(request.match_info["conversation"])
        body = await json_object(request)
        user = body.get("user") or request.query.get("user")
        return chat, member_of(chat, self._directory.person(user)), body

    def _own(self, chat: TeamsConversation, person: Person, request: web.Request) -> Activity:
        stored = chat.find(request.match_info["activity"])
        if stored["from"]["id"] != person.id:
            raise ChannelError(403, "Forbidden", "Users may change their own messages only.")
        return stored


_GIVEN = frozenset({"id", "from", "recipient", "conversation", "serviceUrl", "channelId"})
"""Properties of a message that the channel sets."""

_EDITABLE = frozenset({"text", "textFormat", "attachments"})


def zone_of(body: Mapping[str, Any]) -> str:
    """The time zone (IANA name) of the user's browser; UTC if it is not known."""
    zone = body.get("timezone")
    try:
        return ZoneInfo(zone).key if isinstance(zone, str) and zone else TIMEZONE
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return TIMEZONE
