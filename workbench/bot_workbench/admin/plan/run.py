"""Runs a command: sign-in, its plan, and how failures end.

The runner looks, shows what is missing, sends it, and looks again until nothing is missing.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import typer

from bot_workbench.admin import console
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import (
    AnswerLost,
    AzureProblem,
    Conflict,
    NotReachable,
    Refused,
)
from bot_workbench.admin.azure.retries import DEFAULT_LIMITS, RetryLimits
from bot_workbench.admin.console import errors, styled
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.output import Event, Result, Show, output
from bot_workbench.admin.plan.step import Change, Finding, Plan, Step
from bot_workbench.admin.plan.target import Target

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells expect."""


def execute(options: Options, make_plan: Callable[[Target], Plan]) -> None:
    """Run one command, and end with its exit status.

    Args:
        options: the command line.
        make_plan: makes the plan for the bot; it may read, and raise AzureProblem.

    Raises:
        typer.Exit: always, with the exit status.
    """
    quiet_sdks()
    show = output(options)
    try:
        cloud, seconds = options.management_cloud, options.timeout_seconds
        with AzureClients(cloud, clock=options.clock, timeout_seconds=seconds) as azure:
            plan = make_plan(Target(azure, options))
            raise typer.Exit(int(Runner(azure, options, show).run(plan)))
    except AzureProblem as error:
        status, reason = int(error.exit_status), str(error)
        # A refusal or a missing role stays what it is; a lost connection comes back.
        again = options.again if isinstance(error, NotReachable) else ""
    except KeyboardInterrupt:
        status, reason, again = INTERRUPTED, "Interrupted.", options.again
    show(Event("stopped", reason, next_command=again))
    sys.stdout.flush()
    going_on = f"\nTo go on from where things stand, run it again: {again}" if again else ""
    console.write_error(f"{reason}{going_on}")
    raise typer.Exit(status)


def read_only(
    options: Options, show: Callable[[Target], int], limits: RetryLimits = DEFAULT_LIMITS
) -> int:
    """Run a command that only reads, and return its exit status.

    Args:
        options: the command line.
        show: reads and prints; it may raise AzureProblem.
        limits: on repeated requests.
    """
    quiet_sdks()
    try:
        cloud = options.management_cloud
        with AzureClients(cloud, clock=options.clock, limits=limits) as azure:
            return show(Target(azure, options))
    except AzureProblem as error:
        if options.as_json:
            console.write_json({"error": str(error)})
        console.write_error(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED


def quiet_sdks() -> None:
    """Keep the SDKs' warnings off the terminal: the commands say what failed, in a line."""
    for name in ("azure", "msal", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


FIRST_WAITS_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)
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


def confirmed(question: str) -> bool:
    """Ask on the terminal; without one, the answer is no."""
    if not sys.stdin.isatty():
        return False
    errors.print(styled(f"{question} [y/N] "), end="", soft_wrap=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _waits() -> Iterator[float]:
    """The seconds between the looks of a step that waits."""
    return chain(FIRST_WAITS_SECONDS, repeat(MAX_WAIT_SECONDS))


class _End(Exception):
    """The run ends here.

    Attributes:
        result: its result; the text is the reason.
    """

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result = result


class Runner:
    """Runs the plan of one command.

    Args:
        azure: sends the changes, and has the clock and the deadline.
        options: dry run, confirmation.
        show: shows everything that happens.
        confirm: asks the findings' questions.
    """

    def __init__(
        self,
        azure: AzureClients,
        options: Options,
        show: Show,
        confirm: Callable[[str], bool] = confirmed,
    ) -> None:
        self._azure = azure
        self._options = options
        self._show = show
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
        result: Result = "planned" if self._options.dry_run else "done"
        status, reason, has_run = ExitStatus.DONE, "", True
        self._show(Event("begin", plan=plan))
        try:
            for step in plan.steps:
                self._show(Event("step", step.title))
                (self._plan_step if self._options.dry_run else self._do_step)(step)
        except _End as end:
            status, result, reason, has_run = ExitStatus.FOUND, end.result, str(end), self._has_sent
        try:
            way_back = plan.way_back(has_run)
        except AzureProblem:  # what is not known is not recommended
            way_back = ""
        self._show(Event(result, reason, way_back=way_back, next_command=plan.next_command))
        return status

    def _look(self, step: Step) -> Finding:
        finding = step.look()
        self._show(Event("found", finding=finding))
        if finding.refusal:
            raise _End("refused", finding.refusal)
        return finding

    def _plan_step(self, step: Step) -> None:
        finding = self._look(step)
        if finding.question:
            self._show(Event("ask", finding.question))
        for change in finding.changes:
            self._show(Event("plan", change=change))
        if finding.waiting:
            self._show(Event("wait", finding=finding))

    def _do_step(self, step: Step) -> None:
        """Look and send until nothing is missing."""
        waits, times, problem = _waits(), 0, None
        sent: set[tuple[str, str, str]] = set()
        settled_at = 0.0
        while True:
            finding = self._look(step)
            changes, clock = finding.changes, self._azure.clock
            if not changes and not finding.waiting:
                return
            # The same change may still be missing because the read is older than the write.
            if finding.waiting or (changes[0].key in sent and clock.now() < settled_at):
                self._sleep(finding, waits, problem)
            elif self._has_asked(finding):
                continue  # what is sent comes from a look that is as young as possible
            elif times == MAX_REPEATED_WRITES:
                result = "have no effect" if problem is None else "cannot be completed"
                found = _explained(finding, problem)
                raise _End("failed", f"{step.title}: the changes {result}. {found}")
            else:
                done, problem = self._send(changes)
                times += bool(done) or problem is None or isinstance(problem, AnswerLost)
                if done:
                    sent, settled_at = {each.key for each in done}, clock.now() + SETTLE_SECONDS
                if problem is None:
                    waits = _waits()
                else:
                    self._sleep(finding, waits, problem)

    def _has_asked(self, finding: Finding) -> bool:
        """Ask the finding's question, unless it has been answered."""
        question = finding.question
        if not question or self._options.yes or question in self._answered:
            return False
        if not self._confirm(question):
            raise _End("declined", DECLINED)
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
            self._show(Event("plan", change=change))
            self._has_sent = True
            try:
                if change.send is not None:
                    change.send()
                else:
                    self._azure.send(change.service, change.method, change.url, change.body)
            except (NotReachable, Refused) as error:
                passing = NOT_YET_CODES | change.done_codes
                if not isinstance(error, NotReachable | Conflict) and error.code not in passing:
                    raise
                self._show(Event("look", str(error), change=change))
                return changes[:place], error
            self._show(Event("sent", change=change))
        return changes, None

    def _sleep(
        self, finding: Finding, waits: Iterator[float], problem: AzureProblem | None
    ) -> None:
        left = self._azure.deadline.left
        if left <= 0:
            raise _End(
                "waiting",
                f"After {self._options.timeout_seconds:.0f} seconds, still:"
                f" {_explained(finding, problem)}. Run the same command again to go on:"
                f" {self._options.again}",
            )
        self._show(Event("wait", finding=finding))
        self._azure.clock.sleep(min(next(waits), left, finding.seconds))


def _explained(finding: Finding, problem: AzureProblem | None) -> str:
    """A step's findings, with the problem of the last attempt to change it."""
    is_unsolved = problem is not None and not finding.waiting
    return f"{finding.text}; {problem}".removesuffix(".") if is_unsolved else finding.text
