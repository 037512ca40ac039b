"""Runner: looks, sends, looks again; waits, asks and refuses."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.azure.errors import AnswerLost, AzureProblem, Conflict, Refused
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.output import output
from bot_workbench.admin.plan.run import MAX_REPEATED_WRITES, SETTLE_SECONDS, Runner
from bot_workbench.admin.plan.step import Finding, Plan, unless_refused
from tests.admin.moved_clock import MovedClock
from tests.admin.plan.scripted_step import ScriptedStep, change, scripted

RunSteps = Callable[..., tuple[ExitStatus, Any]]
DONE = Finding("it is so")
OPTIONS = Options("switch", "contoso-bot", timeout_seconds=100)
BACK = unless_refused("back")


@pytest.fixture
def clock() -> MovedClock:
    """A clock that waits by moving."""
    return MovedClock()


@pytest.fixture
def run(clock: MovedClock, capsys: pytest.CaptureFixture[str]) -> RunSteps:
    """Run steps, and return the exit status and the JSON object."""

    def run_steps(
        *steps: ScriptedStep,
        options: Options = OPTIONS,
        confirm: Callable[[str], bool] = bool,
        way_back: Callable[[bool], str] = BACK,
    ) -> tuple[ExitStatus, Any]:
        # Nothing is sent through the clients, because the tests' changes send themselves.
        with AzureClients(PUBLIC, clock=clock, timeout_seconds=options.timeout_seconds) as azure:
            runner = Runner(azure, options, output(replace(options, as_json=True)), confirm)
            status = runner.run(Plan(scripted(steps), way_back, next_command="next"))
        return status, json.loads(capsys.readouterr().out)

    return run_steps


def fails(*errors: AzureProblem | None) -> tuple[Callable[[], object], list[int]]:
    """A sender that raises these errors, one a call, and the list of its calls."""
    calls: list[int] = []

    def send() -> None:
        calls.append(1)
        if len(calls) <= len(errors) and (error := errors[len(calls) - 1]) is not None:
            raise error

    return send, calls


def test_what_is_so_already_is_left_alone(run: RunSteps) -> None:
    """A step that finds everything done sends nothing, and looks once."""
    step = ScriptedStep(DONE)
    status, shown = run(step)
    assert status is ExitStatus.DONE
    assert step.looks == 1
    assert shown["result"] == "done"
    assert shown["next"] == "next"


def test_a_change_is_sent_and_looked_up(run: RunSteps) -> None:
    """After a change, the step says what is so now."""
    send, calls = fails()
    step = ScriptedStep(Finding("it is not so", (change(send),)), DONE)
    status, shown = run(step)
    assert status is ExitStatus.DONE
    assert len(calls) == 1
    assert shown["steps"][0]["found"] == ["it is not so", "it is so"]
    assert shown["steps"][0]["changes"][0]["sent"] is True


@pytest.mark.parametrize(
    "error",
    [
        AnswerLost("connection reset"),
        Conflict("being changed", 409, "Conflict"),
        Refused("not yet", 400, "PrincipalNotFound"),
    ],
)
def test_a_lost_answer_is_looked_up(run: RunSteps, clock: MovedClock, error: AzureProblem) -> None:
    """Whether a write of unknown fate was done is seen, not guessed; it is sent again if not."""
    send, calls = fails(error)
    missing = Finding("it is not so", (change(send),))
    status, _ = run(ScriptedStep(missing, missing, DONE))
    assert status is ExitStatus.DONE
    assert len(calls) == 2
    assert clock.waits


def test_a_lost_answer_of_a_done_write_is_not_sent_again(run: RunSteps) -> None:
    """The write was done, only its answer was lost."""
    send, calls = fails(AnswerLost("connection reset"))
    run(ScriptedStep(Finding("it is not so", (change(send),)), DONE))
    assert len(calls) == 1


def test_a_stale_read_is_not_a_missing_write(run: RunSteps, clock: MovedClock) -> None:
    """What was sent and answered may be invisible for a while: it is not sent twice."""
    send, calls = fails()
    missing = Finding("it is not so", (change(send),))
    status, _ = run(ScriptedStep(missing, missing, missing, DONE))
    assert status is ExitStatus.DONE
    assert len(calls) == 1
    assert 0 < sum(clock.waits) < SETTLE_SECONDS


def test_a_write_without_effect_ends_the_run(run: RunSteps) -> None:
    """A change that never shows is reported, not sent for ever."""
    send, calls = fails()
    options = Options("switch", "contoso-bot", timeout_seconds=10_000)
    status, shown = run(ScriptedStep(Finding("no", (change(send),))), options=options)
    assert status is ExitStatus.FOUND
    assert shown["result"] == "failed"
    assert len(calls) == MAX_REPEATED_WRITES


def test_a_write_that_is_refused_for_now_is_sent_until_the_time_is_over(
    run: RunSteps, clock: MovedClock
) -> None:
    """A new principal may be unknown for minutes: that is no write without effect."""
    send, calls = fails(*[Refused("not yet", 400, "PrincipalNotFound")] * 10)
    missing = Finding("it is not so", (change(send),))
    options = Options("switch", "contoso-bot", timeout_seconds=300)
    status, _ = run(ScriptedStep(*[missing] * 11, DONE), options=options)
    assert status is ExitStatus.DONE
    assert len(calls) == 11
    send, _ = fails(*[Conflict("being changed", 409, "Conflict")] * 1000)
    status, shown = run(ScriptedStep(Finding("no", (change(send),))), options=options)
    assert (status, shown["result"]) == (ExitStatus.FOUND, "waiting")
    assert "still: no; being changed. Run" in shown["reason"]
    assert clock.now() < 2 * 300


def test_a_write_whose_answers_are_lost_is_sent_a_few_times_only(run: RunSteps) -> None:
    """Each may have been done, unseen."""
    send, calls = fails(*[AnswerLost("connection reset")] * 100)
    status, shown = run(ScriptedStep(Finding("no", (change(send),))))
    assert (status, shown["result"]) == (ExitStatus.FOUND, "failed")
    assert len(calls) == MAX_REPEATED_WRITES


def test_a_change_that_can_never_be_sent_ends_the_run(run: RunSteps, clock: MovedClock) -> None:
    """Its values stay unknown, so there is nothing to wait for."""
    send, calls = fails()
    unknown = change(send, url="https://graph/$IDENTITY_PRINCIPAL_ID")
    status, shown = run(ScriptedStep(Finding("no", (unknown,))))
    assert (status, shown["result"]) == (ExitStatus.FOUND, "failed")
    assert shown["reason"].endswith("the changes have no effect. no")
    assert not calls
    assert clock.now() == 0


def test_what_is_done_before_a_refused_write_is_repeated_a_few_times_only(
    run: RunSteps, clock: MovedClock
) -> None:
    """A lock on the Azure Bot does not restart the live app until the timeout: a restart shows only
    in the tag that is set after it. Each repetition waits as for a stale read."""
    restart, restarts = fails()
    tag, _ = fails(*[Conflict("The scope is locked.", 409, "ScopeLocked")] * 1000)
    missing = Finding("no", (change(restart, "Restart"), change(tag, "Remember")))
    options = Options("delete-secret", "contoso-bot", timeout_seconds=10_000)
    status, shown = run(ScriptedStep(missing), options=options)
    assert (status, shown["result"]) == (ExitStatus.FOUND, "failed")
    assert shown["reason"].endswith("the changes cannot be completed. no; The scope is locked")
    assert len(restarts) == MAX_REPEATED_WRITES
    assert clock.now() >= (MAX_REPEATED_WRITES - 1) * SETTLE_SECONDS


def test_a_wait_after_a_problem_does_not_repeat_it(run: RunSteps) -> None:
    """The answer was lost, but its write was done."""
    send, _ = fails(AnswerLost("connection reset"))
    missing, waiting = Finding("no", (change(send),)), Finding("not yet", waiting=True)
    _, shown = run(ScriptedStep(missing, waiting))
    assert "still: not yet. Run" in shown["reason"]


def test_a_refused_write_is_the_users(run: RunSteps) -> None:
    """What Azure refuses for good goes up, with its text."""
    send, _ = fails(Refused("immutable", 400, "InvalidBotData"))
    with pytest.raises(Refused, match="immutable"):
        run(ScriptedStep(Finding("no", (change(send),))))


def test_a_wait_that_runs_out_names_the_command(run: RunSteps, clock: MovedClock) -> None:
    """After the timeout: what it waited for, and the same command."""
    status, shown = run(ScriptedStep(Finding("Entra does not know it yet", waiting=True)))
    assert status is ExitStatus.FOUND
    assert shown["result"] == "waiting"
    assert "Entra does not know it yet" in shown["reason"]
    assert "bot migrate switch --bot contoso-bot" in shown["reason"]
    assert sum(clock.waits) == pytest.approx(100)
    assert clock.waits[1] == 2 * clock.waits[0]


def test_a_refusal_stops_before_later_steps(run: RunSteps) -> None:
    """Nothing after the refusing step is looked at."""
    later = ScriptedStep(DONE)
    status, shown = run(ScriptedStep(Finding("no", refusal="because; do this")), later)
    assert status is ExitStatus.FOUND
    assert shown["reason"] == "because; do this"
    assert later.looks == 0


def test_a_question_is_asked_before_its_changes(run: RunSteps) -> None:
    """A no sends nothing; a yes sends what a new look finds."""
    send, calls = fails()
    missing = Finding("it is there", (change(send),), question="Delete it?")
    status, shown = run(ScriptedStep(missing), confirm=lambda _: False)
    assert status is ExitStatus.FOUND
    assert shown["result"] == "declined"
    assert not calls
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    step = ScriptedStep(missing, missing, DONE)
    assert run(step, confirm=agree)[0] is ExitStatus.DONE
    assert asked == ["Delete it?"]
    assert len(calls) == 1
    assert step.looks == 3


def test_yes_answers_questions(run: RunSteps) -> None:
    """A pipeline is not asked."""
    send, calls = fails()
    step = ScriptedStep(Finding("there", (change(send),), question="Delete it?"), DONE)
    run(step, options=Options("x", "b", yes=True), confirm=lambda _: False)
    assert len(calls) == 1


def test_a_dry_run_sends_nothing(run: RunSteps) -> None:
    """All steps are looked at once, and their changes are shown."""
    send, calls = fails()
    steps = [
        ScriptedStep(Finding("no", (change(send, "First"),))),
        ScriptedStep(Finding("not yet", waiting=True, az=("sleep 1",))),
        ScriptedStep(
            Finding("no", (change(send, "Second", "https://arm/$IDENTITY_PRINCIPAL_ID"),))
        ),
    ]
    status, shown = run(*steps, options=Options("x", "b", dry_run=True))
    assert status is ExitStatus.DONE
    assert shown["result"] == "planned"
    assert not calls
    summaries = [c["summary"] for step in shown["steps"] for c in step["changes"]]
    assert summaries == ["First", "Second"]


def test_an_unknown_value_is_never_sent(run: RunSteps) -> None:
    """A change with a shell variable waits for the change before it; then it has the value."""
    first, first_calls = fails()
    second, second_calls = fails()
    unknown = change(second, "Second", "https://arm/$IDENTITY_PRINCIPAL_ID")
    known = change(second, "Second", "https://arm/1")
    step = ScriptedStep(
        Finding("nothing", (change(first, "First"), unknown)), Finding("half", (known,)), DONE
    )
    status, shown = run(step)
    assert status is ExitStatus.DONE
    assert (len(first_calls), len(second_calls)) == (1, 1)
    assert [c["url"] for c in shown["steps"][0]["changes"]] == ["https://graph/x", "https://arm/1"]


def test_only_what_was_done_has_a_way_back(run: RunSteps) -> None:
    """A run that is refused before it has sent anything names no command that undoes the work of
    somebody else."""
    refusal = Finding("no", refusal="no")
    assert run(ScriptedStep(DONE))[1]["wayBack"] == "back"
    assert run(ScriptedStep(refusal))[1]["wayBack"] is None
    missing = Finding("it is not so", (change(fails()[0]),))
    assert run(ScriptedStep(missing, DONE), ScriptedStep(refusal))[1]["wayBack"] == "back"


def test_a_way_back_that_cannot_be_found_out(run: RunSteps) -> None:
    """The result is shown without it."""

    def unknown(_: bool) -> str:
        raise Refused("no answer")

    status, shown = run(ScriptedStep(DONE), way_back=unknown)
    assert status is ExitStatus.DONE
    assert shown["wayBack"] is None
