"""Storage accounts as resources."""

import base64
import re
import secrets

from bot_workbench.emulator.resource_manager.errors import ArmError, error
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from bot_workbench.emulator.resource_manager.resource_type import (
    ArmReply,
    ArmRequest,
    Tenant,
    Write,
    availability,
    existing,
)

STORAGE_ACCOUNTS = "Microsoft.Storage/storageAccounts"
NAME = re.compile(r"^[a-z0-9]{3,24}$")
SERVICES = ("dfs", "web", "blob", "queue", "table", "file")
KEYS = "keys"


def accept_account(write: Write) -> JsonObject:
    """A name is unique in all of Azure."""
    name = write.request.id.name
    if write.existing is None and (problem := _name_problem(write.request, name)):
        raise problem
    endpoints = {each: f"https://{name}.{each}.core.windows.net/" for each in SERVICES}
    properties = {
        "encryption": {"keySource": "Microsoft.Storage"},
        "networkAcls": {
            "bypass": "AzureServices",
            "defaultAction": "Allow",
            "ipRules": [],
            "virtualNetworkRules": [],
        },
        **write.known,
        **{key: value for key, value in write.sent.items() if value is not None},
        "primaryEndpoints": endpoints,
        "primaryLocation": write.body["location"],
        "statusOfPrimary": "available",
    }
    return write.body | {"properties": properties}


def _name_problem(request: ArmRequest, name: str) -> ArmError | None:
    """Why a new account cannot have a name."""
    if not NAME.match(name):
        return error("AccountNameInvalid", name=name)
    is_taken = any(each.name == name for each in request.store.of_type(STORAGE_ACCOUNTS))
    return error("StorageAccountAlreadyTaken", name=name) if is_taken else None


def check_account_name(request: ArmRequest) -> ArmReply:
    """`checkNameAvailability`."""
    return availability(_name_problem(request, str(request.body.get("name") or "")))


def account_changed(tenant: Tenant, account: Resource) -> None:
    """Every account has a default blob, queue, table and file service."""
    if account.id not in tenant.resources:
        return
    for service in ("blob", "queue", "table", "file"):
        service_id = f"{account.id}/{service}Services/default"
        if service_id not in tenant.resources:
            type_name = f"{STORAGE_ACCOUNTS}/{service}Services"
            tenant.resources.add(Resource(service_id, type_name, {"properties": {}}))


def list_keys(request: ArmRequest) -> ArmReply:
    """`listKeys`; the keys are made when they are first asked for."""
    account = existing(request, request.id.parent)
    keys = account.hidden.setdefault(KEYS, [_key(), _key()])
    listed = [
        {"keyName": f"key{number}", "value": key, "permissions": "FULL"}
        for number, key in enumerate(keys, 1)
    ]
    return ArmReply({"keys": listed})


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()
