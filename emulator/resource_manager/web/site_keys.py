"""SiteKeys: keys that callers of a Function App's functions send."""

import secrets

from emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from emulator.resource_manager.core.resource import Resource, ResourceStore
from emulator.resource_manager.core.resource_type import ResourceType
from emulator.resource_manager.web.sites import Sites

KEYS = "functionKeys"


class SiteKeys(ResourceType):
    """`functions/NAME/listKeys` and `host/default/listKeys`.

    Each key is made when it is first asked for.
    """

    tracked = False
    state = ""

    def __init__(self, name: str, store: ResourceStore, sites: Sites) -> None:
        super().__init__(name, store)
        self._sites = sites

    def function_key(self, site_id: str, function: str) -> str:
        """The default key of a function of a site (id in any case).

        Raises:
            KeyError: there is no such site.
        """
        site = self.store.find(site_id)
        if site is None:
            raise KeyError(site_id)
        return self._key(site, f"function/{function.lower()}")

    def act(self, request: ArmRequest, action: str) -> ArmReply:
        """The keys of a function, or of the host."""
        if action != "listkeys":
            return super().act(request, action)
        owner = request.id.parent
        site = self._sites.existing(owner.parent)
        if owner.type.lower().endswith("/host"):
            keys = {"default": self._key(site, "host")}
            return ArmReply(
                {"masterKey": self._key(site, "master"), "functionKeys": keys, "systemKeys": {}}
            )
        return ArmReply({"default": self.function_key(site.id, owner.name)})

    @staticmethod
    def _key(site: Resource, name: str) -> str:
        keys: dict[str, str] = site.hidden.setdefault(KEYS, {})
        return keys.setdefault(name, f"{secrets.token_urlsafe(40)}==")
