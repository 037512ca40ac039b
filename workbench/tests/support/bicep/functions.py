"""The functions that Resource Manager offers to a template, as far as this project uses them."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIXES = {
    "Public": {"keyvaultDns": ".vault.azure.net", "storage": "core.windows.net"},
    "USGovernment": {
        "keyvaultDns": ".vault.usgovcloudapi.net",
        "storage": "core.usgovcloudapi.net",
    },
    "China": {"keyvaultDns": ".vault.azure.cn", "storage": "core.chinacloudapi.cn"},
}
"""What `environment().suffixes` says in each cloud (`az cloud show --query suffixes`)."""

_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


@dataclass(frozen=True)
class Scope:
    """Where a file is deployed.

    Attributes:
        subscription_id: GUID.
        tenant_id: GUID.
        group: name of the resource group; empty: the subscription.
        cloud: a key of SUFFIXES.
    """

    subscription_id: str
    tenant_id: str
    group: str = ""
    cloud: str = "Public"

    @property
    def id(self) -> str:
        """The scope's resource id."""
        subscription = f"/subscriptions/{self.subscription_id}"
        return f"{subscription}/resourceGroups/{self.group}" if self.group else subscription


def functions_in(scope: Scope, folder: Path) -> Mapping[str, Callable[..., Any]]:
    """The functions by name, for a file in a folder that is deployed to a scope."""
    return {
        "empty": lambda value: not value,
        "environment": lambda: {"suffixes": SUFFIXES[scope.cloud]},
        "guid": lambda *parts: str(uuid.uuid5(_NAMESPACE, "-".join(parts))),
        "length": len,
        "loadJsonContent": lambda path: json.loads((folder / path).read_text("utf-8")),
        "loadTextContent": lambda path: (folder / path).read_text("utf-8"),
        "replace": lambda text, old, new: text.replace(old, new),
        "resourceGroup": lambda subscription_id, name: {
            "subscriptionId": subscription_id,
            "name": name,
        },
        "split": lambda text, separator: text.split(separator),
        "subscription": lambda: {
            "id": f"/subscriptions/{scope.subscription_id}",
            "subscriptionId": scope.subscription_id,
        },
        "subscriptionResourceId": lambda kind, name: (
            f"/subscriptions/{scope.subscription_id}/providers/{kind}/{name}"
        ),
        "tenant": lambda: {"tenantId": scope.tenant_id},
        "toLower": str.lower,
        "union": _union,
        "uniqueString": lambda *parts: hashlib.sha256("-".join(parts).encode()).hexdigest()[:13],
    }


def _union(*parts: Any) -> Any:
    if all(isinstance(part, dict) for part in parts):
        return {name: value for part in parts for name, value in part.items()}
    return [each for part in parts for each in part]
