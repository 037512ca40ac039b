"""KeyVault: certificates with their secrets and keys, under role-based access control."""

import base64
import datetime
import re
import ssl
from collections import Counter
from collections.abc import Callable, Mapping

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils

from bot_workbench.emulator.certificates import base64url
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.key_vault.certificate import VaultCertificate
from bot_workbench.emulator.key_vault.certificate_operations import Answer, CertificateOperations
from bot_workbench.emulator.key_vault.errors import VaultError, bad_parameter
from bot_workbench.emulator.key_vault.inventory import CertificateInventory
from bot_workbench.emulator.key_vault.paging import page
from bot_workbench.emulator.key_vault.permissions import ACTIONS, PROVIDER, Permissions
from bot_workbench.emulator.key_vault.policy import PEM, PKCS12
from bot_workbench.emulator.server import Server

RESOURCE = "https://vault.azure.net"
"""The audience of tokens for any vault of the public cloud (URL)."""

API_VERSION = re.compile(r"7\.\d(-preview\.\d)?|20\d\d-\d\d-\d\d(-preview)?")
"""The versions that Azure's clients send: 7.x, and dates since 2025."""

OBJECT_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
"""Names of certificates, secrets and keys (Key Vault's documentation)."""

PADDINGS: dict[str, padding.AsymmetricPadding] = {
    "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
    "RS256": padding.PKCS1v15(),
}


class KeyVault:
    """One vault. Follows the Key Vault REST reference.

    Args:
        entra: signs the tokens that the vault accepts.
        tls: the server side of TLS.
        permissions: who may do what; a callable, which is asked at each request.
        url: base URL in what the vault answers, such as `https://contoso.vault.azure.net`, where
            callers reach it under another name than the server's; empty: the server's.
        name: what the command line and the switches call the server.

    Attributes:
        uses_roles: whether access is role-based; if not, the vault refuses everybody, because it
            knows no access policies.
        tenant_id: GUID of the tenant whose tokens the vault accepts: the registration's own.
        inventory: its certificates, with their secrets and keys.
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
        self.uses_roles: Callable[[], bool] = lambda: True
        self._url = url
        self.tenant_id = entra.registration.tenant_id
        self.inventory = CertificateInventory()
        self.operations: Counter[str] = Counter()
        self.secrets_read: Counter[str] = Counter()
        certificates = CertificateOperations(self.inventory, lambda: self.url)
        version = "/{name}/{version:[^/]*}"
        secret = self._guarded("secrets/get", self._secret)
        key = self._guarded("keys/get", self._key)
        routes = [
            *certificates.routes(self._guarded),
            web.get("/secrets/{name}/versions", self._guarded("secrets/list", self._secrets)),
            web.get("/secrets/{name}", secret),
            web.get(f"/secrets{version}", secret),
            web.get("/keys/{name}/versions", self._guarded("keys/list", self._keys)),
            web.get("/keys/{name}", key),
            web.get(f"/keys{version}", key),
            web.post(f"/keys{version}/sign", self._guarded("keys/sign", self._sign)),
        ]
        self.server = Server(name, routes, tls)

    @property
    def url(self) -> str:
        """The vault's base URL, without a slash at the end, as its objects' ids have it."""
        return self._url or self.server.url

    def _guarded(self, permission: str, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                self._check_caller(request, permission)
                _check_request(request)
                self.inventory.settle()
                answered = await answer(request)
            except VaultError as error:
                challenge = {"WWW-Authenticate": self._challenge()} if error.status == 401 else {}
                return web.json_response(error.body(), status=error.status, headers=challenge)
            self.operations[permission] += 1
            if isinstance(answered, web.Response):
                return answered
            return web.json_response(answered)

        return handle

    def _challenge(self) -> str:
        authority = f"{self.entra.authority.url}/{self.tenant_id}"
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
        caller = f"appid={claims['appid']};oid={principal_id};iss={issuer}"
        if not self.uses_roles():
            raise VaultError(
                403,
                "Forbidden",
                f"The user, group or application '{caller}' does not have "
                f"{permission.replace('/', ' ')} permission on key vault '{self.server.name}'.",
                "AccessDenied",
            )
        if not self.permissions(principal_id, permission, _object_path(request)):
            raise VaultError(
                403,
                "Forbidden",
                "Caller is not authorized to perform action on resource.\r\n"
                "If role assignments, deny assignments or role definitions were changed recently, "
                "please observe propagation time.\r\n"
                f"Caller: {caller}\r\n"
                f"Action: '{PROVIDER}{ACTIONS[permission]}'\r\n"
                f"Resource: '{request.path}'\r\nAssignment: (not found)\r\n",
                "ForbiddenByRbac",
            )

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

    async def _secrets(self, request: web.Request) -> Mapping[str, object]:
        return self._versions(request, "Secret", VaultCertificate.listed_secret)

    async def _keys(self, request: web.Request) -> Mapping[str, object]:
        return self._versions(request, "Key", VaultCertificate.listed_key)

    def _versions(
        self, request: web.Request, kind: str, listed: Callable[[VaultCertificate, str], object]
    ) -> Mapping[str, object]:
        # Sorted by id, as in the service: only `created` says which one is the newest.
        versions = self.inventory.known(request.match_info["name"], kind)
        ordered = sorted(versions, key=lambda each: each.version)
        return page(request, self.url, [listed(each, self.url) for each in ordered])

    async def _sign(self, request: web.Request) -> Mapping[str, object]:
        found = self._requested(request, "Key")
        _check_usable(found)
        key = found.key_bundle(self.url)["key"]
        if "sign" not in key["key_ops"]:
            message = "Operation sign is not permitted on this key."
            raise VaultError(403, "Forbidden", message, "KeyOperationForbidden")
        try:
            body = await request.json()
            scheme = PADDINGS[body["alg"]]
            value = body["value"]
            digest = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            signature = found.private_key.sign(digest, scheme, utils.Prehashed(hashes.SHA256()))
        except (KeyError, TypeError, ValueError) as error:
            message = "alg must be PS256 or RS256 and value a SHA-256 digest in base64url."
            raise bad_parameter(message) from error
        return {"kid": key["kid"], "value": base64url(signature)}

    def _requested(self, request: web.Request, kind: str) -> VaultCertificate:
        where = request.match_info
        return self.inventory.requested(where["name"], where.get("version", ""), kind)


def _object_path(request: web.Request) -> str:
    """The path of the object that a request is for; empty for the vault itself."""
    kind = request.path.split("/")[1].removeprefix("deleted")
    name = request.match_info.get("name")
    return f"/{kind}/{name}" if name else ""


def _check_request(request: web.Request) -> None:
    """Refuse a version of the API, or a name, that Key Vault does not have."""
    version = request.query.get("api-version")
    if not version:
        raise bad_parameter("api-version must be specified")
    if not API_VERSION.fullmatch(version):
        raise bad_parameter(f"The specified version ({version}) is not recognized.")
    name = request.match_info.get("name")
    if name is not None and not OBJECT_NAME.fullmatch(name):
        raise bad_parameter(f"The request URI contains an invalid name: {name}")


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
