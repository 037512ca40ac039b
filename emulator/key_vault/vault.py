"""KeyVault: certificates with their secrets and keys, under role-based access control."""

import base64
import datetime
import ssl
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from emulator.certificates import base64url, self_signed
from emulator.entra.endpoints import Entra
from emulator.entra.registration import issuer_of
from emulator.entra.token_issuer import RSA_BITS
from emulator.faults import Handler
from emulator.key_vault.certificate import PEM, PKCS12, VaultCertificate
from emulator.key_vault.errors import VaultError, bad_parameter, not_found
from emulator.key_vault.permissions import ACTIONS, PROVIDER, Permissions
from emulator.server import Server

RESOURCE = "https://vault.azure.net"
"""The audience of tokens for any vault of the public cloud (URL)."""

PAGE_SIZE = 25
"""Maximum number of items in one response (Key Vault REST reference, `maxresults`)."""

PADDINGS: dict[str, padding.AsymmetricPadding] = {
    "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
    "RS256": padding.PKCS1v15(),
}

Answer = Callable[[web.Request], Awaitable[Mapping[str, object]]]


class KeyVault:
    """One vault with role-based access control. Follows the Key Vault REST reference.

    Args:
        entra: signs the tokens that the vault accepts.
        tls: the server side of TLS.
        permissions: who may do what; a callable, which is asked at each request.
        url: base URL in what the vault answers, such as `https://contoso.vault.azure.net`, where
            callers reach it under another name than the server's; empty: the server's.
        name: what the command line and the switches call the server.

    Attributes:
        tenant_id: GUID of the tenant whose tokens the vault accepts: the registration's own.
        versions: certificates by name, the newest version last.
        operations: those done so far, by their name in `ACTIONS`; without refused ones.
        secrets_read: secrets returned so far, by the content type they were returned in.
    """

    def __init__(
        self,
        entra: Entra,
        tls: ssl.SSLContext,
        permissions: Permissions,
        *,
        url: str = "",
        name: str = "vault",
    ) -> None:
        self.entra = entra
        self.permissions = permissions
        self._url = url
        self.tenant_id = entra.registration.tenant_id
        self.versions: dict[str, list[VaultCertificate]] = {}
        self.operations: Counter[str] = Counter()
        self.secrets_read: Counter[str] = Counter()
        version = "/{name}/{version:[^/]*}"
        list_certificates = self._guarded("certificates/list", self._list_certificates)
        list_secrets = self._guarded("secrets/list", self._list_secrets)
        certificate = self._guarded("certificates/get", self._certificate)
        secret = self._guarded("secrets/get", self._secret)
        key = self._guarded("keys/get", self._key)
        routes = [
            web.get("/certificates/{name}/versions", list_certificates),
            web.get("/certificates/{name}", certificate),
            web.get(f"/certificates{version}", certificate),
            web.get("/secrets/{name}/versions", list_secrets),
            web.get("/secrets/{name}", secret),
            web.get(f"/secrets{version}", secret),
            web.get("/keys/{name}", key),
            web.get(f"/keys{version}", key),
            web.post(f"/keys{version}/sign", self._guarded("keys/sign", self._sign)),
        ]
        self.server = Server(name, routes, tls)

    @property
    def url(self) -> str:
        """The vault's base URL, without a slash at the end, as its objects' ids have it."""
        return self._url or self.server.url

    def add_version(
        self,
        name: str,
        *,
        key: rsa.RSAPrivateKey | None = None,
        certificate: x509.Certificate | None = None,
        content_type: str = PKCS12,
        exportable: bool = True,
        enabled: bool = True,
        starts_in_days: float = -1,
        ends_in_days: float = 365,
    ) -> VaultCertificate:
        """Add a version, which becomes the current one.

        Args:
            name: of the certificate, its secret and its key.
            key: None generates one.
            certificate: for `key`; None makes a self-signed one.
            content_type: of the secret, `application/x-pkcs12` or `application/x-pem-file`.
            exportable: whether the secret holds the private key.
            enabled: whether the secret can be read and the key used.
            starts_in_days, ends_in_days: validity of a self-signed certificate, from now.
        """
        key = key or rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        versions = self.versions.setdefault(name, [])
        # `created` is in whole seconds; two versions never share one.
        after_last = versions[-1].created + 1 if versions else 0
        made = VaultCertificate(
            name=name,
            version=uuid.uuid4().hex,
            certificate=certificate
            or self_signed(name, key, starts_in_days=starts_in_days, ends_in_days=ends_in_days),
            private_key=key,
            content_type=content_type,
            exportable=exportable,
            enabled=enabled,
            created=max(int(time.time()), after_last),
        )
        versions.append(made)
        return made

    def _guarded(self, permission: str, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                self._check_caller(request, permission)
                body = await answer(request)
            except VaultError as error:
                challenge = {"WWW-Authenticate": self._challenge()} if error.status == 401 else {}
                return web.json_response(error.body(), status=error.status, headers=challenge)
            self.operations[permission] += 1
            return web.json_response(body)

        return handle

    def _challenge(self) -> str:
        authority = f"{self.entra.server.url}/{self.tenant_id}"
        return f'Bearer authorization="{authority}", resource="{RESOURCE}"'

    def _check_caller(self, request: web.Request, permission: str) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise VaultError(
                401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token."
            )
        issuer = issuer_of(self.tenant_id)
        try:
            claims = self.entra.issuer.verify(token, RESOURCE, issuer)
        except jwt.InvalidTokenError as error:
            raise VaultError(401, "Unauthorized", "The bearer token is not valid here.") from error
        principal_id = claims["oid"]
        if not self.permissions(principal_id, permission, _object_path(request)):
            raise VaultError(
                403,
                "Forbidden",
                "Caller is not authorized to perform action on resource.\r\n"
                "If role assignments, deny assignments or role definitions were changed recently, "
                "please observe propagation time.\r\n"
                f"Caller: appid={claims['appid']};oid={principal_id};iss={issuer}\r\n"
                f"Action: '{PROVIDER}{ACTIONS[permission]}'\r\n"
                f"Resource: '{request.path}'\r\nAssignment: (not found)\r\n",
                "ForbiddenByRbac",
            )

    async def _certificate(self, request: web.Request) -> Mapping[str, object]:
        # A disabled certificate can be read; its secret and its key are unavailable.
        return self._requested(request, "Certificate").certificate_bundle(self.url)

    async def _secret(self, request: web.Request) -> Mapping[str, object]:
        found = self._requested(request, "Secret")
        if not found.enabled:
            raise VaultError(
                403,
                "Forbidden",
                "Operation get is not allowed on a disabled secret.",
                "SecretDisabled",
            )
        content_type = _content_type(request, found)
        self.secrets_read[content_type] += 1
        return found.secret_bundle(self.url, content_type)

    async def _key(self, request: web.Request) -> Mapping[str, object]:
        return self._requested(request, "Key").key_bundle(self.url)

    async def _list_certificates(self, request: web.Request) -> Mapping[str, object]:
        return self._page(request, "Certificate", VaultCertificate.listed_certificate)

    async def _list_secrets(self, request: web.Request) -> Mapping[str, object]:
        return self._page(request, "Secret", VaultCertificate.listed_secret)

    def _page(
        self, request: web.Request, kind: str, listed: Callable[[VaultCertificate, str], object]
    ) -> Mapping[str, object]:
        # Sorted by id, as in the service: only `created` tells which one is the newest.
        versions = sorted(self._known(request.match_info["name"], kind), key=lambda v: v.version)
        start = _number(request, "$skiptoken", 0)
        size = min(_number(request, "maxresults", PAGE_SIZE), PAGE_SIZE)
        page = versions[start : start + size]
        answer: dict[str, object] = {"value": [listed(item, self.url) for item in page]}
        if start + size < len(versions):
            query = {**request.query, "$skiptoken": str(start + size), "maxresults": str(size)}
            answer["nextLink"] = f"{self.url}{request.rel_url.with_query(query)}"
        return answer

    async def _sign(self, request: web.Request) -> Mapping[str, object]:
        found = self._requested(request, "Key")
        _check_usable(found)
        try:
            body = await request.json()
            scheme = PADDINGS[body["alg"]]
            value = body["value"]
            digest = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            signature = found.private_key.sign(digest, scheme, utils.Prehashed(hashes.SHA256()))
        except (KeyError, TypeError, ValueError) as error:
            message = "alg must be PS256 or RS256 and value a SHA-256 digest in base64url."
            raise bad_parameter(message) from error
        kid = found.key_bundle(self.url)["key"]["kid"]
        return {"kid": kid, "value": base64url(signature)}

    def _known(self, name: str, kind: str) -> list[VaultCertificate]:
        versions = self.versions.get(name)
        if not versions:
            raise not_found(kind, name)
        return versions

    def _requested(self, request: web.Request, kind: str) -> VaultCertificate:
        name = request.match_info["name"]
        version = request.match_info.get("version", "")
        versions = self._known(name, kind)
        if not version:
            return versions[-1]
        found = next((known for known in versions if known.version == version), None)
        if found is None:
            raise not_found(kind, f"{name}/{version}")
        return found


def _object_path(request: web.Request) -> str:
    """The path of the object that a request is for; empty for the vault itself."""
    kind = request.path.split("/")[1].removeprefix("deleted")
    name = request.match_info.get("name")
    return f"/{kind}/{name}" if name else ""


def _check_usable(found: VaultCertificate) -> None:
    """Refuse a key that is disabled, expired or not valid yet, as Key Vault does."""
    if not found.enabled:
        message = "Operation sign is not allowed on a disabled key."
        raise VaultError(403, "Forbidden", message, "KeyDisabled")
    start, end = found.certificate.not_valid_before_utc, found.certificate.not_valid_after_utc
    if not start <= datetime.datetime.now(datetime.UTC) <= end:
        # Key Vault's inner code for this case is undocumented.
        message = "Operation sign is not allowed outside the key's time of validity."
        raise VaultError(403, "Forbidden", message, "KeyNotValidNow")


def _content_type(request: web.Request, found: VaultCertificate) -> str:
    """The requested format of a secret; the secret's own, if the request names none."""
    requested = request.query.get("outContentType") or found.content_type
    # Key Vault converts PFX to PEM only (REST reference of get-secret, `outContentType`).
    if requested != found.content_type and (found.content_type, requested) != (PKCS12, PEM):
        message = f"A secret of type {found.content_type} cannot be converted to {requested}."
        raise bad_parameter(message)
    return requested


def _number(request: web.Request, name: str, default: int) -> int:
    value: Any = request.query.get(name, default)
    try:
        return int(value)
    except ValueError as error:
        raise bad_parameter(f"{name} must be a number.") from error
