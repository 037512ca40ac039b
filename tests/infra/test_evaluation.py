"""The template is evaluated with every way to sign in, and outputs what hooks and docs use."""

from pathlib import Path

import pytest

from tests.support.bicep.stand_in import APP_ID, PRINCIPAL_ID, Evaluated

MAIN = Path(__file__).parents[2] / "infra" / "main.bicep"
CREDENTIALS = ("ManagedIdentity", "SignInVault", "Certificate", "Federated")


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_outputs(credential: str) -> None:
    """Each credential has the outputs that azd keeps, with the id that the bot has in the end."""
    evaluated = Evaluated(MAIN, credential=credential, principalId=PRINCIPAL_ID)
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
    assert bool(outputs["BOT_VAULT_NAME"]) is (credential in {"SignInVault", "Certificate"})
    assert outputs["BOT_ENDPOINT"].endswith(".azurewebsites.net/api/messages")


def test_names_do_not_depend_on_the_spelling() -> None:
    """Resource Manager takes both spellings for the same group and region: so do the names."""
    one = Evaluated(MAIN, environmentName="my-bot", location="westeurope").outputs
    other = Evaluated(MAIN, environmentName="My-Bot", location="West Europe").outputs
    names = ("BOT_NAME", "BOT_APP_NAME", "BOT_ENDPOINT", "BOT_IDENTITY_NAME")
    assert [one[name] for name in names] == [other[name] for name in names]
