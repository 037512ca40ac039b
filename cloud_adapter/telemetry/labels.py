"""The values that metrics may have as labels: few, because each combination is a series of its own.

Whoever talks to the bot can choose an activity's type and channel. So all values but those listed
here count as one.
"""

OTHER = "other"

ACTIVITY_TYPES = frozenset(
    {
        "message",
        "messageUpdate",
        "messageDelete",
        "messageReaction",
        "conversationUpdate",
        "contactRelationUpdate",
        "installationUpdate",
        "typing",
        "endOfConversation",
        "event",
        "invoke",
        "handoff",
        "command",
        "commandResult",
        "trace",
    }
)
"""Bot Framework's types. (github.com/microsoft/Agents, specs/activity/protocol-activity.md)"""

CHANNELS = frozenset(
    {
        "msteams",
        "webchat",
        "directline",
        "directlinespeech",
        "emulator",
        "email",
        "facebook",
        "line",
        "slack",
        "skype",
        "sms",
        "telegram",
        "alexa",
        "agents",
        "m365extensions",
        "omnichannel",
        "outlook",
        "telephony",
        "test",
    }
)
"""Azure Bot's channels, and those of Microsoft's tools."""

MAX_NAMES = 50
"""The number of different errors that are counted by name. The bot's code determines how many there
are, unless it makes classes while it runs."""


def known(values: frozenset[str], value: object) -> str:
    """The value if it is one of `values`, else OTHER."""
    return value if isinstance(value, str) and value in values else OTHER


class FirstSeen:
    """The names that were seen first; further ones count as OTHER."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def label(self, name: str) -> str:
        """The name, or OTHER if there are too many."""
        if name not in self._names:
            if len(self._names) >= MAX_NAMES:
                return OTHER
            self._names.add(name)
        return name
