"""Settings: everything the environment says, read and checked once.

The names are the user's own, documented in README.md. Every problem is reported at once, each with
the setting's name and the cure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from auth.clouds import CLOUDS, AzureCloud
from auth.errors import SettingsError
from auth.inbound.service_url import ServiceUrls, is_secure_url

USER_ASSIGNED_MSI = "UserAssignedMSI"
SINGLE_TENANT = "SingleTenant"
MULTI_TENANT = "MultiTenant"
APP_TYPES = (USER_ASSIGNED_MSI, SINGLE_TENANT, MULTI_TENANT)

MANAGED_IDENTITY = "ManagedIdentity"
CERTIFICATE = "Certificate"
FEDERATED = "Federated"
CREDENTIALS = (MANAGED_IDENTITY, CERTIFICATE, FEDERATED)

EXPORT = "Export"
SIGN_IN_VAULT = "SignInVault"
KEY_USES = (EXPORT, SIGN_IN_VAULT)

INLINE = "Inline"
QUEUED = "Queued"

STORAGE = "AzureWebJobsStorage"
_STORAGE_ACCOUNT, _STORAGE_CLIENT_ID = f"{STORAGE}__accountName", f"{STORAGE}__clientId"
_BLOB_URL, _QUEUE_URL = f"{STORAGE}__blobServiceUri", f"{STORAGE}__queueServiceUri"
_STORAGE_CREDENTIAL = f"{STORAGE}__credential"

_REFUSED_PAIRS = {
    (SINGLE_TENANT, MANAGED_IDENTITY): (
        "a managed identity alone cannot sign in as an app registration; set Federated or"
        " Certificate, or set MicrosoftAppType to UserAssignedMSI"
    ),
    (MULTI_TENANT, MANAGED_IDENTITY): (
        "a multi-tenant bot has an app registration, not a managed identity; set Certificate"
    ),
    (MULTI_TENANT, FEDERATED): (
        "the channels' tenant, where a multi-tenant bot signs in, trusts no managed identity; set"
        " Certificate"
    ),
    (USER_ASSIGNED_MSI, FEDERATED): (
        "a user-assigned managed identity signs in itself; leave BotCredential out,"
        " or set MicrosoftAppType to SingleTenant"
    ),
    (USER_ASSIGNED_MSI, CERTIFICATE): (
        "a managed identity has no certificate; leave BotCredential out,"
        " or set MicrosoftAppType to SingleTenant"
    ),
}

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_SHA1_HEX = re.compile(r"[0-9A-F]{40}")
_SHA256_HEX = re.compile(r"[0-9A-F]{64}")
_ACCOUNT_NAME = re.compile(r"[0-9a-z]{3,24}")
_CERTIFICATE_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")

# Hosting platforms set these themselves: where any of them is set, the process does not run on a
# developer's machine, whatever else is set. (Not WEBSITE_HOSTNAME: Core Tools set it, too.)
_HOSTING_VARIABLES = (
    # Functions and App Service
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_SITE_NAME",
    "WEBSITE_POD_NAME",
    # Container Apps, and their jobs
    "CONTAINER_APP_NAME",
    "CONTAINER_APP_REVISION",
    "CONTAINER_APP_HOSTNAME",
    "CONTAINER_APP_JOB_NAME",
    # Kubernetes: set in every pod, even with enableServiceLinks: false
    "KUBERNETES_SERVICE_HOST",
    # Service Fabric
    "Fabric_ApplicationName",
)


@dataclass(frozen=True)
class CertificateSource:
    """Where the bot's certificate comes from: a vault, or a file.

    Attributes:
        vault_url: https URL of the Key Vault; empty for a file.
        name: the certificate's name in the vault.
        path: of a PEM or PFX file without password; empty for a vault.
        key_use: Export, or SignInVault: the private key stays in the vault, which signs.
        thumbprints: pins, SHA-1 in upper-case hex; empty allows any certificate.
        send_x5c: put the certificate itself into the assertion (subject name and issuer trust).
    """

    vault_url: str
    name: str
    path: str
    key_use: str
    thumbprints: frozenset[str]
    send_x5c: bool


@dataclass(frozen=True)
class StorageSource:
    """The storage account that the Functions host uses, and so the bot.

    Attributes:
        connection_string: with an account key, as Azurite needs it; empty: an identity is used.
        blob_url: https URL of the account's blobs; empty with a connection string.
        queue_url: the same of its queues.
        client_id: GUID of the user-assigned identity; empty for the system-assigned one.
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
        app_id: GUID, lower case.
        tenant_id: GUID of the home tenant; may be empty for MultiTenant.
        credential: ManagedIdentity, Certificate or Federated.
        certificate: set when the credential is Certificate.
        identity_client_id: GUID of the user-assigned identity that reaches the vault, or is
            federated; empty for the system-assigned one.
        federation_audience: the resource (URI) of a federated identity's token.
        authority: URL of the tenant that issues outbound tokens.
        channel_audience: the resource (URL) of outbound tokens, without `/.default`.
        channel_issuer: the `iss` claim of the channel's tokens.
        channel_metadata_url: OpenID metadata of the channel's signing keys.
        token_service_url: the Bot Framework token service.
        caller_id: `callerId` of activities from the channel.
        service_urls: where replies may go.
        allowed_tenants: GUIDs; empty allows every tenant.
        queued: turns run behind a queue, and the channel does not wait for them.
        storage: where state and queues are; None: state is kept in memory.
        unauthenticated: no caller check and no outbound token; development only.
        development: it is a developer's machine, where the log may show what users sent.
        warnings: for the log, once.
    """

    app_type: str
    app_id: str
    tenant_id: str
    credential: str
    certificate: CertificateSource | None
    identity_client_id: str
    federation_audience: str
    authority: str
    channel_audience: str
    channel_issuer: str
    channel_metadata_url: str
    token_service_url: str
    caller_id: str
    service_urls: ServiceUrls
    allowed_tenants: frozenset[str]
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
        return _Reader(environ).settings()


class _Reader:
    """Reads one environment and gathers its problems."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []
        self._hosting_variable = next(
            (each for each in _HOSTING_VARIABLES if environ.get(each)), ""
        )
        self._development = (
            environ.get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development"
            and not self._hosting_variable
        )

    def settings(self) -> Settings:
        app_type = self._app_type()
        cloud = self._cloud()
        tenant_id = self._tenant_id(app_type)
        credential = self._credential(app_type)
        settings = Settings(
            app_type=app_type,
            app_id=self._guid("MicrosoftAppId", needed="it is the bot's id, from the Azure Bot"),
            tenant_id=tenant_id,
            credential=credential,
            certificate=self._certificate() if credential == CERTIFICATE else None,
            identity_client_id=self._identity_client_id(credential),
            federation_audience=cloud.federation_audience,
            authority=self._authority(cloud, app_type, tenant_id),
            channel_audience=self._audience(cloud),
            channel_issuer=self._url("ToBotFromChannelTokenIssuer", cloud.channel_issuer),
            channel_metadata_url=self._url(
                "ToBotFromChannelOpenIdMetadataUrl", cloud.channel_metadata_url
            ),
            token_service_url=self._url("OAuthUrl", cloud.token_service_url).rstrip("/"),
            caller_id=cloud.caller_id,
            service_urls=ServiceUrls(
                (*cloud.service_hosts, *self._list("AllowedServiceHosts", self._host)),
                loopback=self._development,
            ),
            allowed_tenants=frozenset(self._list("AllowedTenants", self._tenant)),
            queued=self._choice("BotTurns", (INLINE, QUEUED), default=INLINE) == QUEUED,
            storage=self._storage(),
            unauthenticated=self._unauthenticated(),
            development=self._development,
            warnings=self._warnings(),
        )
        if settings.queued and not names_storage(self._environ):
            self._problem("BotTurns", f"Queued needs a storage account: set {_STORAGE_ACCOUNT}")
        if self._problems:
            raise SettingsError(self._problems)
        return settings

    def _text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def _problem(self, name: str, text: str) -> str:
        problem = f"{name}: {text}"
        if problem not in self._problems:  # two parts may need the same setting
            self._problems.append(problem)
        return ""

    def _choice(self, name: str, choices: tuple[str, ...], default: str = "") -> str:
        text = self._text(name) or default
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        said = f"{text!r} is not known" if text else "it is missing"
        return self._problem(name, f"{said}; set one of {', '.join(choices)}")

    def _flag(self, name: str) -> bool:
        return self._choice(name, ("true", "false"), default="false") == "true"

    def _guid(self, name: str, needed: str = "") -> str:
        text = self._text(name).lower()
        if not text:
            return self._problem(name, f"it is missing; {needed}") if needed else ""
        if not _GUID.fullmatch(text):
            return self._problem(
                name, f"{text!r} is not a GUID such as 00000000-0000-0000-0000-000000000000"
            )
        return text

    def _url(self, name: str, default: str) -> str:
        url = self._text(name) or default
        if not is_secure_url(url, loopback=self._development):
            return self._problem(name, f"{url!r} is not an https URL")
        return url

    def _list(self, name: str, check: Callable[[str, str], str]) -> list[str]:
        if not self._text(name):
            return []
        texts = [text.strip() for text in self._text(name).split(",")]
        if not any(texts):
            # An empty list would allow everything.
            self._problem(name, "it lists nothing; fill it in, or remove it")
        return [item for text in texts if text and (item := check(name, text))]

    def _host(self, name: str, text: str) -> str:
        if not _HOST.fullmatch(text.lower()):
            return self._problem(
                name, f"{text!r} is not a host name; write contoso.com, its subdomains are included"
            )
        return text.lower()

    def _tenant(self, name: str, text: str) -> str:
        if not _GUID.fullmatch(text.lower()):
            return self._problem(name, f"{text!r} is not a GUID")
        return text.lower()

    def _thumbprint(self, name: str, text: str) -> str:
        # Windows' dialog puts a mark that nobody sees in front of what one copies.
        plain = re.sub(r"[\s:\u200e]", "", text).upper()
        if _SHA256_HEX.fullmatch(plain):
            return self._problem(
                name, f"{text!r} is a SHA-256 thumbprint; set the SHA-1 one that the portal shows"
            )
        if not _SHA1_HEX.fullmatch(plain):
            return self._problem(name, f"{text!r} is not a SHA-1 thumbprint of 40 hex digits")
        return plain

    def _app_type(self) -> str:
        return self._choice("MicrosoftAppType", APP_TYPES)

    def _cloud(self) -> AzureCloud:
        text = self._text("ChannelService").rstrip("/")
        if text not in CLOUDS:
            known = ", ".join(name for name in CLOUDS if name)
            self._problem(
                "ChannelService", f"{text!r} is not known; leave it empty, or set one of {known}"
            )
        return CLOUDS.get(text, CLOUDS[""])

    def _tenant_id(self, app_type: str) -> str:
        needed = "" if app_type in {MULTI_TENANT, ""} else "it is the bot's home tenant"
        return self._guid("MicrosoftAppTenantId", needed)

    def _credential(self, app_type: str) -> str:
        if not app_type and not self._text("BotCredential"):
            return ""  # whether it is needed depends on the type
        implied = MANAGED_IDENTITY if app_type == USER_ASSIGNED_MSI else ""
        credential = self._choice("BotCredential", CREDENTIALS, default=implied)
        reason = _REFUSED_PAIRS.get((app_type, credential))
        return self._problem("BotCredential", reason) if reason else credential

    def _certificate(self) -> CertificateSource:
        vault_url, name = self._vault_url(), self._text("CertificateName")
        path = self._text("CertificatePath")
        in_vault = self._text("CertificateVaultUrl") or name
        if bool(path) == bool(in_vault):
            self._problem(
                "CertificateVaultUrl",
                "a certificate is needed from one place: set CertificateVaultUrl and"
                " CertificateName, or CertificatePath alone",
            )
        elif in_vault and not self._text("CertificateVaultUrl"):
            self._problem("CertificateVaultUrl", "it is missing; CertificateName needs it")
        elif in_vault and not _CERTIFICATE_NAME.fullmatch(name):
            self._problem(
                "CertificateName", "set the certificate's name: letters, digits and hyphens"
            )
        key_use = self._choice("CertificateKeyUse", KEY_USES, default=EXPORT)
        if path and key_use == SIGN_IN_VAULT:
            self._problem("CertificateKeyUse", "a file has no vault to sign in; remove one of both")
        return CertificateSource(
            vault_url=vault_url,
            name=name,
            path=path,
            key_use=key_use,
            thumbprints=frozenset(self._list("CertificateThumbprint", self._thumbprint)),
            send_x5c=self._flag("CertificateSendX5c"),
        )

    def _vault_url(self) -> str:
        url = self._url_or_empty("CertificateVaultUrl")
        if urlsplit(url).path:
            return self._problem(
                "CertificateVaultUrl", f"{url!r} has a path; set https://NAME.vault.azure.net"
            )
        return url

    def _identity_client_id(self, credential: str) -> str:
        if credential == FEDERATED:
            return self._guid(
                "AZURE_CLIENT_ID", needed="it is the user-assigned identity that Entra is to trust"
            )
        return self._guid("AZURE_CLIENT_ID") if credential == CERTIFICATE else ""

    def _url_or_empty(self, name: str) -> str:
        return self._url(name, "").rstrip("/") if self._text(name) else ""

    def _authority(self, cloud: AzureCloud, app_type: str, tenant_id: str) -> str:
        host = self._url("AZURE_AUTHORITY_HOST", cloud.authority_host).rstrip("/")
        tenant = cloud.multi_tenant_authority if app_type == MULTI_TENANT else tenant_id
        return self._url_or_empty("ToChannelFromBotLoginUrl") or f"{host}/{tenant}"

    def _audience(self, cloud: AzureCloud) -> str:
        scope = self._url("ToChannelFromBotOAuthScope", cloud.channel_audience)
        return scope.removesuffix("/.default")

    def _storage(self) -> StorageSource | None:
        text = self._text(STORAGE)
        if text:
            pairs = [pair.partition("=") for pair in text.rstrip(";").split(";")]
            if not all(name and value for name, _, value in pairs):
                self._problem(STORAGE, "it is not a connection string; copy it from the portal")
            return StorageSource(connection_string=text)
        if not names_storage(self._environ):
            return None
        if self._text(_STORAGE_CREDENTIAL):
            self._choice(_STORAGE_CREDENTIAL, ("managedidentity",))
        return StorageSource(
            blob_url=self._storage_url(_BLOB_URL, "blob"),
            queue_url=self._storage_url(_QUEUE_URL, "queue"),
            client_id=self._guid(_STORAGE_CLIENT_ID) or self._guid("AZURE_CLIENT_ID"),
        )

    def _storage_url(self, name: str, service: str) -> str:
        account = self._text(_STORAGE_ACCOUNT)
        if self._text(name):
            return self._url_or_empty(name)
        if not account:
            return self._problem(
                name, f"it is missing; set both URLs of the account, or {_STORAGE_ACCOUNT} alone"
            )
        if not _ACCOUNT_NAME.fullmatch(account):
            return self._problem(_STORAGE_ACCOUNT, f"{account!r} is no name of a storage account")
        return f"https://{account}.{service}.core.windows.net"

    def _unauthenticated(self) -> bool:
        name = "DANGEROUSLY_ALLOW_UNAUTHENTICATED"
        wanted = self._flag(name)
        if wanted and not self._development:
            condition = f" and without {self._hosting_variable}" if self._hosting_variable else ""
            self._problem(
                name,
                "it works only on a developer's machine, with"
                f" AZURE_FUNCTIONS_ENVIRONMENT=Development{condition}; remove this setting",
            )
        return wanted

    def _warnings(self) -> tuple[str, ...]:
        warnings = []
        if self._environ.get("MicrosoftAppPassword"):
            warnings.append(
                "MicrosoftAppPassword is set but never read: this bot has no secret. Delete it."
            )
        if "accountkey=" in self._text(STORAGE).lower() and not self._development:
            warnings.append(
                f"{STORAGE} holds an account key, which is a secret: set {_STORAGE_ACCOUNT} and"
                f" {_STORAGE_CREDENTIAL}=managedidentity in its place, and delete it."
            )
        return tuple(warnings)


def names_storage(environ: Mapping[str, str]) -> bool:
    """Whether the settings name a storage account, rightly or not."""
    names = (STORAGE, _STORAGE_ACCOUNT, _BLOB_URL, _QUEUE_URL)
    return any(environ.get(name, "").strip() for name in names)
