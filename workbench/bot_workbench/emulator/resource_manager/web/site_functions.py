"""SiteFunctions: the functions of a Function App, and the keys that their callers send."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from bot_workbench.emulator.resource_manager.core.arm_error import ArmError
from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType
from bot_workbench.emulator.resource_manager.web.sites import Sites

KEYS = "functionKeys"

Functions = Mapping[str, Sequence[Mapping[str, Any]]]
"""The bindings of each function by its name, as in function.json."""


class SiteFunctions(ResourceType):
    """`functions`, `functions/NAME/listKeys` and `host/default/listKeys`.

    A key is made when it is first asked for.
    """

    tracked = False
    state = ""

    def __init__(self, name: str, store: ResourceStore, sites: Sites) -> None:
        super().__init__(name, store)
        self._sites = sites

    def deploy(self, site_id: str, functions: Functions) -> None:
        """Replace a site's functions, as a deployment of code does."""
        for each in self.store.of_type(self.name, site_id):
            self.store.remove(each.id)
        site = self._site(site_id)
        for name, bindings in functions.items():
            properties = {
                "name": name,
                "function_app_id": site.id,
                "invoke_url_template": _url(site.properties["defaultHostName"], name, bindings),
                "config": {"name": name, "bindings": [dict(each) for each in bindings]},
                "isDisabled": False,
                "language": "python",
            }
            function_id = f"{site.id}/functions/{name}"
            self.store.add(Resource(function_id, self.name, {"properties": properties}))

    def function_key(self, site_id: str, function: str) -> str:
        """The default key of a function of a site (id in any case).

        Raises:
            KeyError: there is no such site.
        """
        return self._key(self._site(site_id), f"function/{function.lower()}")

    def host_key(self, site_id: str) -> str:
        """The default host key of a site, which is valid for all its functions.

        Raises:
            KeyError: there is no such site.
        """
        return self._key(self._site(site_id), "host")

    def master_key(self, site_id: str) -> str:
        """The master key of a site's host.

        Raises:
            KeyError: there is no such site.
        """
        return self._key(self._site(site_id), "master")

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """The keys of a function, or of the host."""
        if action != "listkeys":
            return super().act(request, action)
        owner = request.id.parent
        site = self._sites.existing(owner.parent)
        if owner.type.lower().endswith("/host"):
            return ArmReply(
                {
                    "masterKey": self.master_key(site.id),
                    "functionKeys": {"default": self.host_key(site.id)},
                    "systemKeys": {},
                }
            )
        self._check_known(site, owner)
        return ArmReply({"default": self.function_key(site.id, owner.name)})

    def _check_known(self, site: Resource, function: ResourceId) -> None:
        deployed = self.store.of_type(self.name, site.id)
        if deployed and function.text not in self.store:
            raise ArmError(404, "NotFound", f"Function with name '{function.name}' is not found.")

    def answer(self, resource: Resource) -> JsonObject:
        """The function, whose name has that of its site."""
        return {**resource.answer(), "name": ResourceId(resource.id).full_name}

    def _site(self, site_id: str) -> Resource:
        site = self.store.find(site_id)
        if site is None:
            raise KeyError(site_id)
        return site

    @staticmethod
    def _key(site: Resource, name: str) -> str:
        keys: dict[str, str] = site.hidden.setdefault(KEYS, {})
        return keys.setdefault(name, f"{secrets.token_urlsafe(40)}==")


def _url(host: str, name: str, bindings: Sequence[Mapping[str, Any]]) -> str | None:
    """Where a function with an HTTP trigger answers; None for another one."""
    for each in bindings:
        if str(each.get("type")).lower() == "httptrigger":
            return f"https://{host}/api/{each.get('route') or name}"
    return None
