"""Finding resources by name, and apps by the host of an endpoint, in all subscriptions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlsplit

from bot_workbench.admin.azure.arm_client import (
    BOT,
    IDENTITY,
    INSIGHTS,
    SITE,
    STORAGE,
    VAULT,
    ArmClient,
)
from bot_workbench.admin.azure.errors import (
    Ambiguous,
    AzureProblem,
    Forbidden,
    NotFound,
    UnknownName,
)
from bot_workbench.admin.azure.json_object import JsonObject

SUBSCRIPTIONS_API_VERSION = "2022-12-01"

KINDS = {
    BOT: "Azure Bot",
    SITE: "app",
    VAULT: "key vault",
    IDENTITY: "managed identity",
    STORAGE: "storage account",
    INSIGHTS: "Application Insights component",
}
"""The everyday names of resource types."""


@dataclass(frozen=True)
class ResourceId:
    """A resource that was found.

    Attributes:
        id: "/subscriptions/.../providers/TYPE/NAME", as Azure writes it.
        name: its name.
        location: the region, such as "westeurope" or "global".
    """

    id: str
    name: str
    location: str = ""

    @property
    def subscription(self) -> str:
        """The subscription's id (GUID)."""
        return self.id.split("/")[2]

    @property
    def resource_group(self) -> str:
        """The resource group's name."""
        return self.id.split("/")[4]

    @property
    def az_options(self) -> dict[str, str | None]:
        """The options of an `az` command that name it."""
        return {
            "--subscription": self.subscription,
            "--resource-group": self.resource_group,
            "--name": self.name,
        }


def find_resources(
    arm: ArmClient,
    kind: str,
    name: str = "",
    resource_group: str = "",
    subscription: str = "",
    unreadable: list[str] | None = None,
) -> list[ResourceId]:
    """All resources of one type.

    Args:
        arm: the client.
        kind: the resource type, such as "Microsoft.Web/sites".
        name: of the resource, in any case; empty: all.
        resource_group: empty: in all groups.
        subscription: its name or id; empty: in all subscriptions. One that refuses to list its
            resources is skipped, unless nothing is found in the others.
        unreadable: gets "subscription NAME" of each that was skipped; nothing is raised for them.

    Raises:
        UnknownName: the account sees no such subscription.
        AzureProblem: the resources cannot be listed.
    """
    found: list[ResourceId] = []
    refusals: list[AzureProblem] = []
    for each in _subscriptions(arm, subscription):
        try:
            found += list(_listed(arm, kind, name, each))
        except (Forbidden, NotFound) as error:
            # Disabled, or just removed: others may have the resource.
            refusals.append(error)
            skipped = f"subscription {_display_name(each) or each['subscriptionId']}"
            if unreadable is not None and skipped not in unreadable:
                unreadable.append(skipped)
    matching = [
        one
        for one in found
        if not name or one.name.lower() == name.lower()
        if not resource_group or one.resource_group.lower() == resource_group.lower()
    ]
    if refusals and not matching and unreadable is None:
        raise refusals[0]
    return matching


def resources_beside(arm: ArmClient, kind: str, resource: ResourceId) -> list[ResourceId]:
    """All resources of one type in the resource group of another one.

    Args:
        arm: the client.
        kind: the resource type, such as "Microsoft.Web/sites".
        resource: has the group.

    Raises:
        AzureProblem: they cannot be listed.
    """
    return find_resources(arm, kind, "", resource.resource_group, resource.subscription)


def _subscriptions(arm: ArmClient, wanted: str) -> list[JsonObject]:
    """The subscriptions that the account sees; with a name or id, only this one."""
    seen = arm.pages(f"/subscriptions?api-version={SUBSCRIPTIONS_API_VERSION}")
    found = [
        each
        for each in seen
        if not wanted
        or wanted.lower() in {each["subscriptionId"].lower(), _display_name(each).lower()}
    ]
    if wanted and not found:
        raise UnknownName(
            f"your account sees no subscription {wanted!r}: `az account list --refresh` shows those"
            " that it sees"
        )
    return found


def _listed(arm: ArmClient, kind: str, name: str, subscription: JsonObject) -> Iterator[ResourceId]:
    clauses = f"resourceType eq '{kind}'"
    if name:
        clauses += " and name eq '{}'".format(name.replace("'", "''"))
    path = f"/subscriptions/{subscription['subscriptionId']}/resources?$filter={quote(clauses)}"
    for one in arm.pages(path):
        yield ResourceId(one["id"], one["name"], one.get("location", ""))


def _display_name(subscription: JsonObject) -> str:
    return str(subscription.get("displayName") or "")


def find_resource(
    arm: ArmClient,
    kind: str,
    name: str,
    resource_group: str = "",
    subscription: str = "",
) -> ResourceId:
    """The one resource of this type and name.

    Args:
        arm: the client.
        kind: the resource type, such as "Microsoft.Web/sites".
        name: its name in any case, or its resource id.
        resource_group: empty: in all groups.
        subscription: its name or id; empty: in all subscriptions.

    Raises:
        UnknownName: there is none that the signed-in account sees, or no such subscription.
        Ambiguous: there are several; the text lists them.
        AzureProblem: the resources cannot be listed.
    """
    called = KINDS.get(kind, kind)
    if name.startswith("/"):
        return _by_id(arm, kind, name, called)
    found = find_resources(arm, kind, name, resource_group, subscription)
    if not found:
        place = f"resource group {resource_group!r} of the " if resource_group else ""
        raise UnknownName(
            f"no {called} has the name {name!r} in the {place}subscriptions that your account sees:"
            " check the name, and that you have Reader on its resource group (what has just been"
            " created may take minutes to be listed). If another tenant has it, sign in to that"
            " one: `az account set --subscription ID`"
        )
    if len(found) > 1:
        lines = "".join(f"\n  {_distinction(one, kind)}" for one in found)
        raise Ambiguous(f"{len(found)} resources of type {called} have the name {name!r}:{lines}")
    return found[0]


def _distinction(found: ResourceId, kind: str) -> str:
    """The option or the id that tells a resource from others of its name."""
    if kind == BOT:
        return f"--resource-group {found.resource_group} --subscription {found.subscription}"
    return f"instead of the name, give the id {found.id}"


def _by_id(arm: ArmClient, kind: str, resource_id: str, called: str) -> ResourceId:
    parts = resource_id.split("/")
    if "/".join(parts[6:8]).lower() != kind.lower() or len(parts) != 9:
        raise UnknownName(f"{resource_id!r} is not the id of a resource of type {called} ({kind})")
    found = arm.find(resource_id)
    if found is None:
        raise UnknownName(f"there is no {called} {resource_id!r} that your account sees")
    return ResourceId(found["id"], found["name"], found.get("location", ""))


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
