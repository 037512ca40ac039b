"""`deployment prepare`: what must be so before the template, and what the template cannot make."""

import os
import re
from collections.abc import Iterator
from functools import partial

from bot_workbench.admin.azure.arm_client import API_VERSIONS, ArmClient
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Forbidden, NotFound
from bot_workbench.admin.deployment.azd import TemplateValue, stored_values
from bot_workbench.admin.deployment.choices import Chosen, deployments, lost_choices
from bot_workbench.admin.deployment.deployed import Deployed, deleted_vaults, list_if_registered
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import (
    APP_ID,
    APP_TYPE,
    CREDENTIAL,
    GUID,
    OPENAI_RESOURCE_ID,
)
from bot_workbench.admin.deployment.registration import (
    LAG_SECONDS,
    BotRegistration,
    unchanged_bot,
)
from bot_workbench.admin.migrate.certificate.certificates import never_leaves_vault
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.step import Change, Finding, Plan, Step
from bot_workbench.credential_kinds import (
    CERTIFICATE,
    FEDERATED,
    KINDS,
    MANAGED_IDENTITY,
    SIGN_IN_VAULT,
)

TEMPLATE = "infra/main.bicep"

MAX_CHARACTERS = 20
"""The template's limit: the longest name that is made from it, the Azure Bot's, has 42."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", re.ASCII)

PROVIDERS = (
    "Microsoft.BotService",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
"""Those of the template. A test compares them with it."""

VAULT_PROVIDER = "Microsoft.KeyVault"
"""Only of the credentials that have a vault."""

_UNREGISTERED = {"NotRegistered", "Unregistered"}

PYTHON = "3.13"
STACKS_API_VERSION = "2020-10-01"
"""As `az functionapp list-flexconsumption-runtimes` asks."""

VAULT_VARIABLE = "BOT_VAULT_CREATE_MODE"
NEW, RECOVER = "default", "recover"
"""The values of the template's parameter `vaultCreateMode`."""


def prepare_plan(
    azure: AzureClients,
    options: DeploymentOptions,
    *,
    location: str,
    chosen: Chosen,
) -> Plan:
    """All that must be so before the template is deployed.

    Args:
        azure: the clients.
        options: name the environment.
        location: the region, such as "westeurope" or "West Europe".
        chosen: the choices, without fault. The app id is that of the reader's app registration, or
            of the one that an earlier run has made.
    """
    arm, region = azure.arm, _normalized(location)
    credential = KINDS[chosen.value(CREDENTIAL)]
    steps = [
        Step("Name of the environment", partial(_environment_name, options, location)),
        Step("Choices of the last deployment", partial(lost_choices, arm, options, chosen)),
    ]
    if chosen.models:
        look = partial(_model_resource, arm, options, chosen.models)
        steps.append(Step("Azure OpenAI resource", look))
    if credential.loads_key:
        look = partial(_exportable_key, azure, options, region)
        steps.append(Step("Private key of the certificate", look))
    providers = (*PROVIDERS, *((VAULT_PROVIDER,) if credential.has_certificate else ()))
    registration = BotRegistration(azure, options, chosen.value(APP_ID))
    unchanged = partial(
        unchanged_bot,
        azure,
        options,
        credential=credential,
        app_type=chosen.value(APP_TYPE),
        app_id=registration.app_id,
        shown_at=azure.clock.now() + LAG_SECONDS,
    )
    steps += [
        # The next steps ask the providers.
        Step("Resource providers", partial(_providers, arm, options.subscription, providers)),
        Step("Region", partial(_region, arm, options.subscription, region)),
        Step("Type and app id of the Azure Bot", unchanged),
    ]
    values = []
    is_left = options.azd and os.environ.get(VAULT_VARIABLE) == RECOVER
    if credential.has_certificate or is_left:  # what a credential with a vault has left is set back
        mode = partial(_vault_mode, arm, options, region, is_used=credential.has_certificate)
        values.append(TemplateValue(VAULT_VARIABLE, "vaultCreateMode", mode, default=NEW))
    if credential.name != MANAGED_IDENTITY:
        steps += [
            Step("App registration", registration.look),
            Step("Service principal", registration.look_for_principal),
        ]
        values.append(TemplateValue("BOT_APP_ID", "botAppId", registration.app_id))
        if chosen.models:
            principal = registration.principal_id
            values.append(TemplateValue("BOT_PRINCIPAL_ID", "botPrincipalId", principal))
    if values:
        steps.append(stored_values(options, values))  # last: azd is called once
    return Plan(
        steps,
        way_back=lambda has_run: _way_back(azure, options) if has_run else "",
        next_command="" if options.azd else _next(options, location, chosen, has_more=bool(values)),
    )


def _way_back(azure: AzureClients, options: DeploymentOptions) -> str:
    """The command that removes what was prepared; empty: it would remove a deployed bot, too.

    Raises:
        AzureProblem: the bot cannot be looked up.
    """
    if options.azd or Deployed(azure, options).find_bot() is not None:
        return ""
    return options.command_line("remove")


def _next(options: DeploymentOptions, location: str, chosen: Chosen, *, has_more: bool) -> str:
    parameters = {"environmentName": options.environment, "location": location}
    for choice, text in chosen.given.items():
        if text and choice is not APP_ID:  # its step says it
            parameters[choice.parameter] = chosen.value(choice)
    given = " ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
    return (
        f"az deployment sub create --name {quoted(options.environment)}"
        f" --subscription {options.subscription}"
        f" --location {quoted(location)} --template-file {TEMPLATE} --parameters {given}"
        f"{', with the parameters above' if has_more else ''}"
    )


def _environment_name(options: DeploymentOptions, location: str) -> Finding:
    """The environment has a name that the resources can bear, a subscription and a region.

    Nothing is read.

    Args:
        options: what the command line says.
        location: the region; empty: not chosen yet.
    """
    name = options.environment
    text = f"the environment is {name!r}"
    if len(name) > MAX_CHARACTERS or not _NAME.fullmatch(name):
        cure = "`azd env new NAME`" if options.azd else "give another --environment"
        return Finding(
            text,
            refusal=f"the name {name!r} ({len(name)} characters) cannot become the names of"
            f" Azure's resources: use letters, digits and hyphens, at most {MAX_CHARACTERS}, with"
            f" a letter or digit at both ends ({cure})",
        )
    if not GUID.fullmatch(options.subscription):
        where = (
            "`azd env set AZURE_SUBSCRIPTION_ID VALUE`" if options.azd else "give --subscription"
        )
        return Finding(text, refusal=f"no subscription (its id, a GUID) is chosen: {where}")
    if not location:
        where = "`azd env set AZURE_LOCATION VALUE`" if options.azd else "give --location"
        return Finding(text, refusal=f"no location is chosen: {where}")
    return Finding(f"{text}, in the resource group rg-{name}")


def _model_resource(arm: ArmClient, options: DeploymentOptions, resource_id: str) -> Finding:
    """The Azure OpenAI or Microsoft Foundry resource on which the bot gets a role exists.

    Otherwise the template would fail after it has made other resources. Whether the account may
    assign roles there is not asked: it is not asked for the bot's own group either.

    Raises:
        AzureProblem: the resource cannot be read.
    """
    try:
        found = arm.find(resource_id)
    except Forbidden as error:
        cure = (
            "Your account needs Owner, or Contributor together with Role Based Access Control"
            f" Administrator, on the resource group of {resource_id}."
        )
        raise Forbidden(error.answer, cure, needs_role=True) from error
    if found is not None:
        return Finding(f"the bot will be allowed to call the models of {found['name']}")
    text = f"there is no resource {resource_id}"
    choose = options.to_choose(OPENAI_RESOURCE_ID, OPENAI_RESOURCE_ID.example)
    return Finding(
        text,
        refusal=f"{text}: choose one of those that `az cognitiveservices account list --query"
        f' "[].id" --output tsv` shows ({choose})',
    )


def _exportable_key(azure: AzureClients, options: DeploymentOptions, region: str) -> Finding:
    """For the credential Certificate: the vault's certificate, if it has one, can be exported.

    Key Vault never changes that of a key. The vault itself says how it is. Where the account may
    not read it, or the vault is deleted and will be recovered with all that it had, what was
    deployed last does.

    Raises:
        AzureProblem: neither can be read.
    """
    deployed = Deployed(azure, options)
    try:
        vault = deployed.vault
    except NotFound:
        if _is_recovered(azure.arm, options, region):
            return _recovered_key(azure.arm, options)
        return Finding("there is no vault yet")
    try:
        credential = deployed.credential.name
    except NotFound:  # there is no app
        credential = ""
    if credential == CERTIFICATE:
        return Finding("the bot signs in with Certificate already")
    name = vault.vault
    try:
        bundle = azure.vault.certificate(vault.url, vault.name)
    except Forbidden:
        if credential == SIGN_IN_VAULT:
            text = f"the bot signs in with a key that never leaves the vault {name}"
            return _not_exportable(options, text)
        return Finding(
            f"your account may not read the certificates of the vault {name}",
            notes=(
                "if its certificate was made for SignInVault, the bot cannot load it, and the step"
                " after the template refuses it",
            ),
        )
    if bundle is None:
        return Finding(f"the vault {name} has no certificate yet")
    if never_leaves_vault(bundle):
        text = f"the private key in the vault {name} cannot be exported"
        return _not_exportable(options, text)
    return Finding(f"the private key in the vault {name} can be exported")


def _recovered_key(arm: ArmClient, options: DeploymentOptions) -> Finding:
    """The vault is deleted: the deployments that used it say what its key was made for."""
    text = "the deleted vault of this environment is recovered with its certificate"
    try:
        credentials = {choices[CREDENTIAL] for _, choices in deployments(arm, options)}
    except Forbidden:
        return Finding(text)
    # A certificate that was made for Certificate stays, and SignInVault can use it, too.
    if SIGN_IN_VAULT in credentials and CERTIFICATE not in credentials:
        return _not_exportable(options, f"{text}, which was made for SignInVault")
    return Finding(text)


def _not_exportable(options: DeploymentOptions, text: str) -> Finding:
    again = options.to_choose(CREDENTIAL, SIGN_IN_VAULT)
    federated = options.to_choose(CREDENTIAL, FEDERATED)
    return Finding(
        text,
        refusal=f"{text}, so the bot could not load it with Certificate: choose SignInVault again"
        f" ({again}), or Federated ({federated}), or deploy another environment",
    )


def _providers(arm: ArmClient, subscription: str, namespaces: tuple[str, ...]) -> Finding:
    """The subscription has registered all resource providers that the template needs.

    Resource Manager registers those that a template names, but a question that comes before, such
    as the one for deleted vaults, needs them registered. Microsoft reference: "Azure resource
    providers and types".

    Args:
        arm: the client.
        subscription: its id (GUID).
        namespaces: of the providers.

    Raises:
        AzureProblem: their states cannot be read.
    """
    paths = {each: f"/subscriptions/{subscription}/providers/{each}" for each in namespaces}
    query = f"?api-version={API_VERSIONS['']}"
    states = {
        each: str(arm.get(f"{path}{query}").get("registrationState") or "NotRegistered")
        for each, path in paths.items()
    }
    missing = [each for each, state in states.items() if state in _UNREGISTERED]
    if missing:
        changes = tuple(
            Change(
                method="POST",
                url=arm.url(f"{paths[each]}/register{query}"),
                body=None,
                summary=f"Register {each} in the subscription",
                az=(
                    az(
                        "provider register",
                        {"--namespace": each, "--subscription": subscription, "--wait": None},
                    ),
                ),
            )
            for each in missing
        )
        text = f"not registered in the subscription: {', '.join(missing)}"
        return Finding(text, changes=changes)
    pending = [each for each, state in states.items() if state != "Registered"]
    if pending:
        text = f"the subscription is registering {', '.join(pending)}, which takes minutes"
        return Finding(text, waiting=True)
    return Finding(f"the subscription has registered {', '.join(namespaces)}")


def _region(arm: ArmClient, subscription: str, region: str) -> Finding:
    """Flex Consumption, with the project's version of Python, is to be had in the region.

    Raises:
        AzureProblem: the regions, or the versions of Python in this one, cannot be read.
    """
    path = f"/subscriptions/{subscription}/providers/Microsoft.Web/geoRegions"
    regions = list_if_registered(arm, f"{path}?sku=FlexConsumption")
    if regions is None:
        return Finding(
            "the regions can be read once the subscription has registered the provider"
            " Microsoft.Web"
        )
    known = sorted({_normalized(str(each["name"])) for each in regions})
    if region not in known:
        return Finding(
            f"{region} has no Flex Consumption",
            refusal=f"{region} has no Flex Consumption plans: choose another region"
            f" (AZURE_LOCATION, --location), one of {', '.join(known)}",
        )
    if PYTHON not in set(_python_versions(arm, region)):
        return Finding(
            f"{region} has no Python {PYTHON}",
            refusal=f"Flex Consumption in {region} does not offer Python {PYTHON} yet: choose"
            " another region (AZURE_LOCATION, --location); `az functionapp"
            " list-flexconsumption-runtimes --runtime python --location NAME` lists what one"
            " offers",
        )
    return Finding(f"{region} has Flex Consumption with Python {PYTHON}")


def _python_versions(arm: ArmClient, region: str) -> Iterator[str]:
    """The versions of Python that Flex Consumption has in a region."""
    path = f"/providers/Microsoft.Web/locations/{region}/functionAppStacks"
    query = "removeHiddenStacks=true&removeDeprecatedStacks=true&stack=python&sku=FC1"
    stacks = arm.pages(f"{path}?api-version={STACKS_API_VERSION}&{query}")
    majors = (each for stack in stacks for each in stack["properties"].get("majorVersions") or ())
    for minor in (each for major in majors for each in major.get("minorVersions") or ()):
        settings = (minor.get("stackSettings") or {}).get("linuxRuntimeSettings") or {}
        for sku in settings.get("Sku") or ():
            runtime = (sku.get("functionAppConfigProperties") or {}).get("runtime") or {}
            if sku.get("skuCode") == "FC1" and runtime.get("name") == "python":
                yield str(runtime.get("version"))


def _vault_mode(arm: ArmClient, options: DeploymentOptions, region: str, *, is_used: bool) -> str:
    """Whether the template creates the vault, or recovers a deleted one of the same name.

    A deleted vault keeps its name for 7 days, and purge protection forbids to free it: a new one of
    this name can only be recovered. Microsoft reference: "Azure Key Vault soft-delete overview".

    Args:
        arm: the client.
        options: name the environment.
        region: part of what the vault's name is made from.
        is_used: whether the credential has a vault.

    Raises:
        AzureProblem: the deleted vaults cannot be listed.
    """
    return RECOVER if is_used and _is_recovered(arm, options, region) else NEW


def _is_recovered(arm: ArmClient, options: DeploymentOptions, region: str) -> bool:
    """Whether the template will recover a deleted vault: one of another region stays deleted."""
    found = deleted_vaults(arm, options)
    places = [str(each["properties"].get("location") or "") for each in found]
    return region in map(_normalized, places)


def _normalized(location: str) -> str:
    """A region's name, such as "westeurope", from its display name, too."""
    return location.replace(" ", "").lower()
