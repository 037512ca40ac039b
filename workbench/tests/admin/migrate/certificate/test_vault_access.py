"""VaultAccess: the account may manage certificates, or is given the role."""

import json

import pytest

from bot_workbench.emulator.resource_manager.resource import Resource
from tests.admin.migrate.route import CERTIFICATE, NAME, Route

OFFICER = "a4417e6f-fecd-4de8-b567-7b0420556985"
READER = "21090545-7ca7-4776-b22c-e363652d74d2"


def assignments(route: Route) -> list[Resource]:
    """The pipeline's role assignments."""
    return [
        each
        for each in route.azure.resource_manager.resources.of_type(
            "Microsoft.Authorization/roleAssignments"
        )
        if each.properties["principalId"] == route.azure.pipeline.object_id
    ]


def revoke(route: Route) -> None:
    """Take the pipeline's roles in the vault away."""
    for each in assignments(route):
        route.call(route.azure.resource_manager.resources.remove, each.id)


def test_the_role_is_granted_as_a_change(route: Route) -> None:
    """Who may assign roles but not read the vault gives themselves the role, and it is shown."""
    revoke(route)
    ended = route.done(*CERTIFICATE)
    assert "sent     Assign Key Vault Certificates Officer on vaults/contoso-vault" in ended.output
    (made,) = assignments(route)
    assert made.properties["roleDefinitionId"].endswith(OFFICER)
    assert made.properties["principalType"] == "ServicePrincipal"
    assert len(route.versions()) == 1


def test_how_to_take_the_role_back_is_said(route: Route) -> None:
    """It stays, and the note deletes this assignment and no other; a role of before has none."""
    assert "az role assignment delete" not in route.done(*CERTIFICATE, "--dry-run").output
    revoke(route)
    output = " ".join(route.done(*CERTIFICATE).output.replace("\\\n", " ").split())
    (made,) = assignments(route)
    assert f"az role assignment delete --ids {made.id} --output none" in output


def test_the_role_is_waited_for(route: Route) -> None:
    """A new role takes minutes to have an effect, and nothing is tried before."""
    revoke(route)
    route.azure.resource_manager.access.lag = 90
    ended = route.done(*CERTIFICATE)
    assert "has no effect yet" in ended.output
    assert len(assignments(route)) == 1


def test_the_role_is_waited_for_by_who_may_read_already(route: Route) -> None:
    """Reading does not show that the new role has an effect: only the first write does."""
    (made,) = assignments(route)
    definition = str(made.properties["roleDefinitionId"])
    route.call(made.properties.update, {"roleDefinitionId": definition.replace(OFFICER, READER)})
    route.call(setattr, made, "created", made.created - 1000)
    route.azure.resource_manager.access.lag = 200
    ended = route.done(*CERTIFICATE)
    assert "sent     Assign Key Vault Certificates Officer on vaults/contoso-vault" in ended.output
    assert "your role has no effect in the vault contoso-vault yet" in ended.output
    assert len(route.versions()) == 1


def test_a_dry_run_works_without_the_role(route: Route) -> None:
    """What the role will show is taken as missing; the script grants it, and waits for it."""
    revoke(route)
    ended = route.done(*CERTIFICATE, "--dry-run")
    assert f"az role assignment create --role {OFFICER}" in ended.output
    assert "az keyvault certificate create" in ended.output
    assert "az keyvault certificate list" in ended.output
    assert assignments(route) == []


def test_reading_is_enough_for_what_is_there(route: Route) -> None:
    """Nobody needs the right to create a certificate that exists."""
    route.call(route.inventory.add_version, NAME)
    (made,) = assignments(route)
    definition = str(made.properties["roleDefinitionId"])
    route.call(made.properties.update, {"roleDefinitionId": definition.replace(OFFICER, READER)})
    ended = route.done(*CERTIFICATE)
    assert "your account can read the certificates" in ended.output
    assert len(assignments(route)) == 1


def test_a_vault_with_access_policies_is_refused(route: Route) -> None:
    """Roles have no effect there."""
    vault = route.migration.new.vault
    assert vault is not None
    route.call(vault.properties.update, {"enableRbacAuthorization": False})
    reason = route.refused(*CERTIFICATE)
    assert "--enable-rbac-authorization true" in reason
    assert route.versions() == []


@pytest.mark.parametrize("text", ["Client address is not authorized and caller is not trusted."])
def test_a_closed_vault_is_refused(route: Route, text: str) -> None:
    """No role opens a firewall."""
    server = route.azure.vaults["contoso-vault.vault.azure.net"].server
    body = '{"error": {"code": "Forbidden", "message": "' + text + '"}}'
    route.call(server.faults.set, status=403, body=body)
    assert "firewall" in route.refused(*CERTIFICATE)


@pytest.mark.parametrize(
    ("inner", "result", "words"),
    [
        ("ForbiddenByFirewall", "failed", "az keyvault network-rule add"),
        ("ForbiddenByRbac", "waiting", "your role has no effect in the vault contoso-vault yet"),
    ],
)
def test_only_a_missing_role_is_waited_for(
    route: Route, inner: str, result: str, words: str
) -> None:
    """A firewall that refuses the creation is the reason at once, with its cure."""
    server = route.azure.vaults["contoso-vault.vault.azure.net"].server
    error = {"code": "Forbidden", "message": "No.", "innererror": {"code": inner}}
    body = json.dumps({"error": error})
    route.call(server.faults.set, status=403, body=body, path="/create")
    ended = route.run(*CERTIFICATE, "--json")
    assert ended.json["result"] == result, ended.output
    assert words in ended.output
    assert "Your account needs" not in ended.output
    assert (route.clock.now() >= 900) == (result == "waiting")


def test_an_unknown_vault_is_named(route: Route) -> None:
    """The text says where was looked."""
    ended = route.run(*CERTIFICATE[:-1], "no-such-vault")
    assert ended.status == 2
    assert "no key vault has the name 'no-such-vault'" in ended.errors
