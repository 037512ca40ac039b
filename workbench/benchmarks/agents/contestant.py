"""AgentsContestant: a bot that echoes and counts, in one host."""

from dataclasses import dataclass

from benchmarks.contestant import (
    AGENTS,
    AGENTS_APP,
    APP,
    COUNTER_APP,
    FOUNDRY,
    FUNCTIONS_HOST,
    OWN_HOST,
    PEERS,
    PROJECT,
    Contestant,
)
from benchmarks.counter_bot import COUNTS
from benchmarks.state.contestant import AZURITE, IN_PROCESS, StateContestant
from bot_workbench.credential_kinds import MANAGED_IDENTITY

WITH_AGENTS = "project_agents"
"""The virtual environment of an app whose bot is one of the Agents SDK."""

BOTBUILDER_BOT = f"{PROJECT}, a BotBuilder bot"
AGENTS_BOT = f"{PROJECT}, an AgentApplication"
AIOHTTP_HOST = f"{AGENTS}'s aiohttp host"

CHECKED = "yes"
BY_PLATFORM = "no: the platform's"


@dataclass(frozen=True, eq=False)
class AgentsContestant:
    """A bot in one host, with a managed identity.

    Attributes:
        label: its name in tables.
        echo: its program as an echo bot.
        counter: the same as a counter bot, which keeps the conversation's and the user's count.
        token_check: whether it verifies the caller's token: CHECKED or BY_PLATFORM.
    """

    label: str
    echo: Contestant
    counter: StateContestant
    token_check: str = CHECKED

    @property
    def key(self) -> str:
        """Its name for --only, and in files."""
        return f"agents, {self.label}, {self.counter.storage}"


_ECHO = Contestant(PROJECT, MANAGED_IDENTITY, FUNCTIONS_HOST, APP, "project", "")
_COUNTER = Contestant(PROJECT, MANAGED_IDENTITY, FUNCTIONS_HOST, COUNTER_APP, "project", "")
_BRIDGE = Contestant(PROJECT, MANAGED_IDENTITY, FUNCTIONS_HOST, AGENTS_APP, WITH_AGENTS, "")
_AIOHTTP = Contestant(AGENTS, MANAGED_IDENTITY, OWN_HOST, PEERS / "agents", "agents", "")
_FOUNDRY = Contestant(FOUNDRY, MANAGED_IDENTITY, OWN_HOST, PEERS / "foundry", "foundry", "")


def _counter(bot: Contestant, storage: str = AZURITE) -> StateContestant:
    return StateContestant(bot, storage, settings={COUNTS: "conversation user"})


AGENTS_CONTESTANTS = (
    AgentsContestant(BOTBUILDER_BOT, _ECHO, _counter(_COUNTER)),
    AgentsContestant(AGENTS_BOT, _BRIDGE, _counter(_BRIDGE)),
    AgentsContestant(AIOHTTP_HOST, _AIOHTTP, _counter(_AIOHTTP)),
    AgentsContestant(FOUNDRY, _FOUNDRY, _counter(_FOUNDRY), BY_PLATFORM),
    AgentsContestant(FOUNDRY, _FOUNDRY, _counter(_FOUNDRY, IN_PROCESS), BY_PLATFORM),
)
"""In the order of the table's rows."""
