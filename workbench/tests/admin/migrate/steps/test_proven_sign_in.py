"""Proof: the app's own answer decides."""

from collections.abc import Mapping

from bot_workbench.admin.migrate.steps.proof import Proof
from bot_workbench.admin.plan.target import Target
from tests.admin.migrate.route import Route


def step(target: Target, **facts: str) -> Proof:
    """The app signs in with a federated credential."""

    def expected() -> Mapping[str, str]:
        return {"kind": "Federated", "appId": target.app_id.upper(), **facts}

    return Proof(target, expected, "Wait.")


def test_the_expected_facts_prove_it(route: Route, target: Target) -> None:
    """Ids are compared without regard to case."""
    route.migration.let_new_app_sign_in()
    finding = step(target).look()
    assert not finding.waiting
    assert "credential Federated" in finding.text


def test_an_app_that_cannot_sign_in_is_waited_for(target: Target) -> None:
    """The text says what the app answers, and what to check."""
    finding = step(target).look()
    assert finding.waiting
    assert "cannot sign in yet" in finding.text
    assert finding.text.endswith("Wait.")


def test_another_credential_is_no_proof(route: Route, target: Target) -> None:
    """The old process may answer until the new one has started."""
    route.migration.let_new_app_sign_in()
    finding = step(target, kind="Certificate").look()
    assert finding.waiting
    assert "credential Federated, not Certificate" in finding.text


def test_a_missing_fact_is_no_proof(route: Route, target: Target) -> None:
    """An app without a certificate has no thumbprint."""
    route.migration.let_new_app_sign_in()
    finding = step(target, certificateThumbprint="AB12").look()
    assert finding.waiting
    assert "thumbprint none, not AB12" in finding.text


def test_a_process_that_answers_twice_counts_once(route: Route, target: Target) -> None:
    """Its second answer comes from the same token; a restarted process signs in anew."""
    route.migration.let_new_app_sign_in()
    proof = step(target)
    proof.look()
    proof.look()
    assert (len(proof.processes), proof.has_failed) == (1, False)
    route.clock.sleep(1)
    route.set_settings(RESTART="1")
    proof.look()
    assert len(proof.processes) == 2


def test_a_failed_look_is_remembered(route: Route, target: Target) -> None:
    """The app has signed in for the first time since, so the credential may be new."""
    proof = step(target)
    proof.look()
    route.migration.let_new_app_sign_in()
    assert not proof.look().waiting
    assert proof.has_failed


def test_the_shell_lines_wait_for_the_same(target: Target) -> None:
    """A loop that ends when the answer has every fact, and gives up in the end."""
    lines = "\n".join(step(target, certificateThumbprint="$THUMBPRINT").look().az)
    assert '| grep -i "$THUMBPRINT"' in lines
    assert "/api/identity" in lines
    assert "exit 1" in lines
