"""FunctionApps: the apps that the signed-in account sees, found by the host name of an endpoint."""

from functools import cached_property
from urllib.parse import urlsplit

from admin.azure.arm_client import SITE, ArmClient
from admin.azure.errors import Forbidden, NotFound
from admin.azure.json_object import JsonObject
from admin.azure.resources import ResourceId, find_resources


def hosts_of(site: JsonObject) -> set[str]:
    """All host names of an app as Resource Manager returns it, in lower case."""
    properties = site.get("properties") or {}
    names = [properties.get("defaultHostName"), *(properties.get("hostNames") or ())]
    return {str(name).lower() for name in names if name}


class FunctionApps:
    """The apps; they are listed once, and each is read once for its host names.

    Args:
        arm: the client.
    """

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._hosts: dict[str, set[str]] = {}

    @cached_property
    def _listed(self) -> list[ResourceId]:
        return find_resources(self._arm, SITE)

    def at(self, endpoint: str) -> ResourceId:
        """The app that answers at an endpoint (URL).

        Raises:
            NotFound: no app has this host name, or a slot has it.
            AzureProblem: the apps cannot be listed.
        """
        host = urlsplit(endpoint).hostname
        if not host:
            raise NotFound("the bot has no endpoint: name the Function App with --app")
        # Only its host names identify an app: a default one may have a hash and a region, and then
        # the plain name may be a stranger's. Names say which apps to ask first.
        likely = [one for one in self._listed if host.startswith(one.name.lower())]
        for app in (*likely, *(one for one in self._listed if one not in likely)):
            if host in self._hosts_at(app):
                return app
        self._refuse_slots(likely, host)
        raise NotFound(
            f"no app that your account sees has the host name {host!r} of the endpoint: name the"
            " Function App with --app"
        )

    def _hosts_at(self, app: ResourceId) -> set[str]:
        if app.id not in self._hosts:
            try:
                self._hosts[app.id] = hosts_of(self._arm.get(app.id))
            except (NotFound, Forbidden):  # it was just deleted, or is not the account's to read
                return set()
        return self._hosts[app.id]

    def _refuse_slots(self, apps: list[ResourceId], host: str) -> None:
        for app in apps:
            for slot in self._arm.pages(f"{app.id}/slots"):
                if host in hosts_of(slot):
                    raise NotFound(
                        f"{host} is the slot {slot['name'].rpartition('/')[2]} of {app.name}, and"
                        f" these commands work on apps: swap the slot, and move the endpoint to"
                        f" {app.name}; or name another Function App with --app"
                    )
