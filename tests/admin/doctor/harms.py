"""Harms: what can go wrong with a deployed bot, done to one in the local Azure."""

import datetime
import json
from collections.abc import Callable
from dataclasses import replace

from emulator.entra.credentials import TrustedSubject
from emulator.entra.registration import Registration
from emulator.seeds.function_app import assign_role
from tests.admin.doctor.examined_bot import (
    CERTIFICATE_NAME,
    ExaminedBot,
    last_day,
)
from tests.admin.migrate.migration import VAULT

Harm = Callable[[ExaminedBot], object]

OTHER_GUID = "99999999-2222-3333-4444-555555555555"
WEBSITE_CONTRIBUTOR = "de139f84-1756-47ae-9be6-808fbbe84772"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER_OF_RESOURCES = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
SECRET_VALUE = "Zq8~not-to-be-printed"  # it must not be printed


def setting(name: str, value: str | None) -> Harm:
    """A setting has this value; None: it is missing."""
    return lambda bot: bot.set_settings(**{name: value})


def site(**properties: object) -> Harm:
    """The Function App has these properties."""
    return lambda bot: bot.site.properties.update(properties)


def web(**properties: object) -> Harm:
    """The Function App has this configuration."""
    return lambda bot: bot.site.hidden.setdefault("siteConfig", {}).update(properties)


def scale(**properties: object) -> Harm:
    """The Function App scales like this."""
    return lambda bot: bot.site.properties["functionAppConfig"]["scaleAndConcurrency"].update(
        properties
    )


def azure_bot(**properties: object) -> Harm:
    """The Azure Bot has these properties."""
    return lambda bot: bot.bot.properties.update(properties)


def of(type_name: str, **properties: object) -> Harm:
    """The first resource of this type has these properties."""
    return lambda bot: bot.found(type_name).properties.update(properties)


def channel(name: str, **settings: object) -> Harm:
    """A channel has these settings."""
    type_name = "Microsoft.BotService/botServices/channels"
    return lambda bot: bot.found(type_name, name).hidden["settings"].update(settings)


def rows(**counts: int) -> Harm:
    """The last 24 hours were like this, by the query's column."""
    result = last_day(**{"Turns": 12, **counts})
    return lambda bot: bot.azure.log_analytics.results.update(AppRequests=result)


def queue(name: str, count: int) -> Harm:
    """A queue has so many messages."""

    def harm(bot: ExaminedBot) -> None:
        account = bot.found("Microsoft.Storage/storageAccounts")
        bot.put(
            f"{account.id}/queueServices/default/queues/{name}", {"approximateMessageCount": count}
        )

    return harm


def unassign(role: str) -> Harm:
    """The identity has lost a role (GUID)."""

    def harm(bot: ExaminedBot) -> None:
        principal = bot.prepared.identity["principalId"]
        for each in bot.azure.resource_manager.resources.of_type(
            "Microsoft.Authorization/roleAssignments"
        ):
            own = each.properties["principalId"] == principal
            if own and str(each.properties["roleDefinitionId"]).endswith(role):
                bot.remove(each)

    return harm


def assign(role: str) -> Harm:
    """The identity has a role (GUID) on the Function App."""

    def harm(bot: ExaminedBot) -> None:
        bot.call(assign_role, bot.azure.group, bot.site, role, bot.prepared.identity["principalId"])

    return harm


def assign_to_subscription(bot: ExaminedBot) -> None:
    """The identity may read every queue of the subscription, not only its own."""
    manager, principal = bot.azure.resource_manager, bot.prepared.identity["principalId"]
    scope = f"/subscriptions/{manager.subscription_id}"
    role = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{QUEUE_CONTRIBUTOR}"
    name = "77777777-2222-3333-4444-555555555555"
    bot.put(
        f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"},
    )


def registration_of(bot: ExaminedBot) -> Registration:
    """The app registration, which the bot must have."""
    assert bot.registration is not None
    return bot.registration


def add_secret(bot: ExaminedBot) -> None:
    """The app registration has a secret."""
    bot.call(bot.azure.directory.add_secret, registration_of(bot))


def retrust(**values: str) -> Harm:
    """The federated credential has these values."""

    def harm(bot: ExaminedBot) -> None:
        credentials = registration_of(bot).federated_credentials
        credentials[:] = [replace(each, **values) for each in credentials]

    return harm


def trust_a_pipeline_only(bot: ExaminedBot) -> None:
    """The only federated credential is a pipeline's."""
    issuer = "https://token.actions.githubusercontent.com"
    registration_of(bot).federated_credentials[:] = [TrustedSubject(issuer, "repo:a/b", name="ci")]


def certificate_ends(days: float) -> Harm:
    """The registered certificate ends in so many days."""

    def harm(bot: ExaminedBot) -> None:
        registration = registration_of(bot)
        (known,) = registration.key_credentials()
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        bot.call(registration.add_key, replace(known, end=end))

    return harm


def newer_certificate(bot: ExaminedBot) -> None:
    """The vault has a newer version that nobody has registered."""
    inventory = bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory
    made = bot.call(inventory.add_version, CERTIFICATE_NAME)
    inventory.versions[CERTIFICATE_NAME][-1] = replace(made, created=made.created + 60)


def disable_versions(bot: ExaminedBot) -> None:
    """No version of the certificate is enabled."""
    inventory = bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory
    versions = inventory.versions[CERTIFICATE_NAME]
    versions[:] = [replace(each, enabled=False) for each in versions]


def lose_versions(bot: ExaminedBot) -> None:
    """The vault has no such certificate."""
    bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory.versions.clear()


def all_of(*harms: Harm) -> Harm:
    """Several things that are one defect."""

    def harm(bot: ExaminedBot) -> None:
        for each in harms:
            each(bot)

    return harm


def delete_vault(bot: ExaminedBot) -> None:
    """The vault was deleted."""
    bot.remove(bot.found("Microsoft.KeyVault/vaults"))


def disable_principal(bot: ExaminedBot) -> None:
    """Entra refuses the bot's sign-in."""
    bot.azure.directory.disabled.add(registration_of(bot).service_principal_id)


def require_assignment(bot: ExaminedBot) -> None:
    """Users need an assignment."""
    required = bot.azure.directory.assignment_required
    required.add(registration_of(bot).service_principal_id)


def delete_registration(bot: ExaminedBot) -> None:
    """The app registration was deleted."""
    bot.call(bot.azure.directory.delete, registration_of(bot))


def lose_registration(bot: ExaminedBot) -> None:
    """The app registration is gone for good."""
    delete_registration(bot)
    bot.azure.directory.deleted.clear()


def lose_principal(bot: ExaminedBot) -> None:
    """The app registration has no service principal."""
    registration_of(bot).service_principal_id = ""


def allow_publishing(bot: ExaminedBot) -> None:
    """Code can be published with a password."""
    policy = f"{bot.site.id}/basicPublishingCredentialsPolicies/scm"
    bot.put(policy, {"allow": True})


def unassign_identity(bot: ExaminedBot) -> None:
    """The app has no identity."""
    del bot.site.body["identity"]


def delete_identity(bot: ExaminedBot) -> None:
    """The identity's resource was deleted; the app still lists it."""
    bot.remove(bot.found("Microsoft.ManagedIdentity/userAssignedIdentities"))


def remove_channel(name: str) -> Harm:
    """The Azure Bot has no such channel."""
    return lambda bot: bot.remove(bot.found("Microsoft.BotService/botServices/channels", name))


def close_web_chat(bot: ExaminedBot) -> None:
    """Web Chat is off."""
    kind = "Microsoft.BotService/botServices/channels"
    for each in bot.found(kind, "WebChatChannel").hidden["settings"]["sites"]:
        each["isEnabled"] = False


def misspell(bot: ExaminedBot) -> None:
    """A setting's name has another case, which Linux does not read."""
    bot.set_settings(MICROSOFTAPPID=bot.app_id, MicrosoftAppId=None)


def make_multi_tenant(bot: ExaminedBot) -> None:
    """The bot is multi-tenant, and the app registration is not."""
    bot.bot.properties["msaAppType"] = "MultiTenant"
    bot.set_settings(MicrosoftAppType="MultiTenant")


def replace_identity(bot: ExaminedBot) -> None:
    """The app has another identity than the one that is the bot."""
    (only,) = bot.site.body["identity"]["userAssignedIdentities"].values()
    only["clientId"] = OTHER_GUID
    bot.set_settings(
        AZURE_CLIENT_ID=OTHER_GUID,
        AzureWebJobsStorage__clientId=OTHER_GUID,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING=f"Authorization=AAD;ClientId={OTHER_GUID}",
    )


def app_answers(path: str, status: int, body: str | None = None) -> Harm:
    """The app answers like this at a path."""
    server = "*.azurewebsites.net"
    return lambda bot: bot.azure.servers[server].faults.set(path=path, status=status, body=body)


def app_warns(bot: ExaminedBot) -> None:
    """The app answers that its certificate ends."""
    facts = {"appId": bot.app_id, "warnings": ["the certificate expires soon"]}
    app_answers("/api/identity", 200, json.dumps(facts))(bot)


def cut_off(bot: ExaminedBot) -> None:
    """The app closes every connection."""
    bot.azure.servers["*.azurewebsites.net"].faults.set(cut=True)


def stop(bot: ExaminedBot) -> None:
    """The app is stopped."""
    bot.site.properties["state"] = "Stopped"
    bot.call(bot.azure.resource_manager.on_site_change, bot.site)


def forget_functions(bot: ExaminedBot) -> None:
    """Another program answers."""
    bot.site.body["kind"] = "app,linux"
    bot.call(bot.azure.resource_manager.on_site_change, bot.site)


def unassign_caller(bot: ExaminedBot) -> None:
    """The account that runs the doctor is Reader of the resource group, and nothing else."""
    manager, caller = bot.azure.resource_manager, bot.azure.pipeline.object_id
    manager.owners.discard(caller)
    group = manager.resources.find(bot.azure.group.id)
    assert group is not None
    bot.call(assign_role, bot.azure.group, group, READER_OF_RESOURCES, caller)


def run_other_code(bot: ExaminedBot) -> None:
    """The app is a web app of another framework."""
    bot.site.body["kind"] = "app,linux"
    bot.set_settings(**dict.fromkeys(bot.settings()))


def replace_bot(bot: ExaminedBot) -> None:
    """Its app is the old one, and another Azure Bot replaces it."""
    run_other_code(bot)
    bot.bot.body["tags"] = {"replacedBy": "contoso-bot-2"}
