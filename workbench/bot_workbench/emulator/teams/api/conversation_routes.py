"""ConversationRoutes: who talks to the bot, and where."""

import secrets
from typing import Any

from aiohttp import web

from bot_workbench.emulator.channel.conversations import Account, Activity
from bot_workbench.emulator.channel.errors import ChannelError, json_object
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.inspector.bot_status import BotStatus
from bot_workbench.emulator.teams.activities import TeamsActivities
from bot_workbench.emulator.teams.deliveries import Deliveries
from bot_workbench.emulator.teams.directory.body import bad, item, items, optional_text, text
from bot_workbench.emulator.teams.directory.conversation import TeamsConversation
from bot_workbench.emulator.teams.directory.person import Person
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory

GREETING_HOLD_SECONDS = 24 * 3600.0
"""The bot's greeting waits for the bot, however long it takes to repair its code."""


class ConversationRoutes:
    """Sessions of pages, conversations, their members and the bot's installation.

    Args:
        directory: who is there.
        activities: makes what the bot gets.
        deliveries: delivers it.
        status: the bot's.
    """

    def __init__(
        self,
        directory: TeamsDirectory,
        activities: TeamsActivities,
        deliveries: Deliveries,
        status: BotStatus,
    ) -> None:
        self.run_id = secrets.token_hex(8)
        self._directory = directory
        self._activities = activities
        self._deliveries = deliveries
        self._status = status

    def table(self) -> dict[tuple[str, str], Handler]:
        """The handlers by HTTP method and path below /api/chat."""
        one = "/conversations/{conversation}"
        return {
            ("POST", "/session"): self._session,
            ("GET", "/conversations"): self._list,
            ("POST", "/conversations"): self._create,
            ("GET", one): self._get,
            ("PATCH", one): self._rename,
            ("POST", f"{one}/members"): self._add_member,
            ("DELETE", f"{one}/members/{{user}}"): self._remove_member,
            ("POST", f"{one}/install"): self._install,
            ("POST", f"{one}/uninstall"): self._uninstall,
            ("POST", f"{one}/block"): self._block,
            ("POST", f"{one}/unblock"): self._unblock,
            ("POST", f"{one}/redelivery"): self._set_redelivery,
        }

    async def _session(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        kept_person, kept = body.get("user"), body.get("conversation")
        if kept_person is None and kept is not None:
            raise bad("'user' must be an object.")
        if kept_person is None:
            person = self._directory.new_person()
        else:
            person = self._directory.take_person(item(body, "user"))
        chat = self._kept(person, item(body, "conversation")) if kept is not None else None
        return web.json_response(
            {
                "user": person.member(),
                "conversation": (chat or self._personal(person)).as_json(),
                "bot": self._directory.bot,
                "people": [each.member() for each in self._directory.people.values()],
                "run": self.run_id,
                "status": self._status.as_json(),
            }
        )

    def _kept(self, person: Person, kept: dict[str, Any]) -> TeamsConversation | None:
        """A conversation that a page has kept; None: the user has been removed from it."""
        chat = self._directory.take_conversation(kept, person)
        return chat if person.id in chat.people else None

    def _personal(self, person: Person) -> TeamsConversation:
        known = self._directory.conversations_of(person.id)
        if any(each.kind == "personal" for each in known):
            return self._directory.personal(person)
        chat = self._directory.personal(person)
        both = [self._directory.bot, person.nameless_account()]
        self._greet(chat, person, both)
        return chat

    def _greet(self, chat: TeamsConversation, person: Person, added: list[Account]) -> None:
        """Send what a bot gets when its app is installed."""
        self._send(chat, self._activities.installation(chat, person, "add"))
        self._send(chat, self._activities.members_added(chat, person, added))

    def _send(self, chat: TeamsConversation, event: Activity) -> None:
        chat.record(event)
        self._deliveries.start(chat, event, hold=GREETING_HOLD_SECONDS)

    async def _list(self, request: web.Request) -> web.Response:
        person = self._directory.person(request.query.get("user"))
        known = self._directory.conversations_of(person.id)
        return web.json_response([each.as_json() for each in known])

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._chat(request).as_json())

    async def _create(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        person = self._directory.person(body.get("user"))
        others = [self._directory.person(each) for each in items(body, "members")]
        kind, name = body.get("kind"), optional_text(body, "name") or ""
        if kind == "personal":
            chat = self._personal(person)
        elif kind == "group":
            chat = self._directory.new_group([person, *others], name)
            self._greet(chat, person, [self._directory.bot])
        elif kind == "channel":
            chat = self._new_channel(person, others, name, optional_text(body, "team"))
        else:
            raise bad("'kind' must be personal, group or channel.")
        return web.json_response(chat.as_json(), status=201)

    def _new_channel(
        self, person: Person, others: list[Person], name: str, team_id: str | None
    ) -> TeamsConversation:
        if team_id is None:
            chat = self._directory.new_team([person, *others])
            self._greet(chat, person, [self._directory.bot])
            return chat
        team = self._directory.teams.get(team_id)
        if team is None:
            raise ChannelError(404, "TeamNotFound", "The team is not known.")
        if person.id not in team.members:
            raise ChannelError(403, "Forbidden", "The user is not a member of the team.")
        chat = self._directory.new_channel(team, name or f"Channel {len(team.channels)}")
        if team.installed:
            self._send(chat, self._activities.team_event(chat, person, "channelCreated"))
        return chat

    async def _rename(self, request: web.Request) -> web.Response:
        chat, body = self._chat(request), await json_object(request)
        person = self._member(chat, body)
        if chat.kind == "personal":
            raise bad("A personal chat has no name.")
        chat.name = text(body, "name")
        if chat.team is not None:
            chat.team.channels[chat.id] = chat.name
            event = self._activities.team_event(chat, person, "channelRenamed")
        else:
            content = {"type": "conversationUpdate", "topicName": chat.name}
            event = self._activities.event(chat, person, content)
        return self._changed(chat, event)

    def _changed(
        self, chat: TeamsConversation, event: Activity, shown: Activity | None = None
    ) -> web.Response:
        """Show an event of a conversation, and deliver it if the bot is a member.

        Args:
            chat: the conversation.
            event: as the bot gets it.
            shown: as pages get it, with the members' names; None: they get the same.
        """
        for each in self._directory.with_same_members(chat):
            each.record(shown or event)
            each.publish_conversation()
        if chat.installed:
            self._deliveries.start(chat, event)
        return web.json_response(chat.as_json())

    async def _add_member(self, request: web.Request) -> web.Response:
        chat, body = self._chat(request), await json_object(request)
        if chat.kind == "personal":
            raise bad("A personal chat has one user.")
        is_new = body.get("new") is True
        person = self._directory.new_person() if is_new else self._person(body)
        if person.id in chat.people:
            raise ChannelError(409, "Conflict", "The user is a member already.")
        others = iter(chat.people.values())
        by = self._directory.people.get(str(body.get("by"))) or next(others, person)
        for each in self._directory.with_same_members(chat):
            each.people[person.id] = person
            each.members[person.id] = person.account()
        if chat.team:
            chat.team.members[person.id] = person.account()
        self._directory.on_membership([person.id])
        event = self._activities.members_added(chat, by, [person.nameless_account()])
        return self._changed(chat, event, {**event, "membersAdded": [person.account()]})

    async def _remove_member(self, request: web.Request) -> web.Response:
        chat = self._chat(request)
        person = self._directory.person(request.match_info["user"])
        if chat.kind == "personal" or person.id not in chat.people:
            raise bad("The user cannot be removed.")
        for each in self._directory.with_same_members(chat):
            each.people.pop(person.id, None)
            each.members.pop(person.id, None)
        if chat.team:
            chat.team.members.pop(person.id, None)
        self._directory.on_membership([person.id])
        by = self._directory.people.get(request.query.get("by", "")) or person
        event = self._activities.members_removed(chat, by, [person.nameless_account()])
        return self._changed(chat, event, {**event, "membersRemoved": [person.account()]})

    async def _install(self, request: web.Request) -> web.Response:
        chat = self._chat(request)
        person = self._member(chat, await json_object(request))
        if chat.installed:
            raise ChannelError(409, "Conflict", "The app is installed already.")
        chat.installed = True
        both = [self._directory.bot, person.nameless_account()]
        self._greet(chat, person, both if chat.kind == "personal" else both[:1])
        self._publish(chat)
        return web.json_response(chat.as_json())

    async def _uninstall(self, request: web.Request) -> web.Response:
        chat = self._chat(request)
        person = self._member(chat, await json_object(request))
        if not chat.installed:
            raise ChannelError(409, "Conflict", "The app is not installed.")
        chat.installed = False
        if chat.kind != "personal":
            bot = [self._directory.bot]
            self._send(chat, self._activities.members_removed(chat, person, bot))
        self._send(chat, self._activities.installation(chat, person, "remove"))
        self._publish(chat)
        return web.json_response(chat.as_json())

    def _publish(self, chat: TeamsConversation) -> None:
        for each in self._directory.with_same_members(chat):
            each.publish_conversation()

    async def _block(self, request: web.Request) -> web.Response:
        return await self._set_blocked(request, blocked=True)

    async def _unblock(self, request: web.Request) -> web.Response:
        return await self._set_blocked(request, blocked=False)

    async def _set_blocked(self, request: web.Request, *, blocked: bool) -> web.Response:
        chat = self._chat(request)
        self._member(chat, await json_object(request))
        if chat.kind != "personal":
            raise bad("A user can block the bot in a personal chat only.")
        chat.blocked = blocked
        chat.publish_conversation()
        return web.json_response(chat.as_json())

    async def _set_redelivery(self, request: web.Request) -> web.Response:
        chat, body = self._chat(request), await json_object(request)
        self._member(chat, body)
        chat.redelivers = body.get("on") is True
        chat.publish_conversation()
        return web.json_response(chat.as_json())

    def _chat(self, request: web.Request) -> TeamsConversation:
        return self._directory.conversation(request.match_info["conversation"])

    def _member(self, chat: TeamsConversation, body: dict[str, Any]) -> Person:
        return member_of(chat, self._person(body))

    def _person(self, body: dict[str, Any]) -> Person:
        return self._directory.person(body.get("user"))


def member_of(chat: TeamsConversation, person: Person) -> Person:
    """The same person, if they are a member.

    Raises:
        ChannelError: 403, they are not.
    """
    if person.id not in chat.people:
        raise ChannelError(403, "Forbidden", "The user is not a member of the conversation.")
    return person
