"""FreshSignIn: several processes of the app have signed in with a new credential."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bot_workbench.admin.migrate.steps.proven_sign_in import ProvenSignIn, unavailable_note
from bot_workbench.admin.migrate.steps.restart import restart_change
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

SIGN_INS = 3
"""The number of processes that must sign in. Entra may refuse a new federated credential
(AADSTS70021) for a while, even after it has accepted it once: the servers that answer do not learn
of it together."""

BEFORE = """BEFORE=$(echo "$FACTS" | grep -o '"processStartedOn": *"[^"]*"' || echo none)"""


class FreshSignIn:
    """The app is restarted until SIGN_INS of its processes have signed in.

    A process answers from its token for up to an hour, so that only another one signs in again.
    Other instances of the app count.

    Args:
        target: has the app.
        proof: asks the app.
        is_new: whether the credential is so new that Entra may still refuse it. If not, nothing is
            restarted.
    """

    title = "Proof by restarted processes"

    def __init__(self, target: Target, proof: ProvenSignIn, is_new: Callable[[], bool]) -> None:
        self._target = target
        self._proof = proof
        self._is_new = is_new
        self._restarted: frozenset[str] = frozenset()
        self._unavailable_before: int | None = None

    def look(self) -> Finding:
        """Ask the app.

        Raises:
            AzureProblem: the bot or the app cannot be read.
        """
        if not self._is_new():
            return Finding("the credential is not new: the app has signed in with it before")
        if self._target.options.dry_run:
            text = f"{SIGN_INS} processes of the app must sign in, one after the other"
            return Finding(text, tuple(map(self._restart, range(2, SIGN_INS + 1))))
        if self._unavailable_before is None:
            self._unavailable_before = self._proof.unavailable
        found, processes = self._proof.look(), frozenset(self._proof.processes)
        if found.waiting:
            return found
        text = f"{len(processes)} of {SIGN_INS} processes of the app have signed in"
        if len(processes) >= SIGN_INS:
            times = self._proof.unavailable - self._unavailable_before
            return Finding(text, notes=unavailable_note(times, " since the first had signed in"))
        if processes == self._restarted:
            return Finding(f"{text}; the restart is not over", waiting=True)
        return Finding(text, changes=(self._restart(len(processes) + 1),))

    def _restart(self, number: int) -> Change:
        purpose = f"so that its next token is a new sign-in ({number} of {SIGN_INS})"
        change = restart_change(self._target, purpose)
        return replace(
            change,
            az=(BEFORE, *change.az, *self._proof.loop_after_restart()),
            send=partial(self._send, change.url),
        )

    def _send(self, url: str) -> None:
        self._target.azure.arm.send("POST", url)
        self._restarted = frozenset(self._proof.processes)
