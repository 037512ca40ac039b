"""CertificateOperations: Key Vault's operations on certificates."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from yarl import URL

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.key_vault.certificate import VaultCertificate
from bot_workbench.emulator.key_vault.errors import (
    VaultError,
    bad_parameter,
    invalid_property,
    not_found,
)
from bot_workbench.emulator.key_vault.import_file import key_pair
from bot_workbench.emulator.key_vault.inventory import (
    CertificateInventory,
    KeptPolicy,
    PendingCertificate,
)
from bot_workbench.emulator.key_vault.issuance import months_of
from bot_workbench.emulator.key_vault.paging import page
from bot_workbench.emulator.key_vault.policy import SELF, CertificatePolicy

Answer = Callable[[web.Request], Awaitable[Mapping[str, object] | web.Response]]
Guard = Callable[[str, Answer], Handler]
"""Makes a handler of an answer, for callers who may do the operation (a key of `ACTIONS`)."""

SECONDS_A_DAY = 86400

_IN_PROGRESS = (
    "Pending certificate created. Certificate request is in progress. This may take some time based"
    " on the issuer provider. Please check again later."
)
_TO_BE_MERGED = "Pending certificate created. Please Perform Merge to complete the request."


class CertificateOperations:
    """Answers requests for certificates, as the Key Vault REST reference describes them.

    Args:
        inventory: the vault's certificates.
        url: the vault's base URL; called for each answer.
    """

    def __init__(self, inventory: CertificateInventory, url: Callable[[], str]) -> None:
        self._inventory = inventory
        self._url = url

    def routes(self, guarded: Guard) -> list[web.RouteDef]:
        """The routes, the fixed names before those of certificates."""
        contacts, one = "/certificates/contacts", "/certificates/{name}"
        version, deleted = f"{one}/{{version:[^/]*}}", "/deletedcertificates/{name}"
        manage, get = "certificates/managecontacts", "certificates/get"
        read = guarded(get, self._get)
        update = guarded("certificates/update", self._update)
        return [
            web.get("/certificates", guarded("certificates/list", self._list)),
            web.get(contacts, guarded(manage, self._get_contacts)),
            web.put(contacts, guarded(manage, self._set_contacts)),
            web.delete(contacts, guarded(manage, self._delete_contacts)),
            web.post(f"{one}/create", guarded("certificates/create", self._create)),
            web.post(f"{one}/import", guarded("certificates/import", self._import)),
            web.get(f"{one}/pending", guarded(get, self._get_pending)),
            web.delete(f"{one}/pending", guarded("certificates/update", self._delete_pending)),
            web.get(f"{one}/policy", guarded(get, self._get_policy)),
            web.patch(f"{one}/policy", guarded("certificates/update", self._update_policy)),
            web.get(f"{one}/versions", guarded("certificates/list", self._list_versions)),
            web.get(one, read),
            web.get(version, read),
            web.patch(one, update),
            web.patch(version, update),
            web.delete(one, guarded("certificates/delete", self._delete)),
            web.get("/deletedcertificates", guarded("certificates/list", self._list_deleted)),
            web.get(deleted, guarded(get, self._get_deleted)),
            web.delete(deleted, guarded("certificates/purge", self._purge)),
            web.post(f"{deleted}/recover", guarded("certificates/recover", self._recover)),
        ]

    async def _list(self, request: web.Request) -> Mapping[str, object]:
        newest = [versions[-1] for _, versions in sorted(self._inventory.versions.items())]
        return page(request, self._url(), [self._listed(each) for each in newest])

    async def _list_versions(self, request: web.Request) -> Mapping[str, object]:
        # Sorted by id, as in the service: only `created` says which one is the newest.
        versions = self._inventory.known(request.match_info["name"], "Certificate")
        url, ordered = self._url(), sorted(versions, key=lambda each: each.version)
        return page(request, url, [each.listed_certificate(url) for each in ordered])

    async def _get(self, request: web.Request) -> Mapping[str, object]:
        # A disabled certificate can be read; its secret and its key are unavailable.
        found = self._requested(request)
        if request.match_info.get("version"):
            return found.certificate_bundle(self._url())
        return self._current(found)

    async def _create(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await _json(request)
        kept = self._inventory.policies.get(name)
        if body.get("policy") is not None:
            policy = CertificatePolicy.from_json(body["policy"])
        elif kept is not None:
            policy = kept.policy
        else:
            raise invalid_property("policy")
        enabled, tags = _attributes(body)
        self._inventory.check_free(name)
        key = await self._key(name, policy)
        made = self._inventory.create(name, policy, key, enabled is not False, tags or {})
        answer = self._pending(name, made)
        query = {"api-version": request.query["api-version"], "request_id": made.request_id}
        location = str(URL(answer["id"]).with_query(query))
        return web.json_response(answer, status=202, headers={"Location": location})

    async def _key(self, name: str, policy: CertificatePolicy) -> rsa.RSAPrivateKey:
        versions = self._inventory.versions.get(name)
        if policy.reuse_key and versions:
            return versions[-1].private_key
        # It takes a second at 4096 bits; meanwhile the vault answers others.
        return await asyncio.to_thread(rsa.generate_private_key, 65537, policy.key_size)

    async def _import(self, request: web.Request) -> Mapping[str, object]:
        name, body = request.match_info["name"], await _json(request)
        policy, password = _imported_policy(body.get("policy") or {}), body.get("pwd") or ""
        if not isinstance(password, str):
            raise invalid_property("pwd")
        enabled, tags = _attributes(body)
        key, certificate = key_pair(str(body.get("value")), password, policy.content_type)
        self._inventory.check_free(name)
        subject, months = certificate.subject.rfc4514_string(), months_of(certificate)
        self._inventory.keep_policy(name, policy.imported(subject, key.key_size, months))
        made = self._inventory.add_version(
            name,
            key=key,
            certificate=certificate,
            content_type=policy.content_type,
            exportable=policy.exportable,
            enabled=enabled is not False,
            tags=tags,
        )
        return self._current(made)

    async def _get_pending(self, request: web.Request) -> Mapping[str, object]:
        name = request.match_info["name"]
        return self._pending(name, self._requested_pending(request))

    async def _delete_pending(self, request: web.Request) -> Mapping[str, object]:
        name = request.match_info["name"]
        answer = self._pending(name, self._requested_pending(request))
        del self._inventory.pending[name]
        return answer

    def _requested_pending(self, request: web.Request) -> PendingCertificate:
        name = request.match_info["name"]
        found = self._inventory.pending.get(name)
        # A request_id is a filter (Key Vault's documentation, monitor and manage creation).
        if found is None or request.query.get("request_id", found.request_id) != found.request_id:
            message = f"Pending certificate not found: {name}"
            raise VaultError(404, "PendingCertificateNotFound", message)
        return found

    async def _get_policy(self, request: web.Request) -> Mapping[str, object]:
        return self._policy(request.match_info["name"])

    async def _update_policy(self, request: web.Request) -> Mapping[str, object]:
        name = request.match_info["name"]
        changed = self._kept(name).policy.changed(await _json(request))
        self._inventory.keep_policy(name, changed)
        return self._policy(name)

    async def _update(self, request: web.Request) -> Mapping[str, object]:
        found, body = self._requested(request), await _json(request)
        if body.get("policy") is not None:
            changed = self._kept(found.name).policy.changed(body["policy"])
            self._inventory.keep_policy(found.name, changed)
        return self._current(self._inventory.update(found, *_attributes(body)))

    async def _delete(self, request: web.Request) -> Mapping[str, object]:
        name = request.match_info["name"]
        self._inventory.delete(name)
        return self._deleted(name)

    async def _list_deleted(self, request: web.Request) -> Mapping[str, object]:
        items = []
        for name, found in sorted(self._inventory.deleted.items()):
            items.append({**self._deletion(name), **self._listed(found.versions[-1])})
        return page(request, self._url(), items)

    async def _get_deleted(self, request: web.Request) -> Mapping[str, object]:
        return self._deleted(request.match_info["name"])

    async def _recover(self, request: web.Request) -> Mapping[str, object]:
        name = request.match_info["name"]
        self._inventory.recover(name)
        return self._current(self._inventory.versions[name][-1])

    async def _purge(self, request: web.Request) -> web.Response:
        self._inventory.purge(request.match_info["name"])
        return web.Response(status=204)

    async def _get_contacts(self, _: web.Request) -> Mapping[str, object]:
        if not self._inventory.contacts:
            raise VaultError(404, "ContactsNotFound", "Contacts not found")
        return {
            "id": f"{self._url()}/certificates/contacts",
            "contacts": list(self._inventory.contacts),
        }

    async def _set_contacts(self, request: web.Request) -> Mapping[str, object]:
        contacts = (await _json(request)).get("contacts")
        if not isinstance(contacts, list) or not all(
            isinstance(each, dict) and each.get("email") for each in contacts
        ):
            raise invalid_property("contacts")
        self._inventory.contacts[:] = contacts
        return await self._get_contacts(request)

    async def _delete_contacts(self, request: web.Request) -> Mapping[str, object]:
        answer = await self._get_contacts(request)
        self._inventory.contacts.clear()
        return answer

    def _requested(self, request: web.Request) -> VaultCertificate:
        where = request.match_info
        return self._inventory.requested(where["name"], where.get("version", ""), "Certificate")

    def _listed(self, newest: VaultCertificate) -> dict[str, Any]:
        """The item in a list of certificates, whose id names no version."""
        where = f"{self._url()}/certificates/{newest.name}"
        return {**newest.listed_certificate(self._url()), "id": where, "subject": ""}

    def _current(self, found: VaultCertificate) -> dict[str, Any]:
        """A certificate with its policy, and with its last creation, if it was created here."""
        bundle = {**found.certificate_bundle(self._url()), "policy": self._policy(found.name)}
        if found.name in self._inventory.pending:
            bundle["pending"] = {"id": f"{self._url()}/certificates/{found.name}/pending"}
        return bundle

    def _kept(self, name: str) -> KeptPolicy:
        kept = self._inventory.policies.get(name)
        if kept is None:
            raise not_found("Certificate", name)
        return kept

    def _policy(self, name: str) -> dict[str, Any]:
        return self._policy_json(name, self._kept(name))

    def _policy_json(self, name: str, kept: KeptPolicy) -> dict[str, Any]:
        dates = {"enabled": True, "created": kept.created, "updated": kept.updated}
        where = f"{self._url()}/certificates/{name}/policy"
        return {"id": where, **kept.policy.to_json(), "attributes": dates}

    def _pending(self, name: str, pending: PendingCertificate) -> dict[str, Any]:
        base = f"{self._url()}/certificates/{name}"
        answer: dict[str, Any] = {
            "id": f"{base}/pending",
            "issuer": {"name": pending.policy.issuer},
            "csr": pending.csr,
            "cancellation_requested": False,
            "request_id": pending.request_id,
        }
        if pending.completed:
            return {**answer, "status": "completed", "target": base}
        details = _IN_PROGRESS if pending.policy.issuer == SELF else _TO_BE_MERGED
        return {**answer, "status": "inProgress", "status_details": details}

    def _deleted(self, name: str) -> dict[str, Any]:
        found = self._inventory.deleted_one(name)
        bundle = found.versions[-1].certificate_bundle(self._url())
        return {**self._deletion(name), **bundle, "policy": self._policy_json(name, found.kept)}

    def _deletion(self, name: str) -> dict[str, Any]:
        deleted = self._inventory.deleted_one(name).deleted
        return {
            "recoveryId": f"{self._url()}/deletedcertificates/{name}",
            "deletedDate": deleted,
            "scheduledPurgeDate": deleted + self._inventory.retention().days * SECONDS_A_DAY,
        }


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_parameter("The request body is no JSON object")
    return body


def _attributes(body: Mapping[str, Any]) -> tuple[bool | None, Mapping[str, str] | None]:
    """Whether a version is to be enabled, and its tags; None: the request does not say."""
    attributes, tags = body.get("attributes") or {}, body.get("tags")
    if not isinstance(attributes, dict):
        raise invalid_property("attributes")
    enabled = attributes.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise invalid_property("enabled")
    is_map = isinstance(tags, dict) and all(isinstance(each, str) for each in tags.values())
    if tags is not None and not is_map:
        raise invalid_property("tags")
    return enabled, tags


def _imported_policy(given: object) -> CertificatePolicy:
    """The policy of an import, which need not repeat the subject of the certificate."""
    if isinstance(given, dict) and isinstance(given.get("x509_props") or {}, dict):
        x509 = given.get("x509_props") or {}
        given = {**given, "x509_props": {**x509, "subject": x509.get("subject") or "CN=imported"}}
    return CertificatePolicy.from_json(given)
