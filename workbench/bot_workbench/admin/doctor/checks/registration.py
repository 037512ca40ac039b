"""Checks of the app registration: its credentials with their dates, and its service principal."""

import datetime
from collections.abc import Iterator

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.doctor.cures import certificate_again, identity_option, set_settings
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import CERTIFICATE as VAULT_CERTIFICATE
from bot_workbench.admin.doctor.diagnosis import IDENTITY, Diagnosis, error, warning
from bot_workbench.admin.doctor.parts.directory import DirectoryPart
from bot_workbench.admin.doctor.parts.identities import CLIENT_ID
from bot_workbench.admin.migrate.certificate.registration.key_credentials import entry_thumbprint
from bot_workbench.admin.migrate.federated.trust import Trust
from bot_workbench.admin.migrate.status.parts.registration import EXPIRED, VALID, CredentialPeriod
from bot_workbench.admin.migrate.status.rows import SINGLE_TENANT_AUDIENCE
from bot_workbench.admin.migrate.thumbprints import of_identifier
from bot_workbench.admin.plan.setting_names import credential_kind
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.target import type_of
from bot_workbench.credential_kinds import FEDERATED, MULTI_TENANT, USER_ASSIGNED_MSI


def check_registration(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the registration exists, and signs the bot in without a secret."""
    found = bot.directory.value
    if found is None or type_of(bot.bot) == USER_ASSIGNED_MSI:
        return
    if not found.application:
        yield _missing(bot, found)
        return
    if (
        type_of(bot.bot) == MULTI_TENANT
        and found.application.get("signInAudience") == SINGLE_TENANT_AUDIENCE
    ):
        yield error(
            "registration-audience",
            "the bot is multi-tenant, and its app registration admits its own tenant only",
            az(
                "ad app update",
                {"--id": bot.app_id, "--sign-in-audience": "AzureADMultipleOrgs"},
            ),
        )
    for secret in found.application.get("passwordCredentials") or ():
        period = CredentialPeriod.of(secret)
        state = "has expired" if period.state(_now()) == EXPIRED else f"ends {period.ends[:10]}"
        yield warning(
            "registration-secret",
            f"the app registration still has a client secret ({secret['keyId']}), which {state}",
            bot.target.options.command_line("delete-secret", app=""),
        )
    yield from _certificates(bot, found)
    yield from _federated(bot, found)


def _missing(bot: DeployedBot, found: DirectoryPart) -> Diagnosis:
    if not found.deleted:
        return error(
            "registration-missing",
            f"the directory has no app registration {bot.app_id}",
            _lost_registration(bot),
            stops=True,
        )
    graph = bot.target.azure.cloud.graph
    url = f"{graph}/v1.0/directory/deletedItems/{found.deleted['id']}/restore"
    return error(
        "registration-deleted",
        f"the app registration {bot.app_id} was deleted, and can be restored for 30 days",
        az("rest", {"--method": "post", "--url": url}),
        stops=True,
    )


def _lost_registration(bot: DeployedBot) -> str:
    """A multi-tenant bot may be registered in any tenant, another one in its own only."""
    home = str(bot.bot["properties"].get("msaAppTenantId") or "")
    is_elsewhere = home.lower() != bot.target.azure.caller.tenant_id.lower()
    if home and type_of(bot.bot) != MULTI_TENANT and is_elsewhere:
        return (
            f"Your account is signed in to another tenant than the bot's:\naz login --tenant {home}"
        )
    return (
        "If it is in another tenant than yours, sign in to that one. Else it is gone for good, and"
        " an app id cannot be used again: make a new bot, docs/migrate.md"
    )


def _certificates(bot: DeployedBot, found: DirectoryPart) -> Iterator[Diagnosis]:
    kind = credential_kind(bot.known_if_read)
    uses = kind is not None and kind.has_certificate
    entries = found.application.get("keyCredentials") or ()
    periods = {str(entry["keyId"]): CredentialPeriod.of(entry) for entry in entries}
    is_any_valid = any(period.state(_now()) == VALID for period in periods.values())
    lasts = any(
        period.state(_now()) == VALID and not period.ends_soon(_now())
        for period in periods.values()
    )
    renewal = bot.target.options.command_line("certificate rotate", app=bot.app_name)
    for entry in entries:
        period, name = periods[str(entry["keyId"])], entry_thumbprint(entry) or entry["keyId"]
        if period.state(_now()) == EXPIRED:
            text = f"the certificate {name} of the app registration ended {period.ends[:10]}"
            if uses and not is_any_valid:
                yield error("certificate-expired", text, f"{renewal} --restart", stops=True)
                continue
            deletion = az(
                "ad app credential delete",
                {"--id": bot.app_id, "--cert": None, "--key-id": str(entry["keyId"])},
            )
            yield warning("certificate-expired", f"{text}, and nothing needs it", deletion)
        elif uses and not lasts and period.ends_soon(_now()):
            yield warning(
                "certificate-ends-soon",
                f"the certificate {name} of the app registration ends {period.ends[:10]}",
                renewal,
            )
    if uses:
        yield from _unregistered(bot, {entry_thumbprint(entry) for entry in entries})


def _unregistered(bot: DeployedBot, registered: set[str]) -> Iterator[Diagnosis]:
    """The vault's newest version is not on the app registration."""
    part = bot.vault.value
    versions = part.versions if part else None
    if not part or not versions:
        return
    made = [of_identifier(str(one.get("x5t") or "")).sha1 for one in versions]
    if made[0] in registered:
        return
    text = f"the newest certificate {made[0]} of {part.vault.name} is not on the app registration"
    cure = certificate_again(bot, part.vault.name, part.certificate)
    if registered & set(made):
        yield warning("certificate-not-registered", text, cure)
    else:
        yield error(
            "certificate-not-registered", text, cure, stops=True, needs=(VAULT_CERTIFICATE,)
        )


def _federated(bot: DeployedBot, found: DirectoryPart) -> Iterator[Diagnosis]:
    identity = bot.identity
    kind = credential_kind(bot.known_if_read)
    uses = kind is not None and kind.name == FEDERATED
    if not uses or identity is None:
        return
    cloud = bot.target.azure.cloud
    tenant = str(bot.bot["properties"].get("msaAppTenantId") or "")
    trust = Trust.of(cloud, tenant, identity.principal_id)
    if any(not trust.differences(each) for each in found.federated):
        return
    options = bot.target.options
    cure = options.command_line("federated", *identity_option(bot), app=bot.app_name)
    for other in bot.assigned:
        theirs = Trust.of(cloud, tenant, other.principal_id)
        if any(not theirs.differences(each) for each in found.federated):
            yield error(
                "federated-differs",
                f"the app registration trusts the identity {other.name}, and {CLIENT_ID} of"
                f" {bot.app_name} names {identity.name}",
                set_settings(bot.target.site_id, **{CLIENT_ID: other.client_id}),
                stops=True,
                needs=(IDENTITY,),
            )
            return
    meant = [each for each in found.federated if _is_meant(each, trust)]
    for each in meant:
        texts = [
            f"{one.name} is {one.given!r}, not {one.wanted!r}" for one in trust.differences(each)
        ]
        name = str(each.get("name") or "")
        deletion = az(
            "ad app federated-credential delete",
            {"--id": bot.app_id, "--federated-credential-id": name},
        )
        yield error(
            "federated-differs",
            f"the federated credential {name} does not fit the identity {identity.name}:"
            f" {'; '.join(texts)}",
            f"{deletion}\n{cure}",
            stops=True,
            needs=(IDENTITY,),
        )
    if not meant:
        yield error(
            "federated-missing",
            f"the app registration does not trust the identity {identity.name}",
            cure,
            stops=True,
            needs=(IDENTITY,),
        )


def _is_meant(credential: JsonObject, trust: Trust) -> bool:
    """Whether a credential agrees in one of issuer and subject: it is no pipeline's."""
    issuer, subject = str(credential.get("issuer")), str(credential.get("subject"))
    return trust.subject.lower() == subject.lower() or trust.issuer.lower() == issuer.lower()


def check_principal(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the bot's service principal exists, and may sign in."""
    found = bot.directory.value
    if found is None:
        return
    managed = type_of(bot.bot) == USER_ASSIGNED_MSI
    if not found.principal:
        if managed or found.application:
            yield error(
                "principal-missing",
                f"the directory has no service principal of {bot.app_id}",
                "Its identity was deleted: a managed identity cannot be restored, make a new bot"
                " (docs/deploy.md)"
                if managed
                else az("ad sp create", {"--id": bot.app_id}),
                stops=True,
                needs=(IDENTITY,) if managed else (),
            )
        return
    if found.principal.get("accountEnabled") is False:
        yield error(
            "principal-disabled",
            f"the service principal of {bot.app_id} is disabled: Entra refuses its sign-in",
            az("ad sp update", {"--id": bot.app_id, "--set": "accountEnabled=true"}),
            stops=True,
        )
    if found.principal.get("appRoleAssignmentRequired") is True:
        yield warning(
            "assignment-required",
            f"the service principal of {bot.app_id} requires assignments: users without one cannot"
            " sign in, nor can bots that call this one",
            az("ad sp update", {"--id": bot.app_id, "--set": "appRoleAssignmentRequired=false"}),
        )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
