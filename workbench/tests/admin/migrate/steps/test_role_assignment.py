"""Roles: what a principal may do is recognised, whoever granted it, and where."""

import uuid
from collections.abc import Callable

import pytest

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.errors import Conflict
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.steps.roles import KEY_VAULT_CRYPTO_USER, allowing, role_assignment
from bot_workbench.admin.plan.step import Step
from bot_workbench.admin.plan.target import ENVIRONMENT_TAG, Target
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.admin.migrate.route import NAME, Route
from tests.admin.moved_clock import MovedClock

CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
READER = "21090545-7ca7-4776-b22c-e363652d74d2"

Assign = Callable[..., None]


@pytest.fixture
def scope(route: Route) -> str:
    """The key's resource id."""
    vault = route.migration.new.vault
    assert vault is not None
    return f"{vault.id}/keys/{NAME}"


@pytest.fixture
def assign(route: Route, scope: str) -> Assign:
    """Assigns a role to the app's identity."""

    def assigned(role: str, at: str = "", **properties: object) -> None:
        subscription = "/".join(scope.split("/")[:3])
        definition = f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        body: JsonObject = {
            "properties": {
                "roleDefinitionId": definition,
                "principalId": route.migration.new.identity["principalId"],
                "principalType": "ServicePrincipal",
                **properties,
            }
        }
        path = f"{at or scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        route.call(route.azure.resource_manager.put, path, body)

    return assigned


@pytest.fixture
def step(route: Route, target: Target, scope: str) -> Step:
    """The identity may sign with the key."""
    principal_id = route.migration.new.identity["principalId"]
    return role_assignment(
        target.azure.arm,
        scope=scope,
        role=KEY_VAULT_CRYPTO_USER,
        principal_id=lambda: principal_id,
        whose="the app's identity",
        identity_id=lambda: str(route.migration.new.identity["id"]),
        credential="SignInVault",
    )


def test_a_missing_role_is_assigned(step: Step, target: Target) -> None:
    """With the type of the principal, and under a name that makes a second one impossible."""
    (change,) = step.look().changes
    (again,) = step.look().changes
    assert change == again
    assert change.body is not None
    assert change.body["properties"]["principalType"] == "ServicePrincipal"
    assert "--assignee-principal-type ServicePrincipal" in change.az[1]
    target.azure.send("arm", change.method, change.url, change.body)
    assert step.look().changes == ()


@pytest.mark.parametrize(
    ("on_vault", "on_identity", "is_the_templates"),
    [
        ("contoso", "contoso", True),
        ("contoso", "", False),
        ("", "contoso", False),
        ("contoso", "other", False),
    ],
)
def test_a_role_of_the_template_is_left_to_it(
    step: Step, route: Route, on_vault: str, on_identity: str, *, is_the_templates: bool
) -> None:
    """Under another name, each later deployment would end in RoleAssignmentExists.

    The template tags its resources, with azd and without.
    """
    vault, resources = route.migration.new.vault, route.azure.resource_manager.resources
    identity = resources.find(str(route.migration.new.identity["id"]))
    assert vault is not None
    assert identity is not None
    for resource, environment in ((vault, on_vault), (identity, on_identity)):
        tags = {ENVIRONMENT_TAG: environment} if environment else {}
        route.call(resource.body.update, {"tags": tags})
    finding = step.look()
    assert (finding.changes == ()) is is_the_templates
    assert ("`azd provision --no-state`" in finding.refusal) is is_the_templates
    assert ("with the credential SignInVault" in finding.refusal) is is_the_templates


@pytest.mark.parametrize("levels", [0, 2, 4, 6])
def test_an_inherited_role_is_enough(step: Step, assign: Assign, scope: str, levels: int) -> None:
    """On the key, the vault, the resource group or the subscription."""
    parents = {0: scope, 2: scope.rsplit("/", 2)[0], 4: "/".join(scope.split("/")[:5])}
    assign(CRYPTO_USER, parents.get(levels, "/".join(scope.split("/")[:3])))
    assert step.look().changes == ()


def test_a_role_that_allows_more_is_enough(step: Step, assign: Assign) -> None:
    """What counts is what it allows, not its name."""
    assign(ADMINISTRATOR)
    finding = step.look()
    assert finding.changes == ()
    assert "Key Vault Administrator" in finding.text


@pytest.mark.parametrize("but", [[], ["Microsoft.KeyVault/vaults/*/sign/action"]])
def test_a_custom_role_is_enough(
    step: Step, assign: Assign, route: Route, scope: str, but: list[str]
) -> None:
    """The role "Bot signer" of docs/deploy-by-hand.md allows exactly what is needed; what a role
    excludes is not allowed."""
    subscription = "/".join(scope.split("/")[:3])
    name = str(uuid.uuid4())
    actions = ["Microsoft.KeyVault/vaults/keys/sign/action"]
    body: JsonObject = {
        "properties": {
            "roleName": "Bot signer",
            "type": "CustomRole",
            "permissions": [
                {"actions": [], "notActions": [], "dataActions": actions, "notDataActions": but}
            ],
            "assignableScopes": [subscription],
        }
    }
    path = f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{name}"
    route.call(route.azure.resource_manager.put, path, body)
    assign(name)
    finding = step.look()
    assert ("Bot signer" in finding.text) == (not but)
    assert len(finding.changes) == len(but)


def test_a_conditional_role_is_not_enough(step: Step, assign: Assign) -> None:
    """Whether a condition holds for the bot cannot be known from here."""
    assign(CRYPTO_USER, condition="@Resource[...] StringEquals 'x'", conditionVersion="2.0")
    assert len(step.look().changes) == 1


def test_a_role_that_allows_less_is_not_enough(step: Step, assign: Assign) -> None:
    """Reading a key is not signing with it."""
    assign(READER)
    assert len(step.look().changes) == 1


def test_a_role_elsewhere_is_not_enough(step: Step, assign: Assign, scope: str) -> None:
    """Another key of the same vault, whose name begins with this one's, is another scope."""
    assign(CRYPTO_USER, f"{scope}-2")
    assign(CRYPTO_USER, scope.removesuffix("e"))
    assert len(step.look().changes) == 1


@pytest.mark.parametrize(
    ("at", "allows"),
    [("/subscriptions/1/resourceGroups/ab", True), ("/", True)]
    + [("/providers/Microsoft.Management/managementGroups/contoso", True)]
    + [(f"/subscriptions/1/resourceGroups/{name}", False) for name in ("abc", "a", "ab/x", "b")],
)
def test_only_scopes_above_count(monkeypatch: pytest.MonkeyPatch, at: str, allows: bool) -> None:
    """Whatever Azure lists: a scope below, or one whose name begins alike, allows nothing; a
    management group is above."""
    monkeypatch.setenv("NO_PROXY", "*")
    properties = {"scope": at, "roleDefinitionId": f"/x/roleDefinitions/{CRYPTO_USER}"}
    with ScriptedService() as service:
        service.answers += [Answer(body={"value": [{"properties": properties}]})]
        arm = ArmClient(
            service.url, "Azure Resource Manager", None, "", Deadline(MovedClock()), "1"
        )
        found = allowing(arm, "/subscriptions/1/resourceGroups/AB", "p", KEY_VAULT_CRYPTO_USER)
        arm.close()
        assert "%24filter" in service.asked[0].path or "$filter" in service.asked[0].path
    assert bool(found) == allows


def test_an_assignment_that_exists_is_said_so(step: Step, assign: Assign, target: Target) -> None:
    """Azure refuses the same role twice, under another name: the runner then looks again."""
    (change,) = step.look().changes
    assign(CRYPTO_USER)
    with pytest.raises(Conflict) as refusal:
        target.azure.send("arm", change.method, change.url, change.body)
    assert refusal.value.code == "RoleAssignmentExists"
