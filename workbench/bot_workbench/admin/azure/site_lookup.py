"""SiteLookup: the Function Apps and web apps of the account, found by the host of an endpoint."""

from functools import cached_property
from urllib.parse import urlsplit

from bot_workbench.admin.azure.arm_client import SITE, ArmClient
from bot_workbench.admin.azure.errors import Forbidden, NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, find_resources


def host_of(url: str) -> str:
    """The host name of a URL, in lower case; empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def answers_at(site: JsonObject, endpoint: str) -> bool:
    """Whether an endpoint is an app's, by any of its host names.

    Args:
        site: the app as Resource Manager returns it.
        endpoint: URL.
    """
    properties = site.get("properties") or {}
    names = [properties.get("defaultHostName"), *(properties.get("hostNames") or ())]
    return host_of(endpoint) in {str(name).lower() for name in names if name}


class SiteLookup:
    """The apps; they are listed once, and each is read once for its host names.

    Args:
        arm: the client.
    """

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._read: dict[str, JsonObject] = {}

    @cached_property
    def _listed(self) -> list[ResourceId]:
        return find_resources(self._arm, SITE)

    def at(self, endpoint: str) -> ResourceId:
        """The app that answers at an endpoint (URL).

        Raises:
            NotFound: no app has this host name, or a slot has it.
            AzureProblem: the apps cannot be listed.
        """
        host = host_of(endpoint)
        if not host:
            raise NotFound(
                f"the endpoint {endpoint!r} names no host: name the Function App with --app"
            )
        # Only its host names identify an app: a default one may have a hash and a region, and then
        # the plain name may be a stranger's. Names say which apps to ask first.
        likely = [one for one in self._listed if host.startswith(one.name.lower())]
        for app in (*likely, *(one for one in self._listed if one not in likely)):
            if answers_at(self._site(app), endpoint):
                return app
        self._refuse_slots(likely, endpoint)
        raise NotFound(
            f"no app that your account sees has the host name {host!r} of the endpoint: name the"
            " Function App with --app"
        )

    def _site(self, app: ResourceId) -> JsonObject:
        """The app; an empty object if the account cannot read it."""
        if app.id not in self._read:
            try:
                self._read[app.id] = self._arm.get(app.id)
            except (NotFound, Forbidden):  # it was just deleted, or is not the account's to read
                return {}
        return self._read[app.id]

    def _refuse_slots(self, apps: list[ResourceId], endpoint: str) -> None:
        for app in apps:
            for slot in self._arm.pages(f"{app.id}/slots"):
                if answers_at(slot, endpoint):
                    raise NotFound(
                        f"{host_of(endpoint)} is the slot {slot['name'].rpartition('/')[2]} of"
                        f" {app.name}, and these commands work on apps: swap the slot, and move the"
                        f" endpoint to {app.name}; or name another Function App with --app"
                    )
