"""Authority: the names that Entra has, and what it publishes about itself under each."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from bot_workbench.emulator.entra.errors import EntraError
from bot_workbench.emulator.entra.registration import issuer_of

AUTHORIZE_PATH = "/oauth2/v2.0/authorize"

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
"""Entra's base URL in Azure's public cloud."""


class Authority:
    """Entra's address, and its public one if clients reach it by that too.

    Args:
        server_url: returns the base URL that the server has on this machine.
        public_url: base URL under which clients reach the same server through a proxy; empty: none.
    """

    def __init__(self, server_url: Callable[[], str], public_url: str = "") -> None:
        self._server_url = server_url
        self._public_url = public_url

    @property
    def url(self) -> str:
        """The base URL in tokens and errors: the public one if there is one."""
        return self._public_url or self._server_url()

    @property
    def urls(self) -> tuple[str, ...]:
        """All base URLs."""
        return tuple(url for url in (self._server_url(), self._public_url) if url)

    def issuer(self, tenant_id: str) -> str:
        """The `iss` claim (URL) of a tenant's version 2.0 tokens, as federated credentials have it.

        Args:
            tenant_id: GUID.
        """
        return f"{self.url}/{tenant_id}/v2.0"

    def audiences(self, *tenants: str) -> set[str]:
        """The token endpoint's URLs and the tenants' issuers: Entra accepts each as `aud`.

        Args:
            tenants: one tenant's names in URLs.
        """
        suffixes = ("oauth2/v2.0/token", "v2.0")
        return {f"{url}/{name}/{end}" for url in self.urls for name in tenants for end in suffixes}

    def metadata(self, host: str, tenant_id: str, *, is_v2: bool) -> Mapping[str, object]:
        """OpenID Connect discovery; version 1.0 differs in its `issuer` only.

        Args:
            host: the request's Host header: the endpoints are those of the same name.
            tenant_id: GUID.
            is_v2: which version.
        """
        name = self._named(host)
        base = f"{name}/{tenant_id}"
        return {
            "issuer": self.issuer(tenant_id) if is_v2 else issuer_of(tenant_id),
            "authorization_endpoint": f"{base}{AUTHORIZE_PATH}",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "WW",
            "cloud_instance_name": urlsplit(name).netloc,
        }

    def instance(self, authorization_endpoint: str) -> Mapping[str, object]:
        """Instance discovery, for clients that ask whether a host is a known authority.

        Args:
            authorization_endpoint: URL at that host.

        Raises:
            EntraError: the host is another one.
        """
        endpoint, _, _ = authorization_endpoint.partition(AUTHORIZE_PATH)
        name = self._asked(urlsplit(endpoint).netloc)
        tenant = urlsplit(endpoint).path.strip("/")
        host = urlsplit(name).netloc
        aliases = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        return {
            "tenant_discovery_endpoint": f"{name}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [aliases],
        }

    def _named(self, host: str) -> str:
        return next((url for url in self.urls if urlsplit(url).netloc == host), self.url)

    def _asked(self, host: str) -> str:
        for url in self.urls:
            if host in (urlsplit(url).netloc, urlsplit(url).hostname):
                return url
        raise EntraError(50049, "invalid_instance", "Unknown or invalid instance.")
