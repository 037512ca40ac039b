"""Proofs by the deployed app that it signs in with the credential that it should use."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding, Step
from bot_workbench.admin.plan.target import Target

LABELS = {
    "kind": "credential",
    "appId": "app id",
    "certificateThumbprint": "thumbprint",
}


Expected = Callable[[], Mapping[str, str]]
"""The facts that an app must answer, by their names; compared without regard to case. A value may
be a shell variable while it is not known."""


def proven_sign_in(target: Target, expected: Expected, if_slow: str) -> Step:
    """The app's `/api/identity` answers with the expected facts.

    Args:
        target: has the app.
        expected: the facts.
        if_slow: what to check if it takes long.
    """
    return Step(Proof.title, Proof(target, expected, if_slow).look)


class Proof:
    """The app's `/api/identity` answers with the expected facts.

    Args:
        target: has the app.
        expected: the facts.
        if_slow: what to check if it takes long.

    Attributes:
        processes: when the processes started that have proved it (`processStartedOn`). A process
            keeps its token for up to an hour, so one that answers twice proves nothing new.
        has_failed: whether a look has found no proof.
        unavailable: how many looks were answered 503.
        title: of the step that looks.
    """

    title = "Proof by the app itself"

    def __init__(self, target: Target, expected: Expected, if_slow: str) -> None:
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
        differing = [
            f"{LABELS.get(name, name)} {proof.facts.get(name) or 'none'}, not {value}"
            for name, value in expected.items()
            if str(proof.facts.get(name) or "").lower() != value.lower()
        ]
        warnings = tuple(f"the app warns: {each}" for each in proof.facts.get("warnings") or ())
        if not proof.problem and not differing:
            self.processes.add(str(proof.facts.get("processStartedOn")))
            named = ", ".join(
                f"{LABELS.get(name, name)} {value}" for name, value in expected.items()
            )
            notes = (*warnings, *unavailable_note(self.unavailable))
            return Finding(f"the app has proved it: {named}", notes=notes)
        self.has_failed = True
        text = f"the app still signs in with {'; '.join(differing)}"
        if proof.problem:
            text = f"the app does not prove it yet: {proof.problem.removesuffix('.')}"
        loop = self._loop(expected)
        return Finding(f"{text}. {self._if_slow}", waiting=True, az=loop, notes=warnings)

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


def proof_loop(
    target: Target, proved: Sequence[str], *, attempts: int, pause: int, advice: str
) -> tuple[str, ...]:
    """A loop for bash that prints the app's answer at its end, or ends the script without a proof.

    Args:
        target: has the app.
        proved: lines that leave the loop if $FACTS, the app's answer, is the proof.
        attempts: how often the app is asked.
        pause: seconds between two attempts.
        advice: printed after "no proof: " when the attempts run out.

    Raises:
        AzureProblem: the app cannot be found.
    """
    app = target.site_id
    return (
        f"for attempt in $(seq {attempts}); do",
        "  FACTS=$(curl --fail --silent --show-error"
        f" {quoted(f'https://{target.host}/api/identity')} --header \\",
        '    "x-functions-key: $(az functionapp function keys list'
        f" --subscription {quoted(app.subscription)}"
        f" --resource-group {quoted(app.resource_group)} --name {quoted(app.name)} \\",
        '      --function-name identity --query default --output tsv)" || true)',
        *(f"  {line}" for line in proved),
        f'  if [ "$attempt" = {attempts} ]; then echo "no proof: {advice}"; exit 1; fi',
        f'  echo "attempt $attempt: not yet"; sleep {pause}',
        "done",
        'echo "$FACTS"',
    )
