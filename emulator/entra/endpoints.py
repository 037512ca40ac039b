"""Entra: the token endpoint of the local cloud, with its metadata and signing keys."""

import ssl
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from emulator.entra.client_assertion import CertificateAssertions
from emulator.entra.errors import EntraError
from emulator.entra.federated_assertion import EXCHANGE_AUDIENCES, FederatedAssertions, is_federated
from emulator.entra.registration import CHANNEL_TENANT, Registration, issuer_of
from emulator.entra.token_issuer import TokenIssuer
from emulator.faults import Handler
from emulator.server import Server

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TENANT_NAMES = {"botframework.com": CHANNEL_TENANT}
"""Tenant GUIDs by the domain names that URLs may have instead."""
DEFAULT_SCOPE = "/.default"
AUTHORIZE_PATH = "/oauth2/v2.0/authorize"

Answer = Callable[[web.Request], Awaitable[Mapping[str, object]]]


class Entra:
    """Signs the bot in by client assertion, as the Microsoft identity platform does.

    The assertion is signed with the client's certificate, or is a federated token. There are two
    tenants: the registration's own and the channels' (`botframework.com`). Client secrets are
    always refused.

    Attributes:
        registration: the bot's; its certificates and federated credentials may change at any time.
        bots: every registered bot by its app id (GUID), other ones than `registration` too.
        issuer: signs every token, also for managed identities.
        assertions: verifies assertions that the client signed.
        federated: verifies federated tokens.
        object_id: GUID of the bot's service principal, the `oid` of its tokens.
        token_lifetime: seconds from now to a token's `exp`.
        tokens_issued: tokens signed so far, also for managed identities.
        token_outcomes: requests to the token endpoint so far, by `issued` or the AADSTS code of the
            refusal; without those that a fault was injected into.
    """

    def __init__(self, registration: Registration, tls: ssl.SSLContext) -> None:
        self.registration = registration
        self.bots = {registration.app_id: registration}
        self.issuer = TokenIssuer()
        self.assertions = CertificateAssertions(registration)
        self.federated = FederatedAssertions(registration, self.issuer)
        self.object_id = str(uuid.uuid4())
        self.token_lifetime = 3599
        self.tokens_issued = 0
        self.token_outcomes: Counter[str] = Counter()
        metadata = self._guarded(self._metadata)
        routes = [
            web.get("/common/discovery/instance", self._guarded(self._instance)),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", metadata),
            web.get("/{tenant}/.well-known/openid-configuration", metadata),
            web.get("/{tenant}/discovery/v2.0/keys", self._guarded(self._keys)),
            web.post("/{tenant}/oauth2/v2.0/token", self._guarded(self._token)),
        ]
        self.server = Server("entra", routes, tls)

    @property
    def token_requests(self) -> int:
        """POSTs to the token endpoint so far, accepted or refused, without injected faults."""
        return self.token_outcomes.total()

    def federation_issuer(self, tenant_id: str) -> str:
        """The `iss` claim (URL) of a tenant's version 2.0 tokens, as federated credentials have it.

        Args:
            tenant_id: GUID.
        """
        return f"{self.server.url}/{tenant_id}/v2.0"

    def app_token(
        self, resource: str, client_id: str, oid: str, *, tenant_id: str
    ) -> tuple[str, int]:
        """A token for an application or managed identity, in the version the resource accepts.

        That is 2.0 for the exchange of federated tokens, what a bot's registration says for the
        bot, and 1.0 for every other resource.

        Args:
            resource: what the token is for (URL or GUID).
            client_id: GUID, the `appid` claim (version 2.0: `azp`).
            oid: GUID of the service principal.
            tenant_id: GUID of the tenant that signs it in.

        Returns:
            The token and its expiry (seconds since 1970).
        """
        now = int(time.time())
        expires_on = now + self.token_lifetime
        claims = {
            "iat": now,
            "nbf": now,
            "exp": expires_on,
            "idtyp": "app",
            "oid": oid,
            "sub": oid,
            "tid": tenant_id,
            "uti": uuid.uuid4().hex,
            **self._versioned_claims(resource, client_id, tenant_id),
        }
        self.tokens_issued += 1
        return self.issuer.sign(claims), expires_on

    def _versioned_claims(self, resource: str, client_id: str, tenant_id: str) -> dict[str, str]:
        """The claims that differ between versions 1.0 and 2.0 (access token claims reference)."""
        bot = self.bots.get(resource)
        if resource in EXCHANGE_AUDIENCES or (bot and bot.token_version == 2):
            return {
                "aud": EXCHANGE_AUDIENCES.get(resource, resource),
                "iss": self.federation_issuer(tenant_id),
                "azp": client_id,
                "azpacr": "2",
                "ver": "2.0",
            }
        return {
            "aud": resource,
            "iss": issuer_of(tenant_id),
            "appid": client_id,
            "appidacr": "2",
            "idp": issuer_of(tenant_id),
            "ver": "1.0",
        }

    def _guarded(self, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                return web.json_response(await answer(request))
            except EntraError as error:
                correlation_id = request.headers.get("client-request-id", str(uuid.uuid4()))
                body = error.body(self.server.url, correlation_id)
                return web.json_response(body, status=error.status)

        return handle

    async def _metadata(self, request: web.Request) -> Mapping[str, object]:
        """OpenID Connect discovery; version 1.0 differs in its `issuer` only."""
        tenant = self._tenant(request)
        base = f"{self.server.url}/{tenant}"
        is_v2 = request.path.endswith("/v2.0/.well-known/openid-configuration")
        return {
            "issuer": f"{base}/v2.0" if is_v2 else issuer_of(tenant),
            "authorization_endpoint": f"{base}{AUTHORIZE_PATH}",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "WW",
            "cloud_instance_name": urlsplit(self.server.url).netloc,
        }

    async def _instance(self, request: web.Request) -> Mapping[str, object]:
        """Instance discovery, for clients that ask this host whether it is a known authority."""
        authority, _, _ = request.query.get("authorization_endpoint", "").partition(AUTHORIZE_PATH)
        host = urlsplit(self.server.url).netloc
        if urlsplit(authority).netloc not in (host, urlsplit(self.server.url).hostname):
            raise EntraError(50049, "invalid_instance", "Unknown or invalid instance.")
        tenant = urlsplit(authority).path.strip("/")
        configuration = f"{self.server.url}/{tenant}/v2.0/.well-known/openid-configuration"
        names = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        return {
            "tenant_discovery_endpoint": configuration,
            "api-version": "1.1",
            "metadata": [names],
        }

    async def _keys(self, request: web.Request) -> Mapping[str, object]:
        self._tenant(request)
        return self.issuer.jwks()

    async def _token(self, request: web.Request) -> Mapping[str, object]:
        try:
            answer = await self._grant(request)
        except EntraError as error:
            self.token_outcomes[f"AADSTS{error.code}"] += 1
            raise
        self.token_outcomes["issued"] += 1
        return answer

    async def _grant(self, request: web.Request) -> Mapping[str, object]:
        """The client credentials grant with a client assertion (RFC 7523, section 2.2)."""
        tenant = self._tenant(request)
        form = await request.post()
        if _parameter(form, "grant_type") != "client_credentials":
            raise EntraError(70003, "unsupported_grant_type", "This grant type is not supported.")
        client_id = _parameter(form, "client_id")
        resource = _resource(_parameter(form, "scope"))
        self._check_application(client_id, tenant)
        assertion = _assertion(form)
        if is_federated(assertion):
            self.federated.verify(assertion)
        else:
            audiences = self._audiences(request.match_info["tenant"], tenant)
            self.assertions.verify(assertion, client_id, audiences)
        token, _ = self.app_token(resource, client_id, self.object_id, tenant_id=tenant)
        return {
            "token_type": "Bearer",
            "expires_in": self.token_lifetime,
            "ext_expires_in": self.token_lifetime,
            "access_token": token,
        }

    def _tenant(self, request: web.Request) -> str:
        """The GUID of the tenant in the request's path."""
        name = request.match_info["tenant"].lower()
        known = {guid.lower(): guid for guid in (self.registration.tenant_id, CHANNEL_TENANT)}
        tenant = known.get(TENANT_NAMES.get(name, name))
        if tenant is None:
            raise EntraError(
                90002,
                "invalid_tenant",
                f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID "
                "and are signing into the correct cloud.",
            )
        return tenant

    def _check_application(self, client_id: str, tenant: str) -> None:
        homes = {self.registration.tenant_id, self.registration.sign_in_tenant}
        if client_id.lower() != self.registration.app_id.lower() or tenant not in homes:
            raise EntraError(
                700016,
                "unauthorized_client",
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{tenant}'. You may have sent your authentication request to the wrong tenant.",
            )

    def _audiences(self, *tenants: str) -> set[str]:
        """The token endpoint's URL and the tenant's issuer: Entra accepts either as `aud`."""
        suffixes = ("oauth2/v2.0/token", "v2.0")
        return {f"{self.server.url}/{name}/{end}" for name in tenants for end in suffixes}


def _parameter(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str) or not value:
        raise EntraError(
            900144,
            "invalid_request",
            f"The request body must contain the following parameter: '{name}'.",
        )
    return value


def _resource(scope: str) -> str:
    if len(scope.split()) != 1:
        raise EntraError(
            70011,
            "invalid_scope",
            f"The provided value for the input parameter 'scope' is not valid. "
            f"The scope {scope} is not valid.",
        )
    resource = scope.removesuffix(DEFAULT_SCOPE)
    if resource in ("", scope):
        raise EntraError(
            1002012,
            "invalid_scope",
            f"The provided value for scope {scope} is not valid. Client credential flows must "
            "have a scope value with /.default suffixed to the resource identifier.",
        )
    return resource


def _assertion(form: Mapping[str, Any]) -> str:
    if form.get("client_secret"):
        raise EntraError(7000215, "invalid_client", "Invalid client secret provided.")
    if not form.get("client_assertion"):
        raise EntraError(
            7000216,
            "invalid_client",
            "'client_assertion', 'client_secret' or 'request' is required for the "
            "'client_credentials' grant type.",
        )
    if _parameter(form, "client_assertion_type") != ASSERTION_TYPE:
        # Entra's code for an unknown type is undocumented.
        raise EntraError(9002313, "invalid_request", "Request is malformed or invalid.")
    return _parameter(form, "client_assertion")
