"""ProvenSignIn: the app's own answer decides."""

from collections.abc import Mapping

from admin.migrate.steps.proven_sign_in import ProvenSignIn
from admin.migrate.target import Target
from tests.admin.migrate.route import Route


def step(target: Target, proofs: int = 1, **facts: str) -> ProvenSignIn:
    """The app signs in with a federated credential."""

    def expected() -> Mapping[str, str]:
        return {"kind": "Federated", "appId": target.app_id.upper(), **facts}

    return ProvenSignIn(target, expected, proofs=proofs, if_slow="Wait.")


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


def test_several_proofs_are_needed_in_a_row(route: Route, target: Target) -> None:
    """A failure in between starts the count again."""
    route.migration.let_new_app_sign_in()
    proof = step(target, proofs=2)
    assert "1 of 2" in proof.look().text
    trusted = list(route.registration.federated_credentials)
    route.call(route.registration.federated_credentials.clear)
    route.set_settings(RESTART="1")
    assert "cannot sign in yet" in proof.look().text
    route.call(route.registration.federated_credentials.extend, trusted)
    assert "1 of 2" in proof.look().text
    assert not proof.look().waiting


def test_the_shell_lines_wait_for_the_same(target: Target) -> None:
    """A loop that ends when the answer has every fact, and gives up in the end."""
    lines = "\n".join(step(target, certificateThumbprint="$THUMBPRINT").look().az)
    assert '| grep -i "$THUMBPRINT"' in lines
    assert "/api/identity" in lines
    assert "exit 1" in lines
