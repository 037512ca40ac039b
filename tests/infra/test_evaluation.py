"""The template is evaluated with every way to sign in, and outputs what hooks and docs use."""

import pytest

from auth.credential_kinds import KINDS, MANAGED_IDENTITY
from tests.infra.template import INFRA, MODEL_ID, PRINCIPAL_ID, Template
from tests.support.bicep.deployment import Resource
from tests.support.bicep.stand_in import APP_ID, SUBSCRIPTION_ID, Evaluated
from tests.support.bicep.syntax import BicepError

TEMPLATE = Template(INFRA)
ROLES = "Microsoft.Authorization/roleAssignments"


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


def on_models(evaluated: Evaluated) -> list[Resource]:
    """The role assignments on Azure OpenAI resources."""
    return [each for each in evaluated.of_type(ROLES) if "Microsoft.CognitiveServices" in each.id]


@pytest.mark.parametrize("credential", KINDS)
@pytest.mark.parametrize(
    "subscription", [SUBSCRIPTION_ID, MODEL_ID.split("/")[2]], ids=["own", "other"]
)
def test_who_signs_in_may_call_the_models(credential: str, subscription: str) -> None:
    """On the one resource, wherever it is; the assignment says whose it is."""
    models = MODEL_ID.replace(MODEL_ID.split("/")[2], subscription)
    is_identity = credential == MANAGED_IDENTITY
    evaluated = TEMPLATE.evaluated(
        credential=credential,
        openaiResourceId=models,
        botPrincipalId="" if is_identity else PRINCIPAL_ID,
    )
    (identity,) = evaluated.principals.values()
    (role,) = on_models(evaluated)
    assert role.id.startswith(f"{models}/providers/{ROLES}/")
    definition = role.body["properties"].pop("roleDefinitionId")
    assert definition.startswith(f"/subscriptions/{subscription}/")
    assert role.body["properties"] == {
        "principalId": identity if is_identity else PRINCIPAL_ID,
        "principalType": "ServicePrincipal",
        "description": f"azd-env:{SUBSCRIPTION_ID}/contoso-bot",
    }


@pytest.mark.parametrize("nothing", ["", "none"])
@pytest.mark.parametrize("credential", KINDS)
def test_without_models_no_role_is_assigned(credential: str, nothing: str) -> None:
    """An empty value cannot say that a resource is to be taken away."""
    assert on_models(TEMPLATE.evaluated(credential=credential, openaiResourceId=nothing)) == []


def test_a_role_without_a_principal_is_refused() -> None:
    """Whoever does without `deployment prepare` learns at once what is missing."""
    with pytest.raises(BicepError, match="principalId has fewer than 36 characters"):
        TEMPLATE.evaluated(credential="Federated", openaiResourceId=MODEL_ID)


def test_the_role_does_not_depend_on_the_spelling() -> None:
    """Azure takes the id in any case, and refuses the same role under a second name."""
    names = {
        role.name
        for spelled in (MODEL_ID, MODEL_ID.lower(), MODEL_ID.upper())
        for role in on_models(TEMPLATE.evaluated(openaiResourceId=spelled))
    }
    assert len(names) == 1
