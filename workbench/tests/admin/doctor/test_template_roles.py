"""A role that the template assigns is the template's to assign again."""

import pytest

from bot_workbench.admin.plan.target import ENVIRONMENT_TAG
from tests.admin.doctor.examined_bot import SIGN_IN_VAULT, ExaminedBot
from tests.admin.doctor.harms import delete_identity, unassign

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
ROLES = {
    "Microsoft.Storage/storageAccounts": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Microsoft.Insights/components": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Microsoft.KeyVault/vaults": "12338af0-0e69-4776-bea7-57ae8d297424",
}
"""A role of the identity, by the type of the resource that it is on."""


pytestmark = pytest.mark.parametrize("credential", [SIGN_IN_VAULT])


@pytest.fixture
def deployed(bot: ExaminedBot) -> ExaminedBot:
    """A bot whose resources have the environment's tag, as the template makes them."""
    for each in (*map(bot.found, (IDENTITY, *ROLES)), bot.site):
        bot.call(each.body.update, {"tags": {ENVIRONMENT_TAG: "contoso"}})
    return bot


@pytest.mark.parametrize("on", ROLES)
def test_a_missing_role_is_deployed_again(deployed: ExaminedBot, on: str) -> None:
    """Assigned by hand, it would have another name: the next deployment could not assign it."""
    assert deployed.findings() == []
    unassign(ROLES[on])(deployed)
    (found,) = deployed.findings()
    assert found["code"] == "role-missing"
    assert "`azd provision --no-state`" in found["cure"]
    assert "az deployment sub create" in found["cure"]
    assert "role assignment" not in found["cure"]


def test_a_deleted_identity_is_deployed_again(deployed: ExaminedBot) -> None:
    """With its roles; nothing is done by hand."""
    delete_identity(deployed)
    (found,) = (each for each in deployed.findings() if each["code"] == "identity-deleted")
    assert "`azd provision --no-state`" in found["cure"]
    assert "by-hand" not in found["cure"]
