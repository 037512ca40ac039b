"""Microsoft 365 Agents SDK for Python, put together as its quickstart does."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from microsoft_agents.activity import load_configuration_from_env
from microsoft_agents.authentication.msal import MsalAuth
from microsoft_agents.hosting.aiohttp import (
    CloudAdapter,
    jwt_authorization_middleware,
    start_agent_process,
)
from microsoft_agents.hosting.core import ConnectionManager
from microsoft_agents.hosting.core.authorization._entra_issuers import (
    BOTFRAMEWORK_JWKS_URIS,
    BOTFRAMEWORK_PUBLIC_ISSUER,
)
from msal import ConfidentialClientApplication

from benchmarks.agents_bot import agent
from benchmarks.peers.agents_storage import storage
from benchmarks.peers.own_host import serve

SETTINGS = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__"


class LocalAuth(MsalAuth):  # type: ignore[misc]  # the SDK is not installed beside mypy
    """The SDK's provider of tokens, for an authority that Microsoft does not know.

    MSAL asks login.microsoftonline.com about such an authority unless instance discovery is off,
    and the SDK has no setting for that. The rest is unchanged.
    """

    def _create_client_application(
        self, tenant_id: str | None = None
    ) -> ConfidentialClientApplication:
        configuration = self._msal_configuration
        return ConfidentialClientApplication(
            client_id=configuration.CLIENT_ID,
            authority=self._resolve_authority(configuration, tenant_id),
            client_credential={"private_key_pfx_path": configuration.CERT_PFX_FILE},
            instance_discovery=False,
        )


def identity_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The SDK's settings of a bot that is a managed identity."""
    return {
        f"{SETTINGS}AUTHTYPE": "UserManagedIdentity",
        f"{SETTINGS}CLIENTID": environ["MicrosoftAppId"],
        f"{SETTINGS}TENANTID": environ["MicrosoftAppTenantId"],
    }


def certificate_settings(environ: Mapping[str, str], pfx: Path) -> dict[str, str]:
    """The SDK's settings of a bot with a certificate, which it reads from a file."""
    pfx.touch(mode=0o600)
    pfx.write_bytes(_pfx(Path(environ["BENCH_CERTIFICATE"]), Path(environ["BENCH_PRIVATE_KEY"])))
    tenant_id = environ["MicrosoftAppTenantId"]
    return {
        f"{SETTINGS}AUTHTYPE": "certificate",
        f"{SETTINGS}CLIENTID": environ["MicrosoftAppId"],
        f"{SETTINGS}TENANTID": tenant_id,
        f"{SETTINGS}AUTHORITY": f"{environ['AZURE_AUTHORITY_HOST']}/{tenant_id}",
        f"{SETTINGS}CERTPFXFILE": str(pfx),
    }


def _pfx(certificate: Path, private_key: Path) -> bytes:
    # Without the check of the key, which the SDK's start would be charged with.
    key = load_pem_private_key(private_key.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("The certificate's key is not an RSA key.")
    public = x509.load_pem_x509_certificate(certificate.read_bytes())
    return pkcs12.serialize_key_and_certificates(None, key, public, None, NoEncryption())


def use_channel_keys(metadata_url: str) -> None:
    """Have the SDK take the channel's keys from beside this document, as in the public cloud.

    Their address is not a setting of the SDK, but a row in a table of it.
    """
    keys_url = metadata_url.removesuffix("openidconfiguration") + "keys"
    BOTFRAMEWORK_JWKS_URIS[BOTFRAMEWORK_PUBLIC_ISSUER] = keys_url


CreateAgent = Callable[[ConnectionManager, Mapping[str, Any]], Any]
"""Creates an agent from its connections and the SDK's configuration."""


def app_with(
    settings: Mapping[str, str], auth: type[MsalAuth], oauth_url: str, create_agent: CreateAgent
) -> web.Application:
    """The web application for an agent with these settings of the SDK."""
    configuration = load_configuration_from_env(settings)
    connections = ConnectionManager(auth, **configuration)
    adapter = CloudAdapter(
        connection_manager=connections,
        channel_service_client_factory_options={"token_service_endpoint": oauth_url},
    )
    agent = create_agent(connections, configuration)

    async def messages(request: web.Request) -> web.Response:
        answer: web.Response = await start_agent_process(request, agent, adapter)
        return answer

    app = web.Application(middlewares=[jwt_authorization_middleware])
    app["agent_configuration"] = connections.get_default_connection_configuration()
    app.router.add_post("/api/messages", messages)
    return app


def main(environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM."""
    use_channel_keys(environ["ToBotFromChannelOpenIdMetadataUrl"])

    def create_agent(connections: ConnectionManager, configuration: Mapping[str, Any]) -> Any:
        return agent(storage=storage(environ), connection_manager=connections, **configuration)

    if "BENCH_CERTIFICATE" not in environ:
        serve(app_with(identity_settings(environ), MsalAuth, environ["OAuthUrl"], create_agent))
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = certificate_settings(environ, Path(folder, "bot.pfx"))
        serve(app_with(settings, LocalAuth, environ["OAuthUrl"], create_agent))


if __name__ == "__main__":
    main(os.environ)
