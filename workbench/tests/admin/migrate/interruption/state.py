"""The end state of a migration, without the values that differ from run to run."""

import json
import re
from typing import Any

from cryptography.hazmat.primitives import hashes

from bot_workbench.emulator.resource_manager.resource import Resource
from tests.admin.migrate.migration import Migration

KINDS = (
    "Microsoft.BotService/botServices",
    "Microsoft.BotService/botServices/channels",
    "Microsoft.BotService/botServices/connections",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Authorization/roleAssignments",
)
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\"\\]*")
VOLATILE = {"etag", "createdOn", "updatedOn", "createdBy", "updatedBy", "changedTime", "settingId"}


def state_of(migration: Migration) -> dict[str, Any]:
    """Everything that the commands may change; run it on the local Azure's loop."""
    azure, registration = migration.thread.azure, migration.old.registration
    manager = azure.resource_manager
    sites = (migration.old.site, migration.new.site)
    found = {
        "secrets": [secret.display_name for secret in registration.secrets],
        "certificates": [_thumbprint(one) for one in registration.certificates],
        "federated": sorted(
            [one.name, one.issuer, one.subject, one.audience]
            for one in registration.federated_credentials
        ),
        "settings": {site.name: manager.app_settings(site.id) for site in sites},
        "identities": {
            site.name: sorted(
                (manager.resources.find(site.id) or site)
                .body.get("identity", {})
                .get("userAssignedIdentities", {})
            )
            for site in sites
        },
        "vault": {
            name: [_thumbprint(version.certificate) for version in versions]
            for vault in azure.vaults.values()
            for name, versions in vault.inventory.versions.items()
        },
    }
    for kind in KINDS:
        found[kind] = sorted(
            (json.dumps(_body(one), sort_keys=True) for one in manager.resources.of_type(kind)),
        )
    return _named(found, migration)


def _thumbprint(certificate: Any) -> str:
    return str(certificate.fingerprint(hashes.SHA1()).hex().upper())  # noqa: S303  # an identifier


def _body(resource: Resource) -> Any:
    name = "" if "roleAssignments" in resource.type else resource.id
    return [name, _without_volatile(resource.body)]


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_volatile(inner) for name, inner in value.items() if name not in VOLATILE
        }
    if isinstance(value, list):
        return [_without_volatile(inner) for inner in value]
    return value


def _named(found: dict[str, Any], migration: Migration) -> dict[str, Any]:
    """Replace ids that differ from run to run by names."""
    azure, identity = migration.thread.azure, migration.new.identity
    text = json.dumps(found, sort_keys=True)
    thumbprints = [each for versions in found["vault"].values() for each in versions]
    names = {
        migration.old.registration.app_id: "APP",
        azure.directory.tenant_id: "TENANT",
        azure.resource_manager.subscription_id: "SUBSCRIPTION",
        identity["principalId"]: "PRINCIPAL",
        identity["clientId"]: "CLIENT",
        azure.pipeline.object_id: "PIPELINE",
        **{each: f"THUMBPRINT-{place}" for place, each in enumerate(thumbprints)},
    }
    for value, name in names.items():
        text = re.sub(re.escape(value), name, text, flags=re.IGNORECASE)
    secret = azure.resource_manager.app_settings(migration.old.site.id).get("MicrosoftAppPassword")
    if secret:
        text = text.replace(json.dumps(secret), '"SECRET"')
    named: dict[str, Any] = json.loads(TIME.sub("TIME", GUID.sub("GUID", text)))
    for kind in KINDS:
        named[kind].sort()  # ordered by ids until now
    return named
