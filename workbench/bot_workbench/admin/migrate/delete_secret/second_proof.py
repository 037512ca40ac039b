"""SecondProof: the restarted app, which has no secret, signs in anew and calls a channel."""

import datetime

from bot_workbench.admin.migrate.delete_secret.case import Case
from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.first_proof import proven
from bot_workbench.admin.migrate.delete_secret.guards.answering_app import (
    MAX_PROOF_MINUTES,
    UNAVAILABLE,
)
from bot_workbench.admin.migrate.delete_secret.live_settings import unused_since
from bot_workbench.admin.migrate.steps.proof import proof_loop
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

_WRITE = "write to the bot now, in Teams or in Test in Web Chat"


def what_is_missing(evidence: Evidence, first_start: datetime.datetime | None) -> str:
    """The proof that the restarted app still lacks, and what to do; empty: nothing is missing.

    Args:
        evidence: of this moment.
        first_start: see Case.

    Raises:
        AzureProblem: something cannot be read.
    """
    since, proof = unused_since(evidence), evidence.answer.proof
    if since is None:
        return "the app has not been restarted without the secret"
    if proof is None:
        return f"the restarted app gives no proof yet: {evidence.answer.problem}"
    started, called = proof.process_started_on, proof.last_outbound_call
    # The tag has seconds only: the first proof's process may have started in the same one.
    if started is None or started < since or started == first_start:
        return f"the app that answers has not restarted since {since:%H:%M:%S} UTC"
    if called is None or called < since:
        return f"the restarted app has not called a channel yet: {_WRITE}"
    if evidence.now - called > datetime.timedelta(minutes=MAX_PROOF_MINUTES):
        return f"the last call to a channel is over {MAX_PROOF_MINUTES} minutes old: {_WRITE}"
    return ""


class SecondProof:
    """A process that was started after the secret was gone from the settings has signed in, and a
    channel has accepted its call.

    Args:
        case: the bots.
    """

    title = "Proof by the restarted app"

    def __init__(self, case: Case) -> None:
        self._case = case

    def look(self) -> Finding:
        """Ask the app.

        Raises:
            AzureProblem: something cannot be read.
        """
        evidence = self._case.evidence()
        if not evidence.secrets:
            return Finding("there is no secret, so there is nothing to prove")
        if missing := what_is_missing(evidence, self._case.first_start):
            problem = evidence.answer.problem
            starting = problem and evidence.answer.status in {0, UNAVAILABLE}
            obstacle = "" if starting else self._obstacle(evidence)
            return Finding(missing, waiting=True, az=_loop(evidence.live), refusal=obstacle)
        obstacle = self._obstacle(evidence)
        return Finding(obstacle or proven(evidence), refusal=obstacle)

    def _obstacle(self, evidence: Evidence) -> str:
        return str(self._case.obstacle(evidence, fresh_call=False) or "")


def _loop(target: Target) -> tuple[str, ...]:
    """Shell lines that wait until the app proves it; $SINCE is when the secret was removed."""
    proved = (
        """STARTED=$(echo "$FACTS" | sed -n 's/.*"processStartedOn": "\\([^"]*\\)".*/\\1/p')""",
        """CALLED=$(echo "$FACTS" | sed -n 's/.*"lastOutboundCall": "\\([^"]*\\)".*/\\1/p')""",
        'if [[ "$STARTED" > "${SINCE%Z}" && "$CALLED" > "$STARTED" ]]; then break; fi',
    )
    return (
        "# Write to the bot now, in Teams or in Test in Web Chat.",
        *proof_loop(target, proved, attempts=60, pause=10, advice="delete nothing"),
    )
