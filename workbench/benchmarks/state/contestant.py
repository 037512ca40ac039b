"""StateContestant: a counter bot that is compared, with its storage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from benchmarks.contestant import (
    AGENTS,
    BOTBUILDER,
    COUNTER_APP,
    FUNCTIONS_HOST,
    OWN_HOST,
    PEERS,
    PROJECT,
    Contestant,
)
from benchmarks.counter_bot import COUNTS
from bot_workbench.credential_kinds import MANAGED_IDENTITY

AZURITE = "Azurite, by connection string"
AZURITE_BY_TOKEN = "Azurite over TLS, with the identity's token"  # noqa: S105  # no secret
IN_MEMORY = "storage in memory"
IN_PROCESS = "the process's memory"
"""No storage."""

STATELESS = "stateless"
INLINE = "Inline"
INLINE_WITH_USER = "Inline, user state too"
QUEUED = "Queued, 1 instance"
QUEUED_TWICE = "Queued, 2 instances"


@dataclass(frozen=True, eq=False)
class StateContestant:
    """A counter bot. Each has a storage account of its own.

    Attributes:
        bot: its program.
        storage: AZURITE, AZURITE_BY_TOKEN, IN_MEMORY or IN_PROCESS.
        turns: how this project runs turns; empty for a peer.
        instances: processes that share the turns, as instances of an app in Azure.
        settings: added to its environment.
    """

    bot: Contestant
    storage: str
    turns: str = ""
    instances: int = 1
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def label(self) -> str:
        """Its name in tables and plots."""
        return f"{self.bot.name}, {self.turns}" if self.turns else self.bot.name

    @property
    def key(self) -> str:
        """Its name for --only, and in files."""
        return f"state, {self.label}, {self.storage}"

    @property
    def is_queued(self) -> bool:
        """Whether its turns run after the HTTP response."""
        return self.settings.get("BotTurns") == "Queued"


_COUNTER = Contestant(PROJECT, MANAGED_IDENTITY, FUNCTIONS_HOST, COUNTER_APP, "project", "")
_BOTBUILDER = Contestant(
    BOTBUILDER,
    MANAGED_IDENTITY,
    FUNCTIONS_HOST,
    PEERS / "botbuilder_counter",
    "botbuilder_counter",
    "",
)
_AGENTS = Contestant(AGENTS, MANAGED_IDENTITY, OWN_HOST, PEERS / "agents", "agents", "")


def _project(storage: str, turns: str, counts: str = "conversation") -> StateContestant:
    is_queued = turns in (QUEUED, QUEUED_TWICE)
    settings = {COUNTS: counts, "BotTurns": "Queued" if is_queued else "Inline"}
    instances = 2 if turns == QUEUED_TWICE else 1
    return StateContestant(_COUNTER, storage, turns, instances, settings)


STATE_CONTESTANTS = (
    _project(AZURITE, INLINE),
    _project(AZURITE, INLINE_WITH_USER, "conversation user"),
    _project(AZURITE, QUEUED),
    _project(AZURITE, QUEUED_TWICE),
    StateContestant(_BOTBUILDER, AZURITE),
    StateContestant(_AGENTS, AZURITE, settings={COUNTS: "conversation"}),
    _project(AZURITE_BY_TOKEN, STATELESS, ""),
    _project(AZURITE_BY_TOKEN, INLINE),
    _project(AZURITE_BY_TOKEN, QUEUED),
    _project(IN_MEMORY, INLINE),
    _project(IN_MEMORY, QUEUED),
)
"""In the order of the tables' rows."""
