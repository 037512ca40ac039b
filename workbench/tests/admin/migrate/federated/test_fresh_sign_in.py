"""FreshSignIn: a new credential is proved by processes that sign in anew, not by one's token."""

import subprocess
from collections import Counter

from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, Ended
from tests.admin.migrate.route import FEDERATED, Route

RESTART = f"Restart {APP}, so that"


def restarts(ended: Ended) -> int:
    """The number of times that the command has restarted the app."""
    return ended.output.count(f"plan     {RESTART}")


def test_a_new_credential_is_proved_by_three_processes(route: Route) -> None:
    """The first one, and two that are restarted; run again, the command restarts none."""
    assert restarts(route.done(*FEDERATED)) == 2
    assert restarts(route.done(*FEDERATED)) == 0


def test_a_restarted_process_that_is_refused_is_waited_for(route: Route) -> None:
    """Entra refuses the credential after it has accepted it, and the token hides that."""
    route.registration.intermittent = True
    route.azure.directory.propagation.federated = 100
    output = route.done(*FEDERATED).output
    after = output[output.index(RESTART) :]
    assert "the app does not prove it yet" in after
    assert "3 of 3 processes" in after


def test_answers_503_on_the_way_are_counted(route: Route) -> None:
    """Before the first proof, and between the restarts; none of them is a process."""
    route.registration.intermittent = True
    route.azure.directory.propagation.federated = 100
    sites, answers = route.azure.servers["*.azurewebsites.net"], Counter[tuple[bool, int]]()

    async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        answers[any(is_after or status == 200 for is_after, status in answers), answer.status] += 1
        return answer

    route.call(setattr, sites, "around", counted)
    steps = route.done(*FEDERATED, "--json").json["steps"]
    notes = {step["title"]: step["notes"] for step in steps if step["notes"]}
    assert answers[False, 503]
    assert answers[True, 503]
    assert list(notes) == ["Proof by the app itself", "Proof by restarted processes"]
    for (note,), times in zip(
        notes.values(), (answers[False, 503], answers[True, 503]), strict=True
    ):
        assert note.startswith(f"{times} request")
        assert "answered 503" in note
    assert answers[True, 200] >= 2
    assert route.done(*FEDERATED, "--json").json["steps"][-1]["notes"] == []


def test_the_old_process_is_no_new_sign_in(route: Route) -> None:
    """A restart is overlapped: the process that answers meanwhile has its token."""
    route.code.restart_seconds = 5
    output = route.done(*FEDERATED).output
    assert "1 of 3 processes of the app have signed in; the restart is not over" in output
    assert "3 of 3 processes" in output


def test_an_interrupted_proof_is_made_up_for(route: Route) -> None:
    """The app could not sign in yet when the command was run again, so the credential is new."""
    route.azure.directory.propagation.federated = 60
    assert route.run(*FEDERATED, "--timeout", "5").status == 1
    ended = route.done(*FEDERATED)
    assert "federatedIdentityCredentials" not in ended.output
    assert restarts(ended) == 2


def test_a_live_app_is_not_restarted_for_an_old_credential(route: Route) -> None:
    """It fails for another reason, and its users' turns would fail, too."""
    route.done(*FEDERATED)
    route.call(route.migration.bot().properties.update, {"endpoint": NEW_ENDPOINT})
    sites = route.azure.servers["*.azurewebsites.net"]
    route.call(sites.faults.set, path="/api/identity", status=503, remaining=1)
    ended = route.done("federated", "--bot", BOT)
    assert "the app does not prove it yet" in ended.output
    assert restarts(ended) == 0


def test_a_dry_run_restarts_and_waits_for_another_process(route: Route) -> None:
    """Its lines are a script, in which each loop needs a process that the last one did not see."""
    output = route.done(*FEDERATED, "--dry-run").output
    lines = [line for line in output.splitlines() if not line.startswith("#")]
    kinds = [
        kind
        for line in lines
        for kind in ("BEFORE=", "functionapp restart", '-v -F "$BEFORE"')
        if kind in line
    ]
    assert kinds == ["BEFORE=", "functionapp restart", '-v -F "$BEFORE"'] * 2
    subprocess.run(["/bin/bash", "-n", "-c", "\n".join(lines)], check=True)
