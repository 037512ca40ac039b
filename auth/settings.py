"""Settings: the app settings, read and checked once.

All problems are reported together, each with the setting's name and how to fix it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from auth.clouds import CLOUDS, AzureCloud
from auth.credential_kinds import (
    APP_TYPES,
    CERTIFICATE,
    KINDS,
    MANAGED_IDENTITY,
    MULTI_TENANT,
    USER_ASSIGNED_MSI,
    CredentialKind,
)
from auth.environment import Environment
from auth.errors import SettingsError
from auth.inbound.caller import BotCallers, ServiceUrls

INLINE, QUEUED = "Inline", "Queued"
"""The values of BotTurns."""

TURNS, CALLERS, STORAGE = "BotTurns", "AllowedCallers", "AzureWebJobsStorage"
"""The names of settings that texts and conditions elsewhere name, too."""

_STORAGE_ACCOUNT, _STORAGE_CLIENT_ID = f"{STORAGE}__accountName", f"{STORAGE}__clientId"
_BLOB_URL, _QUEUE_URL = f"{STORAGE}__blobServiceUri", f"{STORAGE}__queueServiceUri"
_STORAGE_CREDENTIAL = f"{STORAGE}__credential"
_STORAGE_NAMES = (STORAGE, _STORAGE_ACCOUNT, _BLOB_URL, _QUEUE_URL)

_ACCOUNT_NAME = re.compile(r"[0-9a-z]{3,24}")
_CERTIFICATE_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")


@dataclass(frozen=True)
class CertificateSource:
    """Where the bot's certificate comes from: a key vault or a file.

    Attributes:
        vault_url: https URL of the key vault; empty for a file.
        name: the certificate's name in the vault.
        path: path of a PEM or PFX file without a password; empty for a vault.
        thumbprints: SHA-1 thumbprints of the allowed certificates in upper-case hex; empty allows
            any certificate.
        send_x5c: whether to send the certificate in the assertion, for subject name and issuer
            authentication.
    """

    vault_url: str
    name: str
    path: str
    thumbprints: frozenset[str]
    send_x5c: bool


@dataclass(frozen=True)
class StorageSource:
    """The storage account of the Functions host, which the bot uses too.

    Attributes:
        connection_string: a connection string with an account key, as Azurite needs; empty if a
            managed identity signs in.
        blob_url: https URL of the account's blob service; empty with a connection string.
        queue_url: https URL of the account's queue service; empty with a connection string.
        client_id: client id (GUID) of the user-assigned identity; empty for the system-assigned
            one.
    """

    connection_string: str = field(default="", repr=False)
    blob_url: str = ""
    queue_url: str = ""
    client_id: str = ""


@dataclass(frozen=True)
class Settings:
    """The bot's settings, checked.

    Attributes:
        app_type: UserAssignedMSI, SingleTenant or MultiTenant.
        app_id: the bot's app id, a lower-case GUID.
        tenant_id: GUID of the bot's home tenant; may be empty for MultiTenant.
        credential: the name of one of the KINDS.
        certificate: where the certificate comes from; None if the credential has none.
        identity_client_id: client id (GUID) of the user-assigned identity that reads the vault or
            that Entra trusts; empty for the system-assigned one.
        federation_audience: the resource (URI) that a federated identity's token is for.
        authority: URL of the tenant that issues the tokens for the channel and for other bots.
        home_authority: URL of the home tenant, which issues the tokens for other services; empty
            without `tenant_id`.
        channel_audience: the resource (URL) that outbound tokens are for, without `/.default`.
        channel_issuer: the `iss` claim of the channel's tokens.
        channel_metadata_url: URL of the OpenID metadata for the channel's signing keys.
        token_service_url: URL of the Bot Framework token service.
        caller_id: the `callerId` of activities from the channel.
        service_urls: the URLs that the bot may send replies to.
        allowed_tenants: GUIDs of the tenants whose users may use the bot; empty allows every
            tenant.
        bot_callers: the other bots that may call this one.
        bot_metadata_url: URL of the OpenID metadata for the signing keys of other bots' tokens.
        queued: whether turns run from a queue, so that the channel does not wait for them.
        storage: the storage account for state and queues; None if state is kept in memory.
        unauthenticated: whether callers are not checked and calls carry no token; development only.
        development: whether the bot runs on a developer's machine, where the log may show what
            users sent.
        warnings: warnings to log once.
    """

    app_type: str
    app_id: str
    tenant_id: str
    credential: str
    certificate: CertificateSource | None
    identity_client_id: str
    federation_audience: str
    authority: str
    home_authority: str
    channel_audience: str
    channel_issuer: str
    channel_metadata_url: str
    token_service_url: str
    caller_id: str
    service_urls: ServiceUrls
    allowed_tenants: frozenset[str]
    bot_callers: BotCallers
    bot_metadata_url: str
    queued: bool
    storage: StorageSource | None
    unauthenticated: bool
    development: bool
    warnings: tuple[str, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check the settings of `environ`.

        Raises:
            SettingsError: lists every problem.
        """
        environment = Environment(environ)
        settings = _read(environment)
        if environment.problems:
            raise SettingsError(environment.problems)
        return settings


def names_storage(environ: Mapping[str, str]) -> bool:
    """Whether the settings name a storage account, correctly or not."""
    return Environment(environ).any_set(_STORAGE_NAMES)


def names_queued_turns(environ: Mapping[str, str]) -> bool:
    """Whether the settings ask for queued turns; with a storage account or without one."""
    return Environment(environ).text(TURNS).lower() == QUEUED.lower()


def names_callers(environ: Mapping[str, str]) -> bool:
    """Whether the settings name other bots that may call this one, correctly or not."""
    return bool(Environment(environ).text(CALLERS))


def _read(environment: Environment) -> Settings:
    app_type = environment.choice("MicrosoftAppType", APP_TYPES)
    cloud = _cloud(environment)
    app_id = environment.guid("MicrosoftAppId", needed="it is the bot's id, from the Azure Bot")
    tenant_id = _tenant_id(environment, app_type)
    kind = _credential(environment, app_type)
    host = environment.url("AZURE_AUTHORITY_HOST", cloud.authority_host).rstrip("/")
    authority = _authority(environment, cloud, host, app_type, tenant_id)
    return Settings(
        app_type=app_type,
        app_id=app_id,
        tenant_id=tenant_id,
        credential=kind.name if kind else "",
        certificate=_certificate(environment, kind) if kind and kind.has_certificate else None,
        identity_client_id=_identity_client_id(environment, kind),
        federation_audience=cloud.federation_audience,
        authority=authority,
        home_authority=f"{host}/{tenant_id}" if tenant_id else "",
        channel_audience=_channel_audience(environment, cloud),
        channel_issuer=environment.url("ToBotFromChannelTokenIssuer", cloud.channel_issuer),
        channel_metadata_url=environment.url(
            "ToBotFromChannelOpenIdMetadataUrl", cloud.channel_metadata_url
        ),
        token_service_url=environment.url("OAuthUrl", cloud.token_service_url).rstrip("/"),
        caller_id=cloud.caller_id,
        service_urls=ServiceUrls(
            (*cloud.service_hosts, *environment.hosts("AllowedServiceHosts")),
            loopback=environment.development,
        ),
        allowed_tenants=frozenset(environment.guids("AllowedTenants")),
        bot_callers=_bot_callers(environment, cloud, host, app_type, app_id, tenant_id),
        bot_metadata_url=f"{authority}/v2.0/.well-known/openid-configuration",
        queued=_queued(environment),
        storage=_storage(environment),
        unauthenticated=_unauthenticated(environment),
        development=environment.development,
        warnings=tuple(_warnings(environment)),
    )


def _cloud(environment: Environment) -> AzureCloud:
    text = environment.text("ChannelService").rstrip("/")
    if text not in CLOUDS:
        known = ", ".join(name for name in CLOUDS if name)
        environment.add_problem(
            "ChannelService", f"{text!r} is not known; leave it empty, or set one of {known}"
        )
    return CLOUDS.get(text, CLOUDS[""])


def _tenant_id(environment: Environment, app_type: str) -> str:
    needed = "" if app_type in {MULTI_TENANT, ""} else "it is the bot's home tenant"
    return environment.guid("MicrosoftAppTenantId", needed)


def _credential(environment: Environment, app_type: str) -> CredentialKind | None:
    """The kind of the bot's credential; None if there is a problem with it or with the type."""
    if not app_type and not environment.text("BotCredential"):
        return None  # whether a credential is needed depends on the type, which is another problem
    implied = MANAGED_IDENTITY if app_type == USER_ASSIGNED_MSI else ""
    fitting = tuple(each.name for each in KINDS.values() if app_type not in each.refused)
    kind = KINDS.get(environment.choice("BotCredential", tuple(KINDS), implied, fitting))
    if kind and app_type in kind.refused:
        environment.add_problem("BotCredential", kind.refused[app_type])
        return None
    return kind


def _certificate(environment: Environment, kind: CredentialKind) -> CertificateSource:
    name, path = environment.text("CertificateName"), environment.text("CertificatePath")
    in_vault = environment.text("CertificateVaultUrl") or name
    if path and not kind.loads_key:
        environment.add_problem(
            "CertificatePath",
            f"{kind.name} needs a vault, which signs: set CertificateVaultUrl and CertificateName"
            f" in its place, or set BotCredential to {CERTIFICATE}",
        )
    elif bool(path) == bool(in_vault):
        environment.add_problem(
            "CertificateVaultUrl",
            "the certificate must come from one place: set CertificateVaultUrl and"
            " CertificateName" + (", or CertificatePath alone" if kind.loads_key else ""),
        )
    elif in_vault and not environment.text("CertificateVaultUrl"):
        environment.add_problem("CertificateVaultUrl", "it is missing; CertificateName needs it")
    elif in_vault and not _CERTIFICATE_NAME.fullmatch(name):
        environment.add_problem(
            "CertificateName", "set the certificate's name: letters, digits and hyphens"
        )
    return CertificateSource(
        vault_url=_vault_url(environment),
        name=name,
        path=path,
        thumbprints=frozenset(environment.thumbprints("CertificateThumbprint")),
        send_x5c=environment.flag("CertificateSendX5c"),
    )


def _vault_url(environment: Environment) -> str:
    url = environment.optional_url("CertificateVaultUrl")
    if urlsplit(url).path:
        return environment.add_problem(
            "CertificateVaultUrl", f"{url!r} has a path; set https://NAME.vault.azure.net"
        )
    return url


def _identity_client_id(environment: Environment, kind: CredentialKind | None) -> str:
    if kind is None or kind.identity is None:
        return ""
    return environment.guid("AZURE_CLIENT_ID", needed=kind.identity)


def _authority(
    environment: Environment, cloud: AzureCloud, host: str, app_type: str, tenant_id: str
) -> str:
    tenant = cloud.multi_tenant_authority if app_type == MULTI_TENANT else tenant_id
    return environment.optional_url("ToChannelFromBotLoginUrl") or f"{host}/{tenant}"


def _bot_callers(
    environment: Environment,
    cloud: AzureCloud,
    host: str,
    app_type: str,
    app_id: str,
    tenant_id: str,
) -> BotCallers:
    app_ids = frozenset(environment.guids(CALLERS))
    if app_id in app_ids:
        environment.add_problem(CALLERS, "it lists this bot itself; list other bots only")
    tenant = cloud.multi_tenant_id if app_type == MULTI_TENANT else tenant_id
    issuers = {f"{cloud.v1_issuer_host}/{tenant}/": "1.0", f"{host}/{tenant}/v2.0": "2.0"}
    return BotCallers(app_ids, MappingProxyType(issuers))


def _channel_audience(environment: Environment, cloud: AzureCloud) -> str:
    scope = environment.url("ToChannelFromBotOAuthScope", cloud.channel_audience)
    return scope.removesuffix("/.default")


def _queued(environment: Environment) -> bool:
    queued = environment.choice(TURNS, (INLINE, QUEUED), default=INLINE) == QUEUED
    if queued and not environment.any_set(_STORAGE_NAMES):
        environment.add_problem(TURNS, f"Queued needs a storage account: set {_STORAGE_ACCOUNT}")
    return queued


def _storage(environment: Environment) -> StorageSource | None:
    text = environment.text(STORAGE)
    if text:
        pairs = [pair.partition("=") for pair in text.rstrip(";").split(";")]
        if not all(name and value for name, _, value in pairs):
            environment.add_problem(
                STORAGE, "it is not a connection string; copy it from the portal"
            )
        return StorageSource(connection_string=text)
    if not environment.any_set(_STORAGE_NAMES):
        return None
    if environment.text(_STORAGE_CREDENTIAL):
        environment.choice(_STORAGE_CREDENTIAL, ("managedidentity",))
    return StorageSource(
        blob_url=_storage_url(environment, _BLOB_URL, "blob"),
        queue_url=_storage_url(environment, _QUEUE_URL, "queue"),
        client_id=environment.guid(_STORAGE_CLIENT_ID) or environment.guid("AZURE_CLIENT_ID"),
    )


def _storage_url(environment: Environment, name: str, service: str) -> str:
    account = environment.text(_STORAGE_ACCOUNT)
    if environment.text(name):
        return environment.optional_url(name)
    if not account:
        return environment.add_problem(
            name, f"it is missing; set both URLs of the account, or {_STORAGE_ACCOUNT} alone"
        )
    if not _ACCOUNT_NAME.fullmatch(account):
        return environment.add_problem(
            _STORAGE_ACCOUNT, f"{account!r} is not a storage account's name"
        )
    return f"https://{account}.{service}.core.windows.net"


def _unauthenticated(environment: Environment) -> bool:
    name, hosting_variable = "DANGEROUSLY_ALLOW_UNAUTHENTICATED", environment.hosting_variable
    wanted = environment.flag(name)
    if wanted and not environment.development:
        condition = f" and without {hosting_variable}" if hosting_variable else ""
        environment.add_problem(
            name,
            "it works only on a developer's machine, with"
            f" AZURE_FUNCTIONS_ENVIRONMENT=Development{condition}; remove this setting",
        )
    return wanted


def _warnings(environment: Environment) -> Iterator[str]:
    if environment.text("MicrosoftAppPassword"):
        yield "MicrosoftAppPassword is set but never read: this bot has no secret. Delete it."
    if "accountkey=" in environment.text(STORAGE).lower() and not environment.development:
        yield (
            f"{STORAGE} holds an account key, which is a secret: set {_STORAGE_ACCOUNT} and"
            f" {_STORAGE_CREDENTIAL}=managedidentity in its place, and delete it."
        )
