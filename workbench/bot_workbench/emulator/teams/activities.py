"""The activities that Teams sends a bot.

Rules: Microsoft references "Conversation events in your Teams bot", "Teams channel data", "Receive
a message", "Send and receive files".
"""

import datetime
import html
import re
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo

from bot_workbench.emulator.channel.conversations import Account, Activity, timestamp_now
from bot_workbench.emulator.teams.directory.conversation import TeamsConversation, event_id
from bot_workbench.emulator.teams.directory.person import Person

CHANNEL = "msteams"
LOCALE = "en-US"
TIMEZONE = "UTC"

PAGE_ONLY = ("reactions", "edited", "thread", "clientId", "shown")
"""Properties of a stored message that bots do not get."""

DOWNLOAD_INFO = "application/vnd.microsoft.teams.file.download.info"
"""The content type of a user's file."""

HTML = "text/html"

_MENTION = re.compile(r"&lt;at&gt;(.*?)&lt;/at&gt;")


class TeamsActivities:
    """Makes activities with everything that Teams adds.

    Args:
        connector_url: returns the Bot Connector's base URL, without a slash at the end.
    """

    def __init__(self, connector_url: Callable[[], str]) -> None:
        self._connector_url = connector_url

    def message(
        self, chat: TeamsConversation, person: Person, content: Activity, zone: str = TIMEZONE
    ) -> Activity:
        """A message, without an id and without its thread."""
        entities = [*(content.get("entities") or []), client_info(zone)]
        source = {"source": {"name": "message"}} if content.get("value") is not None else {}
        data = {**channel_data(chat), **(content.get("channelData") or {}), **source}
        addressed = self._addressed(chat, person.account(), zone)
        return {**addressed, **content, "entities": entities, "channelData": data}

    def event(
        self, chat: TeamsConversation, person: Person, content: Activity, **data: Any
    ) -> Activity:
        """An activity that is no message, with additional channel data."""
        addressed = self._addressed(chat, person.nameless_account(), TIMEZONE)
        del addressed["localTimestamp"], addressed["localTimezone"]
        named: dict[str, Any] = {}
        if chat.team is not None:
            named = {"channel": {"id": chat.id, "name": chat.name}, "team": chat.team.as_json()}
        channel = channel_data(chat) | named | data
        return {**addressed, "id": event_id(), "channelData": channel, **content}

    def invoke(
        self, chat: TeamsConversation, person: Person, content: Activity, zone: str = TIMEZONE
    ) -> Activity:
        """An invoke."""
        data = {**channel_data(chat), **source_of(content)}
        addressed = self._addressed(chat, person.account(), zone)
        entities = [client_info(zone)]
        known = {"id": event_id(), "type": "invoke", "entities": entities, "channelData": data}
        return {**addressed, **known, **content}

    def members_added(
        self, chat: TeamsConversation, by: Person, added: Iterable[Account]
    ) -> Activity:
        """New members."""
        return self._members(chat, by, "membersAdded", "teamMemberAdded", added)

    def members_removed(
        self, chat: TeamsConversation, by: Person, removed: Iterable[Account]
    ) -> Activity:
        """Members who were removed."""
        return self._members(chat, by, "membersRemoved", "teamMemberRemoved", removed)

    def _members(
        self, chat: TeamsConversation, by: Person, name: str, kind: str, who: Iterable[Account]
    ) -> Activity:
        content: Activity = {"type": "conversationUpdate", name: list(who)}
        if chat.team is None:
            return self.event(chat, by, content)
        is_bot = any(account["id"].startswith("28:") for account in content[name])
        if is_bot and name == "membersAdded":
            settings = {"selectedChannel": {"id": chat.id}}
            return self.event(chat, by, content, eventType=kind, settings=settings)
        return self.team_event(chat, by, kind, content)

    def team_event(
        self, chat: TeamsConversation, by: Person, kind: str, content: Activity | None = None
    ) -> Activity:
        """An event of a team: its conversation is that of the team."""
        team = chat.team
        of_team = {"team": team.as_json()} if team else {}
        event = self.event(chat, by, {"type": "conversationUpdate", **(content or {})})
        data: dict[str, Any] = {**of_team, "eventType": kind, "tenant": {"id": chat.tenant_id}}
        if kind.startswith("channel"):
            data["channel"] = {"id": chat.id, "name": chat.name}
        account = {**chat.account(), "id": team.id if team else chat.id}
        return {**event, "conversation": account, "channelData": data}

    def installation(self, chat: TeamsConversation, by: Person, action: str) -> Activity:
        """The app was added or removed.

        Args:
            chat: where.
            by: the user who did it.
            action: `add` or `remove`.
        """
        content = {
            "type": "installationUpdate",
            "action": action,
            "entities": [client_info(TIMEZONE)],
        }
        if action == "remove":
            return self.event(chat, by, content)
        settings = {"selectedChannel": {"id": chat.id}}
        source = {"name": "message"}
        return self.event(chat, by, content, settings=settings, source=source)

    def _addressed(self, chat: TeamsConversation, sender: Account, zone: str) -> Activity:
        return {
            "channelId": CHANNEL,
            "serviceUrl": f"{self._connector_url()}/",
            "timestamp": timestamp_now(),
            "localTimestamp": local_timestamp(zone),
            "localTimezone": zone,
            "locale": LOCALE,
            "from": sender,
            "recipient": dict(chat.bot or {}),
            "conversation": chat.account(),
        }


def as_delivered(stored: Activity) -> Activity:
    """A stored message as the bot gets it: with its content as HTML, as Teams adds it."""
    activity = {name: value for name, value in stored.items() if name not in PAGE_ONLY}
    if activity.get("type") != "message" or activity.get("value") is not None:
        return activity
    attachments = activity.get("attachments") or []
    if activity["conversation"]["conversationType"] != "personal":
        # Elsewhere, bots get no files through the Bot Connector.
        attachments = [each for each in attachments if each["contentType"] != DOWNLOAD_INFO]
    # The page writes the HTML of a quote only.
    quotes = [str(each.get("content")) for each in attachments if each["contentType"] == HTML]
    attachments = [each for each in attachments if each["contentType"] != HTML]
    pictures = [
        each for each in attachments if each["contentType"] == "image/*" and each.get("contentUrl")
    ]
    content = "".join([*quotes, html_of(activity.get("text") or ""), *map(_picture, pictures)])
    if content:
        attachments = [*attachments, {"contentType": HTML, "content": content}]
    return {**activity, "attachments": attachments}


def _picture(attachment: dict[str, Any]) -> str:
    url = html.escape(str(attachment["contentUrl"]))
    return f'<p><img alt="image" src="{url}" itemtype="http://schema.skype.com/AMSImage"></p>'


def html_of(text: str) -> str:
    """A message's text as Teams' clients write it."""
    numbers = iter(range(len(text)))

    def mention(found: re.Match[str]) -> str:
        kind = 'itemtype="http://schema.skype.com/Mention" itemscope'
        return f'<span {kind} itemid="{next(numbers)}">{found[1]}</span>'

    escaped = _MENTION.sub(mention, html.escape(text, quote=False))
    return "".join(f"<p>{line or '&nbsp;'}</p>" for line in escaped.splitlines())


def channel_data(chat: TeamsConversation) -> dict[str, Any]:
    """The channel data of every activity in a conversation. Teams names things in events only."""
    tenant = {"tenant": {"id": chat.tenant_id}}
    if chat.team is None:
        return tenant
    return {
        "teamsChannelId": chat.id,
        "teamsTeamId": chat.team.id,
        "channel": {"id": chat.id},
        "team": {"id": chat.team.id},
        **tenant,
    }


def source_of(invoke: Activity) -> dict[str, Any]:
    """The channel data that says where a user has made an invoke.

    Args:
        invoke: its name and its value.
    """
    name, value = invoke.get("name") or "", invoke.get("value")
    context = value.get("commandContext") if isinstance(value, dict) else None
    is_composed = name.startswith("composeExtension/") and context != "message"
    return {"source": {"name": "compose" if is_composed else "message"}}


def client_info(zone: str) -> dict[str, Any]:
    """The user's client, as Teams describes it."""
    return {
        "type": "clientInfo",
        "locale": LOCALE,
        "country": "US",
        "platform": "Web",
        "timezone": zone,
    }


def local_timestamp(zone: str) -> str:
    """The time in the user's time zone (an IANA name)."""
    now = datetime.datetime.now(ZoneInfo(zone))
    return now.isoformat(timespec="milliseconds")


def mentions(activity: Activity, account_id: str) -> bool:
    """Whether a message mentions an account."""
    entities = activity.get("entities")
    return any(
        isinstance(entity, dict)
        and entity.get("type") == "mention"
        and isinstance(entity.get("mentioned"), dict)
        and entity["mentioned"].get("id") == account_id
        for entity in (entities if isinstance(entities, list) else [])
    )
