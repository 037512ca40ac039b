"""The contestants of the streams part: each streams a scripted model's answer."""

from benchmarks.contestant import (
    AGENTS,
    FUNCTIONS_HOST,
    OWN_HOST,
    PEERS,
    PROJECT,
    STREAMING_APP,
    TEAMS,
    Contestant,
)
from bot_workbench.credential_kinds import MANAGED_IDENTITY

STREAM_CONTESTANTS = (
    Contestant(PROJECT, MANAGED_IDENTITY, FUNCTIONS_HOST, STREAMING_APP, "project", ""),
    Contestant(AGENTS, MANAGED_IDENTITY, OWN_HOST, PEERS / "agents_streaming", "agents", ""),
    Contestant(TEAMS, MANAGED_IDENTITY, OWN_HOST, PEERS / "teams_streaming", "teams_streaming", ""),
)
"""In the order of the table's rows."""


def key(contestant: Contestant) -> str:
    """Its name for --only."""
    return f"streams, {contestant.name}"
