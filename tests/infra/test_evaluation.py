"""The template is evaluated with every way to sign in, and outputs what hooks and docs use."""

import pytest

from auth.credential_kinds import KINDS
from tests.infra.template import INFRA, Template
from tests.support.bicep.stand_in import APP_ID

TEMPLATE = Template(INFRA)


@pytest.mark.parametrize("credential", KINDS)
def test_outputs(credential: str) -> None:
    """Each credential has the outputs that azd keeps, with the id that the bot has in the end."""
    evaluated = TEMPLATE.evaluated(credential=credential)
    (identity,) = evaluated.of_type("Microsoft.ManagedIdentity/userAssignedIdentities")
    outputs = evaluated.outputs
    assert set(outputs) == {
        "AZURE_RESOURCE_GROUP",
        "AZURE_TENANT_ID",
        "BOT_NAME",
        "BOT_APP_NAME",
        "BOT_ENDPOINT",
        "BOT_ID",
        "BOT_IDENTITY_NAME",
        "BOT_VAULT_NAME",
    }
    assert (outputs["BOT_ID"] == APP_ID) is (credential != "ManagedIdentity")
    assert outputs["BOT_IDENTITY_NAME"] == identity.name
    assert bool(outputs["BOT_VAULT_NAME"]) is KINDS[credential].has_certificate
    assert outputs["BOT_ENDPOINT"].endswith(".azurewebsites.net/api/messages")


@pytest.mark.parametrize("mode", ["default", "recover"])
def test_vault_is_created_or_recovered(mode: str) -> None:
    """A vault whose name a deleted one still has is recovered, if the parameter says so."""
    evaluated = TEMPLATE.evaluated(credential="Certificate", vaultCreateMode=mode)
    (vault,) = evaluated.of_type("Microsoft.KeyVault/vaults")
    assert vault.body["properties"]["createMode"] == mode


def test_names_do_not_depend_on_the_spelling() -> None:
    """Resource Manager takes both spellings for the same group and region: so do the names."""
    one = TEMPLATE.evaluated(environmentName="my-bot", location="westeurope").outputs
    other = TEMPLATE.evaluated(environmentName="My-Bot", location="West Europe").outputs
    names = ("BOT_NAME", "BOT_APP_NAME", "BOT_ENDPOINT", "BOT_IDENTITY_NAME")
    assert [one[name] for name in names] == [other[name] for name in names]
