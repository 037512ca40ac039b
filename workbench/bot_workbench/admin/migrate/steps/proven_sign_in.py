"""ProvenSignIn: the deployed app signs in with the credential that it should use."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.steps.proof_loop import proof_loop
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

LABELS = {
    "kind": "credential",
    "appId": "app id",
    "certificateThumbprint": "thumbprint",
}


class ProvenSignIn:
    """The app's `/api/identity` answers with the expected facts.

    Args:
        target: has the app.
        expected: the facts that must be so, by their names in the answer; compared without regard
            to case. A value may be a shell variable while it is not known.
        if_slow: what to check if it takes long.

    Attributes:
        processes: when the processes started that have proved it (`processStartedOn`). A process
            keeps its token for up to an hour, so one that answers twice proves nothing new.
        has_failed: whether a look has found no proof.
        unavailable: how many looks were answered 503.
    """

    title = "Proof by the app itself"

    def __init__(
        self,
        target: Target,
        expected: Callable[[], Mapping[str, str]],
        *,
        if_slow: str = "",
    ) -> None:
        self._target = target
        self._expected = expected
        self._if_slow = if_slow
        self.processes: set[str] = set()
        self.has_failed = False
        self.unavailable = 0

    def look(self) -> Finding:
        """Ask the app.

        Raises:
            AzureProblem: the app cannot be found.
        """
        expected = self._expected()
        proof = self._target.proof()
        self.unavailable += proof.status == HTTPStatus.SERVICE_UNAVAILABLE
        if proof.problem:
            return self._not_yet(
                f"the app does not prove it yet: {proof.problem.removesuffix('.')}", expected
            )
        differing = [
            f"{LABELS.get(name, name)} {proof.facts.get(name) or 'none'}, not {value}"
            for name, value in expected.items()
            if str(proof.facts.get(name) or "").lower() != value.lower()
        ]
        if differing:
            text = f"the app still signs in with {'; '.join(differing)}"
            return self._not_yet(text, expected, _warnings(proof.facts))
        self.processes.add(str(proof.facts.get("processStartedOn")))
        named = ", ".join(f"{LABELS.get(name, name)} {value}" for name, value in expected.items())
        notes = (*_warnings(proof.facts), *unavailable_note(self.unavailable))
        return Finding(f"the app has proved it: {named}", notes=notes)

    def _not_yet(
        self, text: str, expected: Mapping[str, str], notes: tuple[str, ...] = ()
    ) -> Finding:
        self.has_failed = True
        whole = f"{text}. {self._if_slow}" if self._if_slow else text
        return Finding(whole, waiting=True, az=self._loop(expected), notes=notes)

    def loop_after_restart(self) -> tuple[str, ...]:
        """Shell lines that wait until another process than the last loop's proves it.

        Raises:
            AzureProblem: the app cannot be found.
        """
        return self._loop(self._expected(), '| grep -v -F "$BEFORE"')

    def _loop(self, expected: Mapping[str, str], also: str = "") -> tuple[str, ...]:
        """Shell lines that end when the answer has every expected fact."""
        tests = " ".join((*(f"| grep -i {quoted(each)}" for each in expected.values()), also))
        proved = (f'if echo "$FACTS" {tests.rstrip()} > /dev/null; then break; fi',)
        advice = "see the log of the app"
        return proof_loop(self._target, proved, attempts=30, pause=30, advice=advice)


def unavailable_note(times: int, since: str = "") -> tuple[str, ...]:
    """The notice of answers 503 on the way to a proof: whether it is shaky, a person decides.

    Args:
        times: how many there were.
        since: after what, with a space before it; empty: since the start.
    """
    if not times:
        return ()
    requests = "1 request was" if times == 1 else f"{times} requests were"
    return (
        f"{requests} answered 503{since}, which proves nothing: an app that cannot sign in"
        " answers so, and one that is starting. If there were many, see its log before you go on",
    )


def _warnings(facts: JsonObject) -> tuple[str, ...]:
    return tuple(f"the app warns: {each}" for each in facts.get("warnings") or ())
