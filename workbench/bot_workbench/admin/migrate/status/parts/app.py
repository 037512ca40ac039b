"""AppStatus: an app that answers, did answer or will answer the bot's users."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.azure.services import IdentityAnswer
from bot_workbench.admin.migrate.status.parts.part import Part, read
from bot_workbench.admin.migrate.steps.assigned_identity import AppIdentity, identities_of
from bot_workbench.admin.plan.setting_names import same_name, setting
from bot_workbench.admin.plan.target import Target

SHOWN_SETTINGS = (
    "MicrosoftAppType",
    "MicrosoftAppId",
    "MicrosoftAppTenantId",
    "BotCredential",
    "AZURE_CLIENT_ID",
    "CertificateVaultUrl",
    "CertificateName",
)
"""Settings whose values are no secrets, and say how the bot signs in."""

BOT_SECRET = "MicrosoftAppPassword"  # noqa: S105  # a setting's name

_AGENTS_SECRET = re.compile(r"CONNECTIONS__.+__CLIENTSECRET", re.IGNORECASE)
"""The settings with the secrets of a bot of the Microsoft 365 Agents SDK, one a connection."""

_REFERENCE = re.compile(r"^@Microsoft\.KeyVault\(", re.IGNORECASE)
_SECRET_NAME = re.compile(r"password|secret|accountkey|accesskey|apikey|_key$", re.IGNORECASE)
_NO_SECRETS = re.compile(
    r"AzureWebJobsSecretStorage(Type|KeyVaultUri|KeyVaultName|KeyVaultClientId|KeyVaultTenantId)"
    r"|.*(password|secret|key)_?name",
    re.IGNORECASE,
)
"""Where the Functions host keeps its keys (Azure Functions docs, "App settings reference"), and
names of secrets, as in a key vault."""

_SECRET_VALUE = re.compile(
    r"(AccountKey|SharedAccessKey|SharedAccessSignature|Password)=", re.IGNORECASE
)


def bot_secrets(names: Iterable[str]) -> list[str]:
    """The names of the settings in which a bot with a secret has it, among those of an app."""
    return [name for name in names if same_name(name, BOT_SECRET) or _AGENTS_SECRET.fullmatch(name)]


@dataclass(frozen=True)
class SettingsStatus:
    """The settings of an app, without secret values.

    Attributes:
        shown: the values of SHOWN_SETTINGS.
        secrets: names of settings that hold a secret.
        references: names of settings that refer to a key vault's secret.
    """

    shown: dict[str, str]
    secrets: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def bot_secret(self) -> str:
        """Where the bot's secret is, for people; empty: the settings have none."""
        if held := bot_secrets(self.secrets):
            return f"the secret in {held[0]}"
        if referring := bot_secrets(self.references):
            return f"the secret in a key vault, to which {referring[0]} refers"
        return ""


@dataclass(frozen=True)
class AppStatus:
    """An app.

    Attributes:
        id: the resource.
        role: "users talk to it", "new" or "old".
        kind: such as "functionapp,linux".
        state: such as "Running".
        host: host name.
        identities: the user-assigned ones.
        system_principal_id: of its system-assigned identity (GUID); empty: it has none.
        settings: its settings.
        answer: of its `/api/identity`.
    """

    id: ResourceId
    role: str
    kind: str = ""
    state: str = ""
    host: str = ""
    identities: tuple[AppIdentity, ...] = ()
    system_principal_id: str = ""
    settings: Part[SettingsStatus] = field(default_factory=lambda: Part(None))
    answer: IdentityAnswer = field(default_factory=IdentityAnswer)

    @property
    def signs_in(self) -> bool:
        """Whether it proves that it signs in without a secret."""
        return bool(self.answer.facts)

    @property
    def identity(self) -> AppIdentity | None:
        """The identity with which it signs in or reads the vault; None if that is not clear."""
        shown = self.settings.value.shown if self.settings.value else {}
        client_id = shown.get("AZURE_CLIENT_ID", "").lower()
        named = [one for one in self.identities if one.client_id.lower() == client_id]
        if not named and len(self.identities) == 1:
            return self.identities[0]
        return named[0] if named else None


def read_app(target: Target, role: str) -> AppStatus:
    """The app of a target.

    Raises:
        AzureProblem: the app itself cannot be found or read.
    """
    site = target.site()
    properties = site.get("properties") or {}
    return AppStatus(
        id=target.site_id,
        role=role,
        kind=str(site.get("kind") or ""),
        state=str(properties.get("state") or ""),
        host=str(properties.get("defaultHostName") or ""),
        identities=tuple(identities_of(site)),
        system_principal_id=_system(site),
        settings=read(lambda: settings_status(target.settings())),
        answer=target.proof(),
    )


def _system(site: JsonObject) -> str:
    return str((site.get("identity") or {}).get("principalId") or "")


def settings_status(values: Mapping[str, str]) -> SettingsStatus:
    """The settings without secret values.

    Args:
        values: the app's settings.
    """
    references = [name for name, value in values.items() if _REFERENCE.match(value)]
    secrets = [
        name
        for name, value in values.items()
        if value and name not in references and name not in SHOWN_SETTINGS
        if not _NO_SECRETS.fullmatch(name)
        if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value)
    ]
    return SettingsStatus(
        {name: shown for name in SHOWN_SETTINGS if (shown := setting(values, name))},
        tuple(sorted(secrets)),
        tuple(sorted(references)),
    )
