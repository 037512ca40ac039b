"""KeyVault: certificates with their secrets and keys, under role-based access control."""

import asyncio
import base64
import datetime
import re
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from yarl import URL

from bot_workbench.emulator.certificates import base64url
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.key_vault.errors import VaultError
from bot_workbench.emulator.key_vault.inventory import (
    CertificateInventory,
    DeletedCertificate,
    PendingCertificate,
    VaultCertificate,
    key_pair,
)
from bot_workbench.emulator.key_vault.policy import (
    PEM,
    PKCS12,
    SELF,
    JsonObject,
    certificate_policy,
    changed_policy,
    checked_policy,
)
from bot_workbench.emulator.server import Server

RESOURCE = "https://vault.azure.net"
"""The audience of tokens for any vault of the public cloud (URL)."""

API_VERSION = re.compile(r"7\.\d(-preview\.\d)?|20\d\d-\d\d-\d\d(-preview)?")
"""The versions that Azure's clients send: 7.x, and dates since 2025."""

OBJECT_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
"""Names of certificates, secrets and keys (Key Vault's documentation)."""

KINDS = {"certificates": "Certificate", "secrets": "Secret", "keys": "Key"}
"""Key Vault's name for an object, by the first segment of its path."""

PAGE_SIZE = 25
"""Maximum number of items in one response (Key Vault REST reference, `maxresults`)."""

SECONDS_A_DAY = 86400

PADDINGS: dict[str, padding.AsymmetricPadding] = {
    "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
    "RS256": padding.PKCS1v15(),
}

_IN_PROGRESS = (
    "Pending certificate created. Certificate request is in progress. This may take some time based"
    " on the issuer provider. Please check again later."
)
_TO_BE_MERGED = "Pending certificate created. Please Perform Merge to complete the request."

PROVIDER = "Microsoft.KeyVault/vaults/"
"""The prefix of Key Vault's data actions."""

ACTIONS = {
    "certificates/get": "certificates/read",
    "certificates/list": "certificates/read",
    "certificates/create": "certificates/create/action",
    "certificates/import": "certificates/import/action",
    "certificates/update": "certificates/update/action",
    "certificates/delete": "certificates/delete",
    "certificates/recover": "certificates/recover/action",
    "certificates/purge": "certificates/purge/action",
    "certificates/managecontacts": "certificatecontacts/write",
    "secrets/get": "secrets/getSecret/action",
    "secrets/list": "secrets/readMetadata/action",
    "keys/get": "keys/read",
    "keys/list": "keys/read",
    "keys/sign": "keys/sign/action",
}
"""Data action of Azure's roles, without PROVIDER, by the operation that it allows."""

Permissions = Callable[[str, str, str], bool]
"""Whether a principal may do something: its object id (GUID), the operation (a key of ACTIONS), and
the path of the object, such as `/certificates/bot-certificate`; empty for the vault itself."""


class GrantedOperations(dict[str, set[str]]):
    """Permissions by hand: operations by the principal's object id (GUID), for every object."""

    def __call__(self, principal_id: str, operation: str, path: str) -> bool:
        """Whether the operation was granted; the object makes no difference."""
        return operation in self.get(principal_id, ())


def role_permissions(vault_id: str, is_allowed: Callable[[str, str, str], bool]) -> Permissions:
    """Permissions from role assignments, at the vault or at one object in it.

    Args:
        vault_id: resource id of the vault.
        is_allowed: whether a principal (object id, GUID) may perform a data action, such as
            `Microsoft.KeyVault/vaults/keys/sign/action`, at a scope (resource id).
    """

    def may(principal_id: str, operation: str, path: str) -> bool:
        return is_allowed(principal_id, f"{PROVIDER}{ACTIONS[operation]}", f"{vault_id}{path}")

    return may


Answer = Callable[[web.Request], Awaitable[Mapping[str, object] | web.Response]]


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
        self.server = Server(name, self._routes(), tls)

    def _routes(self) -> Iterator[web.RouteDef]:
        """The routes, fixed names before those of objects and versions."""
        contacts, one = "/certificates/contacts", "/certificates/{name}"
        version, deleted = "/{version:[^/]*}", "/deletedcertificates/{name}"
        routes: list[tuple[Callable[[str, Handler], web.RouteDef], str, str, Answer]] = [
            (web.get, "/certificates", "certificates/list", self._list),
            (web.get, contacts, "certificates/managecontacts", self._get_contacts),
            (web.put, contacts, "certificates/managecontacts", self._set_contacts),
            (web.delete, contacts, "certificates/managecontacts", self._delete_contacts),
            (web.post, f"{one}/create", "certificates/create", self._create),
            (web.post, f"{one}/import", "certificates/import", self._import),
            (web.get, f"{one}/pending", "certificates/get", self._get_pending),
            (web.delete, f"{one}/pending", "certificates/update", self._delete_pending),
            (web.get, f"{one}/policy", "certificates/get", self._get_policy),
            (web.patch, f"{one}/policy", "certificates/update", self._update_policy),
            (web.patch, one, "certificates/update", self._update),
            (web.patch, f"{one}{version}", "certificates/update", self._update),
            (web.delete, one, "certificates/delete", self._delete),
            (web.get, "/deletedcertificates", "certificates/list", self._list_deleted),
            (web.get, deleted, "certificates/get", self._get_deleted),
            (web.delete, deleted, "certificates/purge", self._purge),
            (web.post, f"{deleted}/recover", "certificates/recover", self._recover),
            (web.post, f"/keys/{{name}}{version}/sign", "keys/sign", self._sign),
        ]
        for kind in KINDS:
            routes += [
                (web.get, f"/{kind}/{{name}}/versions", f"{kind}/list", self._list_versions),
                (web.get, f"/{kind}/{{name}}", f"{kind}/get", self._get),
                (web.get, f"/{kind}/{{name}}{version}", f"{kind}/get", self._get),
            ]
        for method, path, operation, answer in routes:
            yield method(path, self._guarded(operation, answer))

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
                return web.json_response(error.body, status=error.status, headers=challenge)
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
            raise VaultError("no token")
        issuer = issuer_of(self.tenant_id)
        try:
            claims = self.entra.issuer.verify(token, RESOURCE, issuer)
        except jwt.InvalidTokenError as error:
            raise VaultError("invalid token") from error
        principal_id = claims["oid"]
        caller = f"appid={claims['appid']};oid={principal_id};iss={issuer}"
        if not self.uses_roles():
            allowed = permission.replace("/", " ")
            raise VaultError("access policies", caller, allowed, self.server.name)
        if not self.permissions(principal_id, permission, _object_path(request)):
            action = f"{PROVIDER}{ACTIONS[permission]}"
            raise VaultError("no role", caller, action, request.path)

    async def _list(self, request: web.Request) -> Mapping[str, object]:
        newest = [versions[-1] for _, versions in sorted(self.inventory.versions.items())]
        return page(request, self.url, [self._listed(each) for each in newest])

    async def _list_versions(self, request: web.Request) -> Mapping[str, object]:
        # Sorted by id, as in the service: only `created` says which one is the newest.
        kind = _kind(request)
        versions = self.inventory.known(request.match_info["name"], KINDS[kind])
        ordered = sorted(versions, key=lambda each: each.version)
        return page(request, self.url, [each.listed(kind, self.url) for each in ordered])

    async def _get(self, request: web.Request) -> Mapping[str, object]:
        kind, found = _kind(request), self._requested(request)
        if kind == "keys":
            return found.key_bundle(self.url)
        if kind == "secrets":
            # A disabled certificate can be read; its secret and its key are unavailable.
            if not found.enabled:
                raise VaultError("disabled secret")
            content_type = _content_type(request, found)
            self.secrets_read[content_type] += 1
            return found.secret_bundle(self.url, content_type)
        if request.match_info.get("version"):
            return found.certificate_bundle(self.url)
        return self._current(found)

    async def _create(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await _json(request)
        if body.get("policy") is not None:
            policy = checked_policy(body["policy"])
        elif name in self.inventory.policies:
            policy = self.inventory.policies[name]
        else:
            raise VaultError("invalid property", "policy")
        enabled, tags = _attributes(body)
        self.inventory.check_free(name)
        key = await self._new_key(name, policy["key_props"])
        made = self.inventory.create(name, policy, key, enabled is not False, tags or {})
        answer = self._pending(made)
        query = {"api-version": request.query["api-version"], "request_id": made.request_id}
        location = str(URL(answer["id"]).with_query(query))
        return web.json_response(answer, status=202, headers={"Location": location})

    async def _new_key(self, name: str, key_props: Mapping[str, Any]) -> rsa.RSAPrivateKey:
        versions = self.inventory.versions.get(name)
        if key_props["reuse_key"] and versions:
            return versions[-1].private_key
        # It takes a second at 4096 bits; meanwhile the vault answers others.
        return await asyncio.to_thread(rsa.generate_private_key, 65537, key_props["key_size"])

    async def _import(self, request: web.Request) -> Mapping[str, object]:
        name, body = request.match_info["name"], await _json(request)
        policy, password = _imported_policy(body.get("policy") or {}), body.get("pwd") or ""
        if not isinstance(password, str):
            raise VaultError("invalid property", "pwd")
        enabled, tags = _attributes(body)
        content_type = policy["secret_props"]["contentType"]
        key, certificate = key_pair(str(body.get("value")), password, content_type)
        self.inventory.check_free(name)
        policy = certificate_policy(policy, certificate, key.key_size)
        self.inventory.keep_policy(name, policy)
        made = self.inventory.add_version(
            name,
            key=key,
            certificate=certificate,
            content_type=content_type,
            exportable=policy["key_props"]["exportable"],
            enabled=enabled is not False,
            tags=tags,
        )
        return self._current(made)

    async def _get_pending(self, request: web.Request) -> Mapping[str, object]:
        return self._pending(self._requested_pending(request))

    async def _delete_pending(self, request: web.Request) -> Mapping[str, object]:
        found = self._requested_pending(request)
        del self.inventory.pending[found.name]
        return self._pending(found)

    def _requested_pending(self, request: web.Request) -> PendingCertificate:
        name = request.match_info["name"]
        found = self.inventory.pending.get(name)
        # A request_id is a filter (Key Vault's documentation, monitor and manage creation).
        if found is None or request.query.get("request_id", found.request_id) != found.request_id:
            raise VaultError("not pending", name)
        return found

    async def _get_policy(self, request: web.Request) -> Mapping[str, object]:
        name = request.match_info["name"]
        return self._policy(name, self._kept_policy(name))

    async def _update_policy(self, request: web.Request) -> Mapping[str, object]:
        self._change_policy(request.match_info["name"], await _json(request))
        return await self._get_policy(request)

    async def _update(self, request: web.Request) -> Mapping[str, object]:
        found, body = self._requested(request), await _json(request)
        if body.get("policy") is not None:
            self._change_policy(found.name, body["policy"])
        return self._current(self.inventory.update(found, *_attributes(body)))

    def _change_policy(self, name: str, change: object) -> None:
        changed = changed_policy(self._kept_policy(name), change)
        self.inventory.keep_policy(name, changed)

    def _kept_policy(self, name: str) -> JsonObject:
        if name not in self.inventory.policies:
            raise VaultError("not found", "Certificate", "certificate", name)
        return self.inventory.policies[name]

    async def _delete(self, request: web.Request) -> Mapping[str, object]:
        self.inventory.delete(request.match_info["name"])
        return await self._get_deleted(request)

    async def _list_deleted(self, request: web.Request) -> Mapping[str, object]:
        deleted = [found for _, found in sorted(self.inventory.deleted.items())]
        items = [{**self._deletion(each), **self._listed(each.versions[-1])} for each in deleted]
        return page(request, self.url, items)

    async def _get_deleted(self, request: web.Request) -> Mapping[str, object]:
        found = self.inventory.deleted_one(request.match_info["name"])
        newest = found.versions[-1]
        policy = self._policy(newest.name, found.policy)
        bundle = newest.certificate_bundle(self.url)
        return {**self._deletion(found), **bundle, "policy": policy}

    async def _recover(self, request: web.Request) -> Mapping[str, object]:
        name = request.match_info["name"]
        self.inventory.recover(name)
        return self._current(self.inventory.versions[name][-1])

    async def _purge(self, request: web.Request) -> web.Response:
        self.inventory.purge(request.match_info["name"])
        return web.Response(status=204)

    async def _get_contacts(self, _: web.Request) -> Mapping[str, object]:
        if not self.inventory.contacts:
            raise VaultError("no contacts")
        return {
            "id": f"{self.url}/certificates/contacts",
            "contacts": list(self.inventory.contacts),
        }

    async def _set_contacts(self, request: web.Request) -> Mapping[str, object]:
        contacts = (await _json(request)).get("contacts")
        if not isinstance(contacts, list) or not all(
            isinstance(each, dict) and each.get("email") for each in contacts
        ):
            raise VaultError("invalid property", "contacts")
        self.inventory.contacts[:] = contacts
        return await self._get_contacts(request)

    async def _delete_contacts(self, request: web.Request) -> Mapping[str, object]:
        answer = await self._get_contacts(request)
        self.inventory.contacts.clear()
        return answer

    async def _sign(self, request: web.Request) -> Mapping[str, object]:
        found = self._requested(request)
        _check_usable(found)
        key = found.key_bundle(self.url)["key"]
        if "sign" not in key["key_ops"]:
            raise VaultError("not for signing")
        try:
            body = await request.json()
            scheme = PADDINGS[body["alg"]]
            value = body["value"]
            digest = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            signature = found.private_key.sign(digest, scheme, utils.Prehashed(hashes.SHA256()))
        except (KeyError, TypeError, ValueError) as error:
            message = "alg must be PS256 or RS256 and value a SHA-256 digest in base64url."
            raise VaultError("bad parameter", message) from error
        return {"kid": key["kid"], "value": base64url(signature)}

    def _requested(self, request: web.Request) -> VaultCertificate:
        where, kind = request.match_info, KINDS[_kind(request)]
        return self.inventory.requested(where["name"], where.get("version", ""), kind)

    def _listed(self, newest: VaultCertificate) -> JsonObject:
        """The item in a list of certificates, whose id names no version."""
        where = f"{self.url}/certificates/{newest.name}"
        return {**newest.listed("certificates", self.url), "id": where, "subject": ""}

    def _current(self, found: VaultCertificate) -> JsonObject:
        """A certificate with its policy, and with its last creation, if it was created here."""
        policy = self._policy(found.name, self._kept_policy(found.name))
        bundle = {**found.certificate_bundle(self.url), "policy": policy}
        if found.name in self.inventory.pending:
            bundle["pending"] = {"id": f"{self.url}/certificates/{found.name}/pending"}
        return bundle

    def _policy(self, name: str, policy: JsonObject) -> JsonObject:
        return {"id": f"{self.url}/certificates/{name}/policy", **policy}

    def _pending(self, pending: PendingCertificate) -> JsonObject:
        base = f"{self.url}/certificates/{pending.name}"
        answer: JsonObject = {
            "id": f"{base}/pending",
            "issuer": pending.policy["issuer"],
            "csr": pending.csr,
            "cancellation_requested": False,
            "request_id": pending.request_id,
        }
        if pending.completed:
            return {**answer, "status": "completed", "target": base}
        details = _IN_PROGRESS if pending.policy["issuer"]["name"] == SELF else _TO_BE_MERGED
        return {**answer, "status": "inProgress", "status_details": details}

    def _deletion(self, found: DeletedCertificate) -> JsonObject:
        days = self.inventory.retention().days
        return {
            "recoveryId": f"{self.url}/deletedcertificates/{found.versions[-1].name}",
            "deletedDate": found.deleted,
            "scheduledPurgeDate": found.deleted + days * SECONDS_A_DAY,
        }


def _kind(request: web.Request) -> str:
    """A key of KINDS."""
    return request.path.split("/")[1].removeprefix("deleted")


def _object_path(request: web.Request) -> str:
    """The path of the object that a request is for; empty for the vault itself."""
    name = request.match_info.get("name")
    return f"/{_kind(request)}/{name}" if name else ""


def _check_request(request: web.Request) -> None:
    """Refuse a version of the API, or a name, that Key Vault does not have."""
    version = request.query.get("api-version")
    if not version:
        raise VaultError("bad parameter", "api-version must be specified")
    if not API_VERSION.fullmatch(version):
        raise VaultError("bad parameter", f"The specified version ({version}) is not recognized.")
    name = request.match_info.get("name")
    if name is not None and not OBJECT_NAME.fullmatch(name):
        raise VaultError("bad parameter", f"The request URI contains an invalid name: {name}")


def _check_usable(found: VaultCertificate) -> None:
    """Refuse a key that is disabled, expired or not valid yet, as Key Vault does."""
    if not found.enabled:
        raise VaultError("disabled key")
    start, end = found.certificate.not_valid_before_utc, found.certificate.not_valid_after_utc
    if not start <= datetime.datetime.now(datetime.UTC) <= end:
        raise VaultError("not valid now")


def _content_type(request: web.Request, found: VaultCertificate) -> str:
    """The requested format of a secret; the secret's own, if the request names none."""
    requested = request.query.get("outContentType") or found.content_type
    # Key Vault converts PFX to PEM only (REST reference of get-secret, `outContentType`).
    if requested != found.content_type and (found.content_type, requested) != (PKCS12, PEM):
        message = f"A secret of type {found.content_type} cannot be converted to {requested}."
        raise VaultError("bad parameter", message)
    return requested


async def _json(request: web.Request) -> JsonObject:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise VaultError("bad parameter", "The request body is no JSON object")
    return body


def _attributes(body: Mapping[str, Any]) -> tuple[bool | None, Mapping[str, str] | None]:
    """Whether a version is to be enabled, and its tags; None: the request does not say."""
    attributes, tags = body.get("attributes") or {}, body.get("tags")
    if not isinstance(attributes, dict):
        raise VaultError("invalid property", "attributes")
    enabled = attributes.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise VaultError("invalid property", "enabled")
    is_map = isinstance(tags, dict) and all(isinstance(each, str) for each in tags.values())
    if tags is not None and not is_map:
        raise VaultError("invalid property", "tags")
    return enabled, tags


def _imported_policy(given: object) -> JsonObject:
    """The policy of an import, which need not repeat the subject of the certificate."""
    if isinstance(given, dict) and isinstance(given.get("x509_props") or {}, dict):
        x509 = given.get("x509_props") or {}
        given = {**given, "x509_props": {**x509, "subject": x509.get("subject") or "CN=imported"}}
    return checked_policy(given)


def page(request: web.Request, url: str, items: Sequence[object]) -> Mapping[str, object]:
    """The requested page of a list, with the link to the next one.

    Args:
        request: names the page with `$skiptoken` and its size with `maxresults`.
        url: the vault's base URL.
        items: the whole list.

    Raises:
        VaultError: 400, the page or its size is not a number, or is too small.
    """
    start = _number(request, "$skiptoken", 0, least=0)
    size = min(_number(request, "maxresults", PAGE_SIZE, least=1), PAGE_SIZE)
    answer: dict[str, object] = {"value": list(items[start : start + size]), "nextLink": None}
    if start + size < len(items):
        query = {**request.query, "$skiptoken": str(start + size), "maxresults": str(size)}
        answer["nextLink"] = f"{url}{request.rel_url.with_query(query)}"
    return answer


def _number(request: web.Request, name: str, default: int, *, least: int) -> int:
    value = request.query.get(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise VaultError("bad parameter", f"{name} must be a whole number, at least {least}.")
    return int(value)
