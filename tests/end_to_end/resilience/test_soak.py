"""A bad minute: each credential keeps a bot answering while everything around it changes or fails.

For each credential a bot of its own, in front of a cloud of its own, all at the same time. To run
one alone: `pytest tests/end_to_end/resilience/test_soak.py -k SignInVault`.
"""

import asyncio
import statistics
from collections.abc import Sequence
from pathlib import Path

import pytest

from auth.credential_kinds import KINDS
from bot_workbench.emulator.cloud import READER_PERMISSIONS
from tests.support.bots.bot_process import APP
from tests.support.load.soak import CHECK_EVERY, RATE, SECONDS, Outcome, Soak

pytestmark = pytest.mark.timed

TABLE = APP / "artifacts" / "soak.md"

MIN_RATE = 100.0
"""Turns in a second, on average over the run."""

MAX_REQUESTS = 9
"""Token requests of one bot: single figures."""

HEADING = f"""# A bad minute

{SECONDS:.0f} seconds at {RATE:.0f} turns a second for each bot, all at the same time.
The certificate is rotated twice, and Entra knows it 10 seconds later; then the old one is
withdrawn. Entra's port is closed for 20 seconds, the identity endpoint answers 500 for 12. The port
of the channel's keys is closed for 8, and then there are new keys only.

Compressed: tokens live 70 to 107 seconds, so that their renewals fall into the faults, and the bots
look for new certificates every {CHECK_EVERY:.0f} seconds in place of 300.

Milliseconds count from when a turn was due. Token requests: accepted / refused / not answered.
"""

COLUMNS = (
    "credential",
    "turns",
    "turns/s",
    "failed",
    "lost",
    "repeated",
    "p50 ms",
    "p99 ms",
    "worst ms",
    "at Entra",
    "at the identity endpoint",
    "vault signs",
    "vault reads",
    "key fetches",
    "certificates used",
)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, logs: Path
) -> dict[str, Outcome]:
    """The minute of every credential that a chosen test asks for."""
    chosen = {
        str(item.callspec.params["credential"]): None
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    }
    folder = tmp_path_factory.mktemp("soak")
    soaks = [Soak(name, folder / name, logs / f"soak {name}.log") for name in chosen]
    found = asyncio.run(all_at_once(soaks))
    table = table_of(found)
    print(f"\n{table}")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table)
    return {outcome.credential: outcome for outcome in found}


@pytest.fixture(params=list(KINDS))
def credential(request: pytest.FixtureRequest) -> str:
    """How the bot signs in."""
    name: str = request.param
    return name


@pytest.fixture
def outcome(credential: str, outcomes: dict[str, Outcome]) -> Outcome:
    """One bot's minute."""
    return outcomes[credential]


async def all_at_once(soaks: Sequence[Soak]) -> list[Outcome]:
    """Run them side by side."""
    begin = asyncio.Barrier(len(soaks))
    return await asyncio.gather(*(soak.run(begin) for soak in soaks))


def test_every_turn_is_answered(outcome: Outcome) -> None:
    """Each turn is answered 200, at the rate at which turns arrive; one with an unknown key 503."""
    assert outcome.failed == []
    assert len(outcome.turns) / outcome.seconds >= MIN_RATE
    assert outcome.unknown_key == 503


def test_every_reply_arrives_once(outcome: Outcome) -> None:
    """No reply is lost or repeated, and each came with a token of this bot."""
    assert outcome.lost == []
    assert outcome.repeated == []
    assert outcome.strangers == 0


def test_token_requests_are_few(outcome: Outcome) -> None:
    """Token requests stay in single figures, although endpoints fail for half of the time."""
    assert outcome.entra.total() + outcome.entra_closed <= MAX_REQUESTS
    assert outcome.identity_issued + outcome.identity_failed <= MAX_REQUESTS


def test_the_faults_were_felt(outcome: Outcome) -> None:
    """Every fault met a bot that wanted something: else this proves nothing."""
    if outcome.credential != "ManagedIdentity":
        assert outcome.entra_closed > 0
    assert outcome.identity_failed > 0
    assert outcome.key_fetches == 2
    if outcome.credential in READER_PERMISSIONS:
        assert outcome.entra["AADSTS700027"] == 2


def test_every_version_is_used(outcome: Outcome) -> None:
    """Every version of the certificate signs in, one after the other, and the newest at the end."""
    assert outcome.used == outcome.certificates
    newest = outcome.certificates[-1] if outcome.certificates else None
    assert outcome.facts["certificateThumbprint"] == newest
    assert len(outcome.certificates) == (3 if outcome.credential in READER_PERMISSIONS else 0)


def table_of(outcomes: Sequence[Outcome]) -> str:
    """The figures, as Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(row_of, outcomes)]
    return HEADING + "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def row_of(outcome: Outcome) -> Sequence[str]:
    """One bot's figures."""
    waits = [turn.seconds * 1000 for turn in outcome.turns]
    issued, reads = outcome.entra["issued"], outcome.vault.total() - outcome.vault["keys/sign"]
    figures = (
        len(outcome.turns),
        f"{len(outcome.turns) / outcome.seconds:.1f}",
        len(outcome.failed),
        len(outcome.lost),
        len(outcome.repeated),
        f"{statistics.median(waits):.1f}",
        f"{statistics.quantiles(waits, n=100)[98]:.1f}",
        f"{max(waits):.1f}",
        f"{issued} / {outcome.entra.total() - issued} / {outcome.entra_closed}",
        f"{outcome.identity_issued} / {outcome.identity_failed} / 0",
        outcome.vault["keys/sign"],
        reads,
        outcome.key_fetches,
        " ".join(thumbprint[:6] for thumbprint in outcome.used) or "none",
    )
    return (outcome.credential, *map(str, figures))
