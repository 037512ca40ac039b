"""Runs a plan: looks, shows what is missing, sends it, and looks again until nothing is missing."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import (
    AnswerLost,
    AzureProblem,
    Conflict,
    NotReachable,
    Refused,
)
from bot_workbench.admin.console import errors, styled
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.progress.progress import Progress
from bot_workbench.admin.plan.step import Finding, Plan, Step

FIRST_WAIT_SECONDS = 1.0
MAX_WAIT_SECONDS = 20.0
SETTLE_SECONDS = 45.0
"""The time for which a successful write may stay invisible before it is sent again: reads of Entra
and Azure are eventually consistent."""
MAX_REPEATED_WRITES = 6
"""The maximum number of times that a step's changes are sent. An attempt that cannot have changed
anything does not count."""

NOT_YET_CODES = {"PrincipalNotFound", "Request_ResourceNotFound", "ResourceNotFound"}
"""Codes of a refusal that goes away by itself, right after an object was created."""

DECLINED = (
    "Nothing more was changed: you did not agree, or there is no terminal to ask at. To go on"
    " without being asked, add --yes."
)

Confirm = Callable[[str], bool]


def confirmed(question: str) -> bool:
    """Ask on the terminal; without one, the answer is no."""
    if not sys.stdin.isatty():
        return False
    errors.print(styled(f"{question} [y/N] "), end="", soft_wrap=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


@dataclass
class _Wait:
    """The time for which a step has waited, and waits next."""

    seconds: float = FIRST_WAIT_SECONDS

    def next(self) -> float:
        now, self.seconds = self.seconds, min(self.seconds * 2, MAX_WAIT_SECONDS)
        return now


@dataclass(frozen=True)
class _Sent:
    """The changes that a step has sent last.

    Attributes:
        changes: the changes.
        at: the clock's time.
    """

    changes: tuple[Change, ...] = ()
    at: float = 0.0

    def settles(self, changes: tuple[Change, ...], now: float) -> bool:
        """Whether the same changes are still missing because the read is older than the write."""
        sent = {change.key for change in self.changes}
        return bool(sent) and now < self.at + SETTLE_SECONDS and changes[0].key in sent


class _Stop(Exception):
    """The run ends here.

    Attributes:
        result: as `Progress.end` takes it.
    """

    def __init__(self, result: str, reason: str) -> None:
        super().__init__(reason)
        self.result = result


class Runner:
    """Runs the plan of one command.

    Args:
        azure: sends the changes, and has the clock and the deadline.
        options: dry run, confirmation.
        progress: where everything is shown.
        confirm: asks the findings' questions.
    """

    def __init__(
        self,
        azure: AzureClients,
        options: Options,
        progress: Progress,
        confirm: Confirm = confirmed,
    ) -> None:
        self._azure = azure
        self._options = options
        self._progress = progress
        self._confirm = confirm
        self._answered: set[str] = set()
        self._has_sent = False

    def run(self, plan: Plan) -> ExitStatus:
        """Run all steps.

        Returns:
            DONE, or FOUND if a step refuses, the user declines, or a wait ran out.

        Raises:
            AzureProblem: something cannot be read, or a change is refused.
        """
        self._progress.begin(plan)
        try:
            for step in plan.steps:
                self._progress.step(step.title)
                (self._plan_step if self._options.dry_run else self._do_step)(step)
        except _Stop as stop:
            way_back = _way_back(plan, has_run=self._has_sent)
            self._progress.end(plan, stop.result, str(stop), way_back)
            return ExitStatus.FOUND
        result = "planned" if self._options.dry_run else "done"
        self._progress.end(plan, result, "", _way_back(plan, has_run=True))
        return ExitStatus.DONE

    def _plan_step(self, step: Step) -> None:
        finding = step.look()
        self._found(finding)
        if finding.question:
            self._progress.ask(finding.question)
        for change in finding.changes:
            self._progress.plan(change)
        if finding.waiting:
            self._progress.wait(finding, 0)

    def _found(self, finding: Finding) -> None:
        self._progress.found(finding)
        if finding.refusal:
            raise _Stop("refused", finding.refusal)

    def _do_step(self, step: Step) -> None:
        """Look and send until nothing is missing."""
        wait, times, sent, problem = _Wait(), 0, _Sent(), None
        while True:
            finding = step.look()
            self._found(finding)
            if not finding.changes and not finding.waiting:
                return
            if finding.waiting or sent.settles(finding.changes, self._azure.clock.now()):
                self._sleep(finding, wait, problem)
            elif self._asked(finding):
                continue  # what is sent comes from a look that is as young as possible
            elif times == MAX_REPEATED_WRITES:
                result = "have no effect" if problem is None else "cannot be completed"
                found = _explained(finding, problem)
                raise _Stop("failed", f"{step.title}: the changes {result}. {found}")
            else:
                done, problem = self._send(finding.changes)
                times += bool(done) or problem is None or isinstance(problem, AnswerLost)
                sent = _Sent(done, self._azure.clock.now()) if done else sent
                if problem is None:
                    wait = _Wait()
                else:
                    self._sleep(finding, wait, problem)

    def _asked(self, finding: Finding) -> bool:
        """Ask the finding's question, if it has not been answered; returns whether it was asked."""
        question = finding.question
        if not question or self._options.yes or question in self._answered:
            return False
        if not self._confirm(question):
            raise _Stop("declined", DECLINED)
        self._answered.add(question)
        return True

    def _send(self, changes: tuple[Change, ...]) -> tuple[tuple[Change, ...], AzureProblem | None]:
        """Send what can be sent now.

        Returns:
            What was sent, and the problem after which the step must look again, or None.
        """
        for place, change in enumerate(changes):
            if change.unresolved:
                # Its values are known once the ones before have been done.
                return changes[:place], None
            self._progress.plan(change)
            try:
                self._send_one(change)
            except (NotReachable, Conflict) as error:
                self._progress.lost(change, str(error))
                return changes[:place], error
            except Refused as error:
                if error.code not in NOT_YET_CODES | change.done_codes:
                    raise
                self._progress.lost(change, str(error))
                return changes[:place], error
            self._progress.sent(change)
        return changes, None

    def _send_one(self, change: Change) -> None:
        self._has_sent = True
        if change.send is not None:
            change.send()
        else:
            self._azure.send(change.service, change.method, change.url, change.body)

    def _sleep(self, finding: Finding, wait: _Wait, problem: AzureProblem | None) -> None:
        left = self._azure.deadline.left
        if left <= 0:
            raise _Stop(
                "waiting",
                f"After {self._options.timeout_seconds:.0f} seconds, still:"
                f" {_explained(finding, problem)}. Run the same command again to go on:"
                f" {self._options.again}",
            )
        seconds = min(wait.next(), left, finding.seconds)
        self._progress.wait(finding, seconds)
        self._azure.clock.sleep(seconds)


def _explained(finding: Finding, problem: AzureProblem | None) -> str:
    """A step's findings, with the problem of the last attempt to change it."""
    is_unsolved = problem is not None and not finding.waiting
    return f"{finding.text}; {problem}".removesuffix(".") if is_unsolved else finding.text


def _way_back(plan: Plan, *, has_run: bool) -> str:
    try:
        return plan.way_back(has_run)
    except AzureProblem:  # what is not known is not recommended
        return ""
