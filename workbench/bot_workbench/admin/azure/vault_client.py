"""VaultClient: certificates in key vaults. Microsoft reference: "Key Vault REST API", 7.4."""

import re
from urllib.parse import urlsplit

from bot_workbench.admin.azure.errors import Refused
from bot_workbench.admin.azure.http.rest_client import RestClient
from bot_workbench.admin.azure.json_object import JsonObject

API_VERSION = "7.4"


class VaultClient(RestClient):
    """All key vaults of the cloud; every URL names its vault, below the base URL's domain."""

    def url(self, path: str) -> str:
        """The absolute URL of a path in a vault, with the api-version.

        Raises:
            Refused: it is in no vault of the cloud: whoever writes an app's settings could choose
                another host, which must not get the token.
        """
        url = super().url(path)
        domain = urlsplit(self._base_url).hostname or ""
        # Not what a parser sees in the URL: another one, the transport's, may see another host.
        # ASCII: else letters that are not would count as the domain's, if only their case differs.
        is_vaults = rf"https://[0-9a-z-]+\.{re.escape(domain)}(:443)?/"
        if not re.match(is_vaults, url, re.ASCII | re.IGNORECASE):
            raise Refused(
                "the setting CertificateVaultUrl is not the URL of a key vault in this cloud: set"
                f" it to https://NAME.{domain}"
            )
        joint = "&" if urlsplit(url).query else "?"
        return url if "api-version=" in url else f"{url}{joint}api-version={API_VERSION}"

    def certificate(self, vault_url: str, name: str, version: str = "") -> JsonObject | None:
        """A certificate's public part, attributes and policy; None if the vault has none.

        Args:
            vault_url: URL of the vault.
            name: the certificate's name.
            version: its version; empty: the newest.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        ending = f"/{version}" if version else ""
        return self.find(f"{vault_url.rstrip('/')}/certificates/{name}{ending}")

    def certificates(self, vault_url: str) -> list[JsonObject]:
        """The vault's certificates, each by its newest version: ids, dates, `x5t`.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return list(self.pages(f"{vault_url.rstrip('/')}/certificates"))

    def is_deleted(self, vault_url: str, name: str) -> bool:
        """Whether a certificate of this name was deleted, and can be recovered.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return bool(self.find(f"{vault_url.rstrip('/')}/deletedcertificates/{name}"))

    def versions(self, vault_url: str, name: str) -> list[JsonObject]:
        """The versions of a certificate, without their public keys: ids, dates, `x5t`.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return list(self.pages(f"{vault_url.rstrip('/')}/certificates/{name}/versions"))
