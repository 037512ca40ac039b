"""NewBot: an Azure Bot of type UserAssignedMSI, beside the old one."""

import json
from functools import partial

from bot_workbench.admin.azure.arm_client import BOT
from bot_workbench.admin.azure.errors import NotFound, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, find_resource, find_resources
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import ENDPOINT_PATH, Target, endpoint_of, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

POLICIES = {"publicNetworkAccess": "Enabled", "disableLocalAuth": False}
"""Who may reach the bot, and how: properties that the new one gets, too, with their defaults."""

COPIED = ("displayName", "description", "iconUrl")
"""Properties of the old bot that the new one gets, too."""

REPLACES = "replaces"
"""The tag of a bot that this command has made: the app id of the old bot, which is unique and never
changes. (A resource id may be longer than a tag's value, which has at most 256 characters.)"""

IN_USE = "already in use"
"""Azure's words for an app id that another bot has."""


class NewBot:
    """The Azure Bot whose id is the identity's, with the old one's SKU and display name. It knows
    whether this run has created it.

    Args:
        old: the old bot, and the Function App.
        name: of the new bot, unique in all of Azure.
        identity: becomes the bot.
    """

    def __init__(self, old: Target, name: str, identity: AssignedIdentity) -> None:
        self._old = old
        self._arm = old.azure.arm
        self.name = name
        self._identity = identity
        self._has_created = False

    @property
    def id(self) -> str:
        """The new bot's resource id, known before it exists: in the Function App's group, so that
        deleting the old bot's group does not delete it."""
        try:
            return find_resource(self._arm, BOT, self.name).id
        except NotFound:  # it does not exist, or is not listed yet
            app = self._old.site_id
            group = f"/subscriptions/{app.subscription}/resourceGroups/{app.resource_group}"
            return f"{group}/providers/{BOT}/{self.name}"

    @property
    def endpoint(self) -> str:
        """The Function App's endpoint (URL)."""
        return f"https://{self._old.host}{ENDPOINT_PATH}"

    def read(self) -> JsonObject | None:
        """The new bot as it is now; None if it does not exist.

        Raises:
            AzureProblem: it cannot be read.
        """
        return self._arm.find(self.id)

    @property
    def is_made(self) -> bool:
        """Whether this command has made the bot for the old one, now or in an earlier run.

        Raises:
            AzureProblem: it cannot be read.
        """
        if self._has_created:
            return True
        value = tags_of(self.read() or {}).get(REPLACES, "")
        return value.lower() == self._old.app_id.lower()

    def look(self) -> Finding:
        """Read the bot of that name, and which bots have the identity's id.

        Raises:
            AzureProblem: something cannot be read.
        """
        bot, refusal = self.read(), self.refusal()
        if bot is not None:
            app_id = bot["properties"].get("msaAppId")
            text = f"{self.name} has the type {type_of(bot)} and the id {app_id}"
            return Finding(text, refusal=refusal)
        change = () if refusal else (self._creation(self._identity.client_id()),)
        return Finding(f"{self.name} does not exist", change, refusal=refusal)

    def refusal(self) -> str:
        """Why the new bot cannot be made, or taken if it exists; empty: it can.

        Raises:
            AzureProblem: something cannot be read.
        """
        client_id, bot = self._identity.client_id(), self.read()
        if bot is not None:
            return self._wrong(bot, client_id)
        # Bot names are unique in all of Azure.
        url = f"/providers/{BOT.split('/', maxsplit=1)[0]}/checkNameAvailability"
        answer = self._arm.send("POST", url, {"name": self.name, "type": "string"})
        if not answer.get("valid", True):
            reason = str(answer.get("message") or "it is taken").rstrip(".")
            return (
                f"no bot can be created with the name {self.name} ({reason}): choose another name"
            )
        for found in find_resources(self._arm, BOT):
            properties = (self._arm.find(found.id) or {}).get("properties") or {}
            if str(properties.get("msaAppId")).lower() == client_id.lower():
                return _one_bot_an_id(client_id, found.name)
        return ""

    def _wrong(self, bot: JsonObject, client_id: str) -> str:
        """Why the bot that has the name cannot be the new one; empty: it can."""
        app_id, another = bot["properties"].get("msaAppId"), "choose another name with --new-bot"
        if type_of(bot) != USER_ASSIGNED_MSI:
            return (
                f"{self.name} exists, and its type is {type_of(bot)}, which cannot be changed:"
                f" {another}"
            )
        if str(app_id).lower() != client_id.lower():
            return (
                f"{self.name} exists with the id {app_id}, and the identity's"
                f" is {client_id}: {another}, or that bot's identity with --identity"
            )
        if endpoint_of(bot).lower() != self.endpoint.lower():
            return (
                f"{self.name} exists, and its endpoint is {endpoint_of(bot) or 'empty'}: move it to"
                f" {self.endpoint} with `az bot update --endpoint`, or {another}"
            )
        return ""

    def _creation(self, client_id: str) -> Change:
        old = self._old.bot()
        copied: JsonObject = {
            name: old["properties"][name] for name in COPIED if old["properties"].get(name)
        }
        policies: JsonObject = {
            name: old["properties"][name]
            for name, default in POLICIES.items()
            if old["properties"].get(name, default) not in {None, default}
        }
        properties: JsonObject = {
            "displayName": self.name,
            **copied,
            **policies,
            "endpoint": self.endpoint,
            "msaAppId": client_id,
            "msaAppType": USER_ASSIGNED_MSI,
            "msaAppTenantId": self._identity.tenant_id(),
            "msaAppMSIResourceId": self._identity.resource_id(),
        }
        sku = str((old.get("sku") or {}).get("name") or "F0")
        location = str(old.get("location") or "global")
        body = {
            "location": location,
            "kind": "azurebot",
            "sku": {"name": sku},
            "tags": {REPLACES: self._old.app_id},
            "properties": properties,
        }
        url, place = self._arm.url(self.id), self.place
        create: dict[str, str | None] = {
            **place,
            "--location": location,
            "--sku": sku,
            "--app-type": USER_ASSIGNED_MSI,
            "--appid": client_id,
            "--tenant-id": properties["msaAppTenantId"],
            "--msi-resource-id": properties["msaAppMSIResourceId"],
            "--endpoint": self.endpoint,
            "--display-name": properties["displayName"],
            "--tags": f"{REPLACES}={self._old.app_id}",
        }
        if "description" in copied:
            create["--description"] = copied["description"]
        lines = [az("bot create", create)]
        if "iconUrl" in copied:
            lines.append(az("bot update", {**place, "--icon-url": copied["iconUrl"]}))
        for name, value in policies.items():
            text = json.dumps(value).strip('"')
            changed = {"--ids": self.id, "--set": f"properties.{name}={text}"}
            lines.append(az("resource update", changed))
        return Change(
            method="PUT",
            url=url,
            body=body,
            summary=f"Create the Azure Bot {self.name} ({location}) with the identity's id, the SKU"
            f" {sku} and the endpoint {self.endpoint}",
            az=tuple(lines),
            send=partial(self._create, url, body, client_id),
        )

    def _create(self, url: str, body: JsonObject, client_id: str) -> None:
        """Create the bot.

        Raises:
            Refused: a bot that the account does not see may have the id.
            AzureProblem: see RestClient.send.
        """
        try:
            self._arm.send("PUT", url, body)
        except Refused as error:
            if IN_USE not in str(error):
                raise
            reason = _one_bot_an_id(client_id, "a bot that your account does not see")
            raise Refused(reason, error.status, error.code) from error
        self._has_created = True

    @property
    def place(self) -> dict[str, str | None]:
        """The options of `az` that name the new bot."""
        return ResourceId(self.id, self.name).az_options


def _one_bot_an_id(client_id: str, bot: str) -> str:
    return (
        f"the id {client_id} belongs to {bot}, and an id belongs to one bot: name another identity"
        " with --identity"
    )
