"""The Function App's user-assigned identity: it exists, and the app has it."""

from dataclasses import dataclass
from typing import ClassVar

from bot_workbench.admin.azure.arm_client import IDENTITY
from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import find_resource
from bot_workbench.admin.plan.settings import setting
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import Target

USER_ASSIGNED = "UserAssigned"


@dataclass(frozen=True)
class AppIdentity:
    """A user-assigned identity of an app.

    Attributes:
        id: resource id.
        principal_id: its object id in the directory (GUID): for roles and federated credentials.
        client_id: GUID, for the setting AZURE_CLIENT_ID.
    """

    id: str
    principal_id: str
    client_id: str

    @property
    def name(self) -> str:
        """The identity's name."""
        return self.id.rsplit("/", 1)[-1]


def identities_of(site: JsonObject) -> list[AppIdentity]:
    """The user-assigned identities of a site, as Resource Manager returns it."""
    assigned = (site.get("identity") or {}).get("userAssignedIdentities") or {}
    return [
        AppIdentity(key, str(each.get("principalId", "")), str(each.get("clientId", "")))
        for key, each in assigned.items()
    ]


def identity_in_use(target: Target) -> str:
    """The name of the app's identity that AZURE_CLIENT_ID names, or of its only one; else empty.

    Args:
        target: has the app.

    Raises:
        AzureProblem: the app cannot be read.
    """
    found = identities_of(target.site())
    if len(found) == 1:
        return found[0].name
    client_id = setting(target.settings(), "AZURE_CLIENT_ID").lower()
    return next((one.name for one in found if one.client_id.lower() == client_id), "")


@dataclass(frozen=True)
class AssignedIdentity:
    """A user-assigned identity of the Function App: taken if it exists, created if not.

    Attributes:
        target: has the Function App.
        wanted: the identity's name or resource id; empty: the app's only one, or a new one with the
            app's name.
    """

    title: ClassVar = "Identity of the app"

    target: Target
    wanted: str = ""

    def principal_id(self) -> str:
        """Its principal id (GUID); a shell variable while it does not exist."""
        return self._now().principal_id or "$IDENTITY_PRINCIPAL_ID"

    def client_id(self) -> str:
        """Its client id (GUID); a shell variable while it does not exist."""
        return self._now().client_id or "$IDENTITY_CLIENT_ID"

    def tenant_id(self) -> str:
        """The tenant (GUID) of its subscription; a shell variable while it does not exist."""
        found = self.target.azure.arm.find(self.resource_id()) or {"properties": {}}
        return str(found["properties"].get("tenantId") or "$IDENTITY_TENANT_ID")

    def resource_id(self) -> str:
        """Its resource id, which is known before it exists."""
        return self._now().id

    def look(self) -> Finding:
        """Find the identity, and whether the app has it.

        Raises:
            AzureProblem: the app or the identity cannot be read.
        """
        site, app = self.target.site(), self.target.site_id
        assigned = identities_of(site)
        if not self.wanted and len(assigned) > 1:
            names = ", ".join(sorted(one.name for one in assigned))
            return Finding(
                f"the app has the identities {names}",
                refusal=f"{app.name} has several identities ({names}): name the one to use with"
                " --identity",
            )
        found = self._find(assigned)
        if found in assigned:
            return Finding(f"the app has the identity {found.name} ({found.client_id})")
        text, assignment = "and the app does not have it", self._assignment(found, site)
        if found.principal_id:
            return Finding(f"the identity {found.name} exists, {text}", (assignment,))
        return Finding(
            f"the identity {found.name} does not exist, {text}",
            (self._creation(found, site), assignment),
        )

    def _now(self) -> AppIdentity:
        return self._find(identities_of(self.target.site()))

    def _find(self, assigned: list[AppIdentity]) -> AppIdentity:
        """The identity; without ids if it does not exist."""
        if not self.wanted and assigned:
            return assigned[0]
        app, arm = self.target.site_id, self.target.azure.arm
        name = self.wanted or app.name
        for one in assigned:
            if name.lower() in {one.name.lower(), one.id.lower()}:
                return one
        group = f"/subscriptions/{app.subscription}/resourceGroups/{app.resource_group}"
        new = f"{group}/providers/{IDENTITY}/{name}"
        # The app's own group comes first: one of the same name elsewhere may be for tests.
        found = None if name.startswith("/") else arm.find(new)
        if found is None:
            try:
                elsewhere = find_resource(arm, IDENTITY, name, subscription=app.subscription)
                found = arm.find(elsewhere.id)
            except NotFound:
                if name.startswith("/"):
                    raise
        if found is None:
            return AppIdentity(new, "", "")
        ids = (str(found["properties"].get(key) or "") for key in ("principalId", "clientId"))
        return AppIdentity(found["id"], *ids)

    def _creation(self, identity: AppIdentity, site: JsonObject) -> Change:
        location = str(site["location"]).replace(" ", "").lower()
        place = {**self.target.site_id.az_options, "--name": identity.name}
        show = az("identity show", place).removesuffix(" --output none")
        return Change(
            method="PUT",
            url=self.target.azure.arm.url(identity.id),
            body={"location": location},
            summary=f"Create the identity {identity.name}, in the app's region",
            az=(
                az("identity create", {**place, "--location": location}),
                f"IDENTITY_CLIENT_ID=$({show} --query clientId --output tsv)",
                f"IDENTITY_PRINCIPAL_ID=$({show} --query principalId --output tsv)",
                f"IDENTITY_TENANT_ID=$({show} --query tenantId --output tsv)",
            ),
        )

    def _assignment(self, identity: AppIdentity, site: JsonObject) -> Change:
        """Every identity is sent: whether a PATCH merges the map or replaces it is not documented,
        and an app that loses one cannot reach its storage."""
        app, now = self.target.site_id, site.get("identity") or {}
        kinds = [kind.strip() for kind in str(now.get("type") or "").split(",")]
        kept = [kind for kind in kinds if kind not in {"", "None", USER_ASSIGNED}]
        assigned = [*(now.get("userAssignedIdentities") or ()), identity.id]
        others = f", and keep its {len(assigned) - 1} others" if len(assigned) > 1 else ""
        options = {**app.az_options, "--identities": identity.id}
        return Change(
            method="PATCH",
            url=self.target.azure.arm.url(app.id),
            body={
                "identity": {
                    "type": ", ".join([*kept, USER_ASSIGNED]),
                    "userAssignedIdentities": {one: {} for one in assigned},
                }
            },
            summary=f"Assign the identity {identity.name} to {app.name}{others}",
            az=(az("functionapp identity assign", options),),
        )
