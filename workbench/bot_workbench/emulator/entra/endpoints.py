"""Entra: the token endpoint of the local cloud, with its metadata and signing keys."""

import datetime
import ssl
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from aiohttp import web

from bot_workbench.emulator.entra.authority import Authority
from bot_workbench.emulator.entra.credentials import CLIENT_SECRET, UsedCredential
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.errors import EntraError, expired_secret, invalid_secret
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT, Registration, issuer_of
from bot_workbench.emulator.entra.resources import check_resource
from bot_workbench.emulator.entra.sign_in import on_behalf_of
from bot_workbench.emulator.entra.sign_in.client_assertion import CertificateAssertions
from bot_workbench.emulator.entra.sign_in.federated_assertion import (
    EXCHANGE_AUDIENCES,
    FederatedAssertions,
    is_federated,
)
from bot_workbench.emulator.entra.sign_in.on_behalf_of import Delegation, UserAssertions
from bot_workbench.emulator.entra.sign_in.token_request import (
    TokenRequest,
    app_resource,
    parameter,
)
from bot_workbench.emulator.entra.sign_in.user_sign_in import GRANT_TYPES, UserSignIns
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.server import Server

TENANT_NAMES = {"botframework.com": CHANNEL_TENANT}
"""Tenant GUIDs by the domain names that URLs may have instead."""

SIGNED = "2"
"""`appidacr` of a client that sent an assertion: signed with its certificate, or federated."""

ANY_TENANT = ("organizations", "common")
"""The words in place of a tenant in a URL, before a user's tenant is known."""

BY_SECRET = "1"  # noqa: S105  # a kind of proof
"""`appidacr` of a client that sent a secret."""


class _Client(NamedTuple):
    """An application that has proved who it is.

    Attributes:
        registration: the application's.
        used: the credential.
        acr: how it proved who it is, `appidacr`.
    """

    registration: Registration
    used: UsedCredential
    acr: str


Answer = Callable[[web.Request], Awaitable[Mapping[str, object]]]


class Entra:
    """Signs applications in, as the Microsoft identity platform does.

    They prove who they are with a client secret, an assertion that they signed with their
    certificate, or a federated token. There are two tenants: the directory's own and the channels'
    (`botframework.com`).

    Args:
        registration: the first application of a new directory, in the same tenant.
        tls: the server side of TLS.
        public_url: base URL under which clients reach this server through a proxy; empty: none.

    Attributes:
        registration: as given; its certificates and credentials may change at any time.
        directory: every application that can sign in.
        authority: its names, which issuers and audiences have.
        issuer: signs every token, also for managed identities.
        assertions: verifies assertions that a client signed.
        federated: verifies federated tokens.
        user_assertions: verifies users' tokens that applications exchange.
        users: signs the directory's user in.
        token_lifetime: seconds from now to a token's `exp`.
        tokens_issued: tokens signed so far, also for managed identities.
        token_outcomes: requests to the token endpoint so far, by `issued` or the AADSTS code of the
            refusal; without those that a fault was injected into.
    """

    def __init__(
        self, registration: Registration, tls: ssl.SSLContext, public_url: str = ""
    ) -> None:
        self.registration = registration
        self.directory = Directory(registration.tenant_id)
        self.directory.add(registration)
        self.issuer = TokenIssuer()
        self.assertions = CertificateAssertions()
        self.federated = FederatedAssertions(self.issuer, self.directory.issuers)
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
            web.post("/{tenant}/oauth2/v2.0/devicecode", self._guarded(self._device_code)),
        ]
        self.server = Server("entra", routes, tls)
        self.authority = Authority(lambda: self.server.url, public_url)
        self.user_assertions = UserAssertions(self.issuer, self.authority)
        self.users = UserSignIns(self.directory, self.issuer, self.authority, self.user_token)

    @property
    def token_requests(self) -> int:
        """POSTs to the token endpoint so far, accepted or refused, without injected faults."""
        return self.token_outcomes.total()

    def app_token(
        self, resource: str, client_id: str, oid: str, *, tenant_id: str, acr: str = SIGNED
    ) -> tuple[str, int]:
        """A token for an application or managed identity, in the version the resource accepts.

        That is 2.0 for the exchange of federated tokens, what a bot's registration says for the
        bot, and 1.0 for every other resource.

        Args:
            resource: what the token is for (URL or GUID).
            client_id: GUID, the `appid` claim (version 2.0: `azp`).
            oid: GUID of the service principal.
            tenant_id: GUID of the tenant that signs it in.
            acr: how the client proved who it is.

        Returns:
            The token and its expiry (seconds since 1970).
        """
        claims = {
            "idtyp": "app",
            "oid": oid,
            "sub": oid,
            "tid": tenant_id,
            **self._versioned_claims(resource, client_id, tenant_id, acr),
        }
        return self._signed(claims)

    def user_token(self, resource: str, client_id: str) -> str:
        """A token for the directory's user, as a sign-in of `az` gets it.

        Args:
            resource: what the token is for (URL).
            client_id: GUID of the client that the user works with.
        """
        tenant_id, user = self.directory.tenant_id, self.directory.user
        claims = {
            "aud": resource,
            "iss": issuer_of(tenant_id),
            "appid": client_id,
            "appidacr": "0",
            "idtyp": "user",
            "oid": user.object_id,
            "scp": "user_impersonation",
            "sub": user.object_id,
            "tid": tenant_id,
            "upn": user.name,
            "ver": "1.0",
        }
        return self._signed(claims)[0]

    def _signed(self, claims: Mapping[str, object]) -> tuple[str, int]:
        now = int(time.time())
        expires_on = now + self.token_lifetime
        timed = {"iat": now, "nbf": now, "exp": expires_on, "uti": uuid.uuid4().hex, **claims}
        self.tokens_issued += 1
        return self.issuer.sign(timed), expires_on

    def _versioned_claims(
        self, resource: str, client_id: str, tenant_id: str, acr: str
    ) -> dict[str, str]:
        """The claims that differ between versions 1.0 and 2.0 (access token claims reference)."""
        bot = self.directory.find(resource)
        if resource in EXCHANGE_AUDIENCES or (bot and bot.token_version == 2):
            return {
                "aud": EXCHANGE_AUDIENCES.get(resource, resource),
                "iss": self.authority.issuer(tenant_id),
                "azp": client_id,
                "azpacr": acr,
                "ver": "2.0",
            }
        return {
            "aud": resource,
            "iss": issuer_of(tenant_id),
            "appid": client_id,
            "appidacr": acr,
            "idp": issuer_of(tenant_id),
            "ver": "1.0",
        }

    def _guarded(self, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                return web.json_response(await answer(request))
            except EntraError as error:
                correlation_id = request.headers.get("client-request-id", str(uuid.uuid4()))
                body = error.body(self.authority.url, correlation_id)
                return web.json_response(body, status=error.status)

        return handle

    async def _metadata(self, request: web.Request) -> Mapping[str, object]:
        is_v2 = request.path.endswith("/v2.0/.well-known/openid-configuration")
        return self.authority.metadata(request.host, self._user_tenant(request), is_v2=is_v2)

    async def _instance(self, request: web.Request) -> Mapping[str, object]:
        return self.authority.instance(request.query.get("authorization_endpoint", ""))

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
        form = await request.post()
        if form.get("grant_type") in GRANT_TYPES:
            self._user_tenant(request)
            return self.users.grant(form, self.token_lifetime)
        tenant = self._tenant(request)
        match parameter(form, "grant_type"):
            case "client_credentials":
                return self._app_grant(request, form, tenant)
            case on_behalf_of.GRANT_TYPE:
                return self._user_grant(request, form, tenant)
        raise EntraError(70003, "unsupported_grant_type", "This grant type is not supported.")

    def _app_grant(
        self, request: web.Request, form: Mapping[str, Any], tenant: str
    ) -> dict[str, object]:
        resource = app_resource(form)
        client = self._authenticated(request, form, tenant)
        check_resource(resource, tenant)
        app_id, oid = client.registration.app_id, client.registration.service_principal_id
        self.directory.record_sign_in(app_id, client.used, resource, tenant)
        token, _ = self.app_token(resource, app_id, oid, tenant_id=tenant, acr=client.acr)
        return self._issued(token)

    def _user_grant(
        self, request: web.Request, form: Mapping[str, Any], tenant: str
    ) -> dict[str, object]:
        asked = Delegation.of(form)
        client = self._authenticated(request, form, tenant)
        user = self.user_assertions.verify(asked, client.registration, tenant)
        check_resource(asked.resource, tenant)
        app_id = client.registration.app_id
        who = {"name": user.get("name", ""), "oid": user["oid"], "sub": user["oid"], "tid": tenant}
        claims = {
            **who,
            "idtyp": "user",
            "scp": asked.permissions,
            **self._versioned_claims(asked.resource, app_id, tenant, client.acr),
        }
        # MSAL always asks for the second.
        id_token = {**who, "aud": app_id, "iss": self.authority.issuer(tenant), "ver": "2.0"}
        return {
            **self._issued(self._signed(claims)[0]),
            "scope": asked.scope,
            "id_token": self.issuer.sign(id_token),
        }

    def _issued(self, token: str) -> dict[str, object]:
        return {
            "token_type": "Bearer",
            "expires_in": self.token_lifetime,
            "ext_expires_in": self.token_lifetime,
            "access_token": token,
        }

    def _authenticated(self, request: web.Request, form: Mapping[str, Any], tenant: str) -> _Client:
        """The application that has sent a request, by the proof in it."""
        asked = TokenRequest.of(form, request.headers.get("Authorization", ""))
        registration = self._application(asked.client_id, tenant)
        if asked.secret:
            used = self._check_secret(registration, asked.secret)
            return _Client(registration, used, BY_SECRET)
        if is_federated(asked.assertion):
            used = self.federated.verify(asked.assertion, registration)
        else:
            audiences = self.authority.audiences(request.match_info["tenant"], tenant)
            used = self.assertions.verify(asked.assertion, registration, audiences)
        return _Client(registration, used, SIGNED)

    async def _device_code(self, request: web.Request) -> Mapping[str, object]:
        self._user_tenant(request)
        return self.users.start(await request.post())

    @staticmethod
    def _check_secret(registration: Registration, value: str) -> UsedCredential:
        """The client secret that has this value."""
        now = datetime.datetime.fromtimestamp(registration.clock(), datetime.UTC)
        found = [each for each in registration.known_secrets() if each.has(value)]
        usable = next((each for each in found if each.start <= now < each.end), None)
        if usable is None:
            refusal = expired_secret if found else invalid_secret
            raise refusal(registration.app_id)
        return UsedCredential(CLIENT_SECRET, usable.key_id)

    def _user_tenant(self, request: web.Request) -> str:
        """The tenant's GUID; the directory's own for `organizations` and `common`."""
        if request.match_info["tenant"].lower() in ANY_TENANT:
            return self.directory.tenant_id
        return self._tenant(request)

    def _tenant(self, request: web.Request) -> str:
        """The GUID of the tenant in the request's path."""
        name = request.match_info["tenant"].lower()
        known = {guid.lower(): guid for guid in (self.directory.tenant_id, CHANNEL_TENANT)}
        tenant = known.get(TENANT_NAMES.get(name, name))
        if tenant is None:
            raise EntraError(
                90002,
                "invalid_tenant",
                f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID "
                "and are signing into the correct cloud.",
            )
        return tenant

    def _application(self, client_id: str, tenant: str) -> Registration:
        found = self.directory.find(client_id)
        if found is None or tenant not in (found.tenant_id, found.sign_in_tenant):
            raise EntraError(
                700016,
                "unauthorized_client",
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{tenant}'. You may have sent your authentication request to the wrong tenant.",
            )
        if not found.service_principal_id:
            raise EntraError(
                7000229,
                "unauthorized_client",
                f"The client application {client_id} is missing service principal in the tenant "
                f"{tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
            )
        if found.service_principal_id in self.directory.disabled:
            raise EntraError(
                7000112,
                "unauthorized_client",
                f"Application '{client_id}'({found.display_name}) is disabled.",
            )
        return found
