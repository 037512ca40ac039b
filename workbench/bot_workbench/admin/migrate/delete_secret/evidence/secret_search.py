"""SecretSearch: which settings of an app hold a secret of an app registration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot_workbench.admin.azure.json_object import JsonObject

PASSWORD = "MicrosoftAppPassword"  # noqa: S105  # a setting's name
AGENTS_SECRET = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET"  # noqa: S105
PASSWORDS = frozenset({PASSWORD.lower(), AGENTS_SECRET.lower()})
"""The settings that hold a bot's secret, in lower case: of Bot Framework and of the Microsoft 365
Agents SDK for Python. An app of this project uses neither."""

SECRET_SETTINGS = PASSWORDS | frozenset(
    name.lower()
    for name in (
        "BOT_PASSWORD",
        "SECRET_BOT_PASSWORD",
        "CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "AAD_APP_CLIENT_SECRET",
        "AzureAd__ClientSecret",
        "AzureAd:ClientSecret",
        "MICROSOFT_PROVIDER_AUTHENTICATION_SECRET",
        "Connections__ServiceConnection__Settings__ClientSecret",
    )
)
"""Settings that hold the secret of the id beside them, in lower case: of Bot Framework, Microsoft
365 Agents Toolkit, Azure Identity, Microsoft.Identity.Web, App Service authentication and the
Microsoft 365 Agents SDK."""

IDENTITY_AS_SECRET = "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"  # noqa: S105  # a setting's name
"""App Service authentication signs in with a managed identity if its secret's setting has this
name (Microsoft Learn: "Use a managed identity instead of a secret")."""

_SECRET_NAME = re.compile(r"secret|password", re.IGNORECASE)
_REFERENCE = re.compile(r"@Microsoft\.KeyVault\(", re.IGNORECASE)


@dataclass(frozen=True)
class SecretSearch:
    """The known places of an app registration's secrets.

    Attributes:
        app_id: the registration's app id (lower-case GUID).
        hints: the first characters of each secret; an empty one is unknown.
    """

    app_id: str
    hints: tuple[str, ...]

    def names(self, settings: Mapping[str, str], *, is_live: bool) -> set[str]:
        """The settings that hold a secret of the registration, or may do so.

        Args:
            settings: of an app, with their values.
            is_live: whether the app is the bot's. It proves that it needs no secret, so its
                PASSWORDS and what cannot be compared do not count.
        """
        named = self.app_id in {value.lower() for value in settings.values()}
        return {
            name
            for name, value in settings.items()
            if value and not (is_live and name.lower() in PASSWORDS)
            if (named and name.lower() in SECRET_SETTINGS)
            or (named and not is_live and self._may_be(name, value))
            or self._is(name, value)
        }

    def used_by_authentication(self, configuration: JsonObject) -> str:
        """The setting with which App Service authentication signs in as the registration.

        Args:
            configuration: the properties of `config/authsettingsV2`.
        """
        found = configuration
        for name in ("identityProviders", "azureActiveDirectory", "registration"):
            found = found.get(name) or {}
        setting = str(found.get("clientSecretSettingName") or "")
        is_this = str(found.get("clientId") or "").lower() == self.app_id
        return setting if is_this and setting != IDENTITY_AS_SECRET else ""

    def _is(self, name: str, value: str) -> bool:
        """Whether a value begins as a secret of the registration does."""
        hints = tuple(hint for hint in self.hints if hint)
        return bool(hints and _SECRET_NAME.search(name) and value.startswith(hints))

    def _may_be(self, name: str, value: str) -> bool:
        """Whether a value is a secret that cannot be compared with the registration's."""
        unknown = not all(self.hints) or bool(_REFERENCE.match(value))
        return unknown and bool(_SECRET_NAME.search(name))
