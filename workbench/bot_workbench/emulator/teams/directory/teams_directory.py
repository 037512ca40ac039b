"""TeamsDirectory: the people, teams and conversations of the local Teams."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot_workbench.emulator.channel.conversations import (
    Account,
    Activity,
    Conversation,
    Conversations,
)
from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.channel.streams import StreamRules
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.teams.directory.body import bad, item, items, optional_text, text
from bot_workbench.emulator.teams.directory.conversation import Kind, TeamsConversation
from bot_workbench.emulator.teams.directory.person import Person
from bot_workbench.emulator.teams.directory.team import CHANNEL_ID, Team, new_channel_id

PERSONAL_ID = re.compile(r"a:[A-Za-z0-9_-]{1,200}")
GROUP_ID = re.compile(r"19:[A-Za-z0-9_-]{1,200}@thread\.v2")

ID_FORMS: dict[Kind, re.Pattern[str]] = {
    "personal": PERSONAL_ID,
    "group": GROUP_ID,
    "channel": CHANNEL_ID,
}


class TeamsDirectory:
    """Knows who is there. It takes back what a page has kept from an earlier run.

    Args:
        registration: the bot's.
        conversations: the store shared with the Bot Connector.
        bot_name: the bot's display name.

    Attributes:
        people: by id.
        object_ids: the people's ids in Entra, by id.
        teams: by id.
        bot: the bot's account, `28:` and its app id.
        on_message: called with each new message, and its conversation.
        on_membership: called with the ids of users who have a conversation more, or less.
    """

    def __init__(
        self, registration: Registration, conversations: Conversations, bot_name: str
    ) -> None:
        self.people: dict[str, Person] = {}
        self.object_ids: dict[str, str] = {}
        self.teams: dict[str, Team] = {}
        self.bot: Account = {"id": f"28:{registration.app_id}", "name": bot_name}
        self.tenant_id = registration.tenant_id
        self.on_message: Callable[[TeamsConversation, Activity], None] = lambda *_: None
        self.on_membership: Callable[[list[str]], None] = lambda _: None
        self._conversations = conversations
        self._last_number = 0
        conversations.creators.append(self._requested)

    def new_person(self) -> Person:
        """A new user."""
        self._last_number += 1
        person = Person.new(self._last_number, self.tenant_id)
        return self._add_person(person)

    def take_person(self, body: Mapping[str, Any]) -> Person:
        """A user that a page has kept; one that is known stays as it is.

        Raises:
            ChannelError: 400, it is not a valid user.
        """
        person = Person.from_json(body, self.tenant_id)
        number = person.name.removeprefix("User ")
        if number.isdecimal() and len(number) <= 6:
            self._last_number = max(self._last_number, int(number))
        return self.people.get(person.id) or self._add_person(person)

    def _add_person(self, person: Person) -> Person:
        self.people[person.id] = person
        self.object_ids[person.id] = person.aad_object_id
        return person

    def person(self, user_id: object) -> Person:
        """A known user.

        Raises:
            ChannelError: 404, there is none of that id.
        """
        found = self.people.get(str(user_id))
        if found is None:
            raise ChannelError(404, "UserNotFound", "The user is not known.")
        return found

    def conversation(self, conversation_id: str) -> TeamsConversation:
        """A known conversation, or the channel of a known thread.

        Raises:
            ChannelError: 404, there is none of that id.
        """
        base = conversation_id.partition(";")[0]
        found = self._conversations.by_id.get(base)
        if not isinstance(found, TeamsConversation):
            raise ChannelError(404, "ConversationNotFound", "The conversation is not known.")
        return found

    def conversations_of(self, user_id: str) -> list[TeamsConversation]:
        """The conversations that a user is a member of, oldest first."""
        return [each for each in self.all_conversations() if user_id in each.people]

    def all_conversations(self) -> list[TeamsConversation]:
        """Every conversation, oldest first."""
        known = self._conversations.by_id.values()
        return [each for each in known if isinstance(each, TeamsConversation)]

    def personal(self, person: Person) -> TeamsConversation:
        """The user's only personal chat with the bot; it is created if it does not exist."""
        chat_id = personal_id(person)
        found = self._conversations.by_id.get(chat_id)
        if isinstance(found, TeamsConversation):
            return found
        return self._add("personal", chat_id, [person])

    def new_group(self, people: Iterable[Person], name: str) -> TeamsConversation:
        """A new group chat."""
        chat_id = new_channel_id().replace("@thread.tacv2", "@thread.v2")
        return self._add("group", chat_id, people, name)

    def new_channel(self, team: Team, name: str) -> TeamsConversation:
        """A new channel of a team."""
        channel_id = new_channel_id()
        team.channels[channel_id] = name
        return self._add_channel(team, channel_id)

    def new_team(self, people: Iterable[Person]) -> TeamsConversation:
        """The first channel of a new team."""
        team = Team.new(len(self.teams) + 1)
        self.teams[team.id] = team
        team.members.update({person.id: person.account() for person in people})
        return self._add_channel(team, team.id)

    def take_conversation(self, body: Mapping[str, Any], user: Person) -> TeamsConversation:
        """A conversation that a page has kept; one that is known stays as it is.

        Raises:
            ChannelError: 400, it is not a valid conversation, or not one of the user's.
        """
        kind = body.get("kind")
        if kind not in ID_FORMS:
            raise bad("'kind' must be personal, group or channel.")
        conversation_id = text(body, "id", ID_FORMS[kind])
        members = items(body, "members")
        if not all(isinstance(member, dict) for member in members):
            raise bad("'members' must be a list of users.")
        people = [self.take_person(member) for member in members]
        found = self._conversations.by_id.get(conversation_id)
        if isinstance(found, TeamsConversation):
            return found
        if user not in people or (kind == "personal" and conversation_id != personal_id(user)):
            raise bad("The conversation is not one of the user's.")
        name = optional_text(body, "name") or ""
        if kind == "channel":
            conversation = self._take_channel(body, people)
        else:
            conversation = self._add(kind, conversation_id, people, name)
        conversation.installed = body.get("installed") is not False
        conversation.blocked = body.get("blocked") is True
        conversation.redelivers = body.get("redelivers") is True
        return conversation

    def _take_channel(self, body: Mapping[str, Any], people: list[Person]) -> TeamsConversation:
        kept = Team.from_json(item(body, "team"))
        team = self.teams.setdefault(kept.id, kept)
        team.members.update({person.id: person.account() for person in people})
        channel_id = text(body, "id", CHANNEL_ID)
        if channel_id != team.id and team.id not in self._conversations.by_id:
            self._add_channel(team, team.id)  # the conversation of the team's events
        team.channels[channel_id] = text(body, "name")
        return self._add_channel(team, channel_id)

    def _add_channel(self, team: Team, channel_id: str) -> TeamsConversation:
        people = [self.people[each] for each in team.members]
        name = team.channels[channel_id]
        conversation = self._add("channel", channel_id, people, name)
        conversation.team = team
        return conversation

    def with_same_members(self, chat: TeamsConversation) -> list[TeamsConversation]:
        """All channels of the conversation's team; of a chat, itself."""
        if chat.team is None:
            return [chat]
        return [each for each in self.all_conversations() if each.team is chat.team]

    def _add(
        self, kind: Kind, conversation_id: str, people: Iterable[Person], name: str = ""
    ) -> TeamsConversation:
        by_id = {person.id: person for person in people}
        conversation = TeamsConversation(
            conversation_id,
            {person.id: person.account() for person in by_id.values()},
            bot=self.bot,
            streams=StreamRules(enabled=kind == "personal"),
            kind=kind,
            tenant_id=self.tenant_id,
            name=name,
            people=by_id,
        )
        conversation.on_message = lambda activity: self.on_message(conversation, activity)
        self._conversations.by_id[conversation_id] = conversation
        self.on_membership(list(by_id))
        return conversation

    def _requested(self, request: dict[str, Any]) -> Conversation | None:
        """The conversation that the bot asks for: a channel, or a user's personal chat.

        Raises:
            ChannelError: as Teams refuses it.
        """
        data = request.get("channelData")
        channel = data.get("channel") if isinstance(data, dict) else None
        channel_id = channel.get("id") if isinstance(channel, dict) else None
        found = self._conversations.by_id.get(str(channel_id))
        if isinstance(found, TeamsConversation):
            return found
        members = request.get("members")
        ids = [each.get("id") for each in members] if isinstance(members, list) else []
        people = [person for user_id in ids if (person := self._find_person(user_id))]
        if not people:
            return None
        if len(people) > 1 or request.get("isGroup"):
            raise ChannelError(400, "BadArgument", "A bot cannot create a group chat in Teams.")
        return self._reachable(people[0])

    def _find_person(self, user_id: object) -> Person | None:
        for person in self.people.values():
            if user_id in (person.id, person.aad_object_id):
                return person
        return None

    def _reachable(self, person: Person) -> TeamsConversation:
        # A bot may write to the members of the teams and chats that it is installed in.
        if not any(each.installed for each in self.conversations_of(person.id)):
            message = "The bot is not part of the conversation roster."
            raise ChannelError(403, "BotNotInConversationRoster", message)
        return self.personal(person)


def personal_id(person: Person) -> str:
    """The id of a user's personal chat, which is the same in each run."""
    digest = hashlib.sha256(person.id.encode()).digest()
    return f"a:1{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
