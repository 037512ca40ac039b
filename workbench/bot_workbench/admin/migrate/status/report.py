"""StatusReport: everything that `status` shows, and its form as one JSON object."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot_workbench.admin.azure.errors import Ambiguous, AzureProblem, UnknownName
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.migrate.deployed_bot.app_settings import (
    CERTIFICATE_NAME,
    SHOWN_SETTINGS,
    VAULT_URL,
    bot_secret,
    references_in,
    secrets_in,
)
from bot_workbench.admin.migrate.deployed_bot.credential_period import state_of
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import AzureBot, DeployedBot
from bot_workbench.admin.migrate.deployed_bot.read import Read, begin
from bot_workbench.admin.migrate.deployed_bot.resources import thumbprints_of
from bot_workbench.admin.migrate.federated import Difference, Trust
from bot_workbench.admin.migrate.switch import NEW_ENDPOINT, PREVIOUS_ENDPOINT
from bot_workbench.admin.migrate.thumbprints import Thumbprints, of_key_credential
from bot_workbench.admin.plan.settings import setting
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

CURRENT, NEW, OLD = "users talk to it", "new", "old"


@dataclass(frozen=True)
class StatusReport:
    """A bot's sign-in, and its other possible credentials.

    Attributes:
        bot: the Azure Bot.
        apps: the app that users talk to, the new and the old one, as far as they are found, by
            their roles.
        missing_apps: why an app was not found, a line each.
    """

    bot: AzureBot
    apps: Mapping[str, DeployedBot]
    missing_apps: Sequence[str] = ()

    @property
    def current(self) -> DeployedBot | None:
        """The app that users talk to."""
        return self.apps.get(CURRENT)

    @property
    def new(self) -> DeployedBot | None:
        """The app of the migration: the one beside the old one, or the one that has replaced it."""
        return self.apps.get(NEW) or self.current

    def differences(self, credential: JsonObject) -> list[str] | None:
        """Where a federated credential differs, letter by letter, from what the tokens of the new
        app's identity say; None: it is another issuer's, such as a pipeline's, or there is no
        identity to compare it with."""
        cloud, identity = self.bot.target.azure.cloud, self.new.identity if self.new else None
        issuer = str(credential.get("issuer") or "").lower()
        if identity is None or not issuer.startswith(cloud.authority):
            return None
        trust = Trust.of(cloud, self.bot.tenant_id, identity.principal_id)
        return [_place_of(each) for each in trust.differences(credential)]

    @property
    def is_secretless(self) -> bool:
        """Whether no secret of the bot is left, as far as everything could be read."""
        if any(bot_secret(app.settings.value or {}) for app in self.apps.values()):
            return False
        found = self.bot.application.value
        is_managed = self.bot.app_type == USER_ASSIGNED_MSI
        return is_managed or bool(found and not found.get("passwordCredentials"))


def _place_of(difference: Difference) -> str:
    given, right = (
        " ".join(value) if isinstance(value, list) else str(value or "")
        for value in (difference.given, difference.wanted)
    )
    pairs = enumerate(zip(given, right, strict=False), 1)
    equal = min(len(given), len(right)) + 1
    first = next((place for place, (one, other) in pairs if one != other), equal)
    return f"{difference.name} {given!r} is not {right!r} (from character {first})"


def read_report(target: Target) -> StatusReport:
    """Begin to read everything about the bot.

    Raises:
        AzureProblem: the Azure Bot itself cannot be read.
    """
    bot = AzureBot(target, target.bot())
    begin(bot.channels, bot.connections, bot.application, bot.federated, bot.last_sign_ins)
    begin(bot.replacing_id)
    apps: dict[str, DeployedBot] = {}
    missing: list[str] = []
    for role, find in _places(target, bot):
        try:
            found = target.for_app(find())
            if found.site_id.id.lower() in {app.app.id.lower() for app in apps.values()}:
                continue
            apps[role] = DeployedBot(found, bot.bot, found.site())
            begin(apps[role].settings, apps[role].proof)
        except (UnknownName, Ambiguous):  # the command line's
            raise
        except AzureProblem as error:
            missing.append(f"{role}: {error}")
    report = StatusReport(bot, apps, missing)
    if new := report.new:
        begin(new.versions, new.assigned_roles, new.vaults)
    return report


def _places(target: Target, bot: AzureBot) -> Iterator[tuple[str, Callable[[], ResourceId]]]:
    """The roles that apps have, and how to find each."""
    if bot.endpoint:
        yield CURRENT, partial(target.site_at, bot.endpoint)
    if target.options.app:
        yield NEW, lambda: target.site_id
    elif bot.tags.get(NEW_ENDPOINT):
        yield NEW, partial(target.site_at, bot.tags[NEW_ENDPOINT])
    if bot.tags.get(PREVIOUS_ENDPOINT):
        yield OLD, partial(target.site_at, bot.tags[PREVIOUS_ENDPOINT])


def report_json(report: StatusReport) -> JsonObject:
    """The report, but for the next step, in a stable shape, which `status --help` describes. What
    could not be read is null, and `unknown` says why."""
    bot = report.bot
    roles = report.new.assigned_roles.value if report.new else []
    return {
        "bot": {
            "name": bot.target.bot_id.name,
            "id": bot.target.bot_id.id,
            "type": bot.app_type,
            "appId": bot.app_id,
            "tenantId": bot.tenant_id or None,
            "endpoint": bot.endpoint or None,
            "sku": str((bot.bot.get("sku") or {}).get("name") or ""),
            "tags": bot.tags,
            "channels": _names(bot.channels),
            "connections": _names(bot.connections),
        },
        "registration": _registration(report),
        "apps": [_app(app, role) for role, app in report.apps.items()],
        "vault": _vault(report.new),
        "roles": None
        if roles is None
        else [{"role": one.name, "scope": one.scope} for one in roles],
        "unknown": {name: text for name, text in _problems(report).items() if text},
        "secretless": report.is_secretless,
    }


def _names(children: Read[list[JsonObject]]) -> list[str] | None:
    """Their own names: Azure writes "BOT/CHILD"."""
    found = children.value
    if found is None:
        return None
    return sorted(str(one.get("name") or one["id"]).rpartition("/")[2] for one in found)


def _problems(report: StatusReport) -> dict[str, str]:
    """Why something could not be read, by its name; empty: it could be."""
    bot, new, apps = report.bot, report.new, report.apps.values()
    has_registration = not bot.application.error
    return {
        "registration": bot.application.problem,
        "channels": bot.channels.problem,
        "connections": bot.connections.problem,
        "vault": new.versions.problem if new else "",
        "roles": new.assigned_roles.problem if new else "",
        "apps": "; ".join(report.missing_apps),
        "replacing bot": bot.replacing_id.problem,
        "federatedCredentials": bot.federated.problem if has_registration else "",
        "lastSignIns": bot.last_sign_ins.problem if has_registration else "",
        **{f"settings of {app.app.name}": app.settings.problem for app in apps},
        **{f"identity of {app.app.name}": app.proof.require().problem for app in apps},
    }


def _registration(report: StatusReport) -> JsonObject | None:
    found, federated = report.bot.application.value, report.bot.federated.value
    if not found:
        return None
    used = report.bot.last_sign_ins.value or {}
    return {
        "objectId": found["id"],
        "name": str(found.get("displayName") or ""),
        "audience": str(found.get("signInAudience") or ""),
        "secrets": [
            _credential(one, used, {"hint": one.get("hint") or None})
            for one in found.get("passwordCredentials") or ()
        ],
        "certificates": [
            _credential(one, used, _spellings(of_key_credential(one)))
            for one in found.get("keyCredentials") or ()
        ],
        "federatedCredentials": None
        if federated is None
        else [
            {
                "name": str(one.get("name") or ""),
                "issuer": str(one.get("issuer") or ""),
                "subject": str(one.get("subject") or ""),
                "audiences": list(one.get("audiences") or ()),
                "differences": report.differences(one),
            }
            for one in federated
        ],
    }


def _credential(found: JsonObject, used: Mapping[str, str], own: JsonObject) -> JsonObject:
    return {
        "keyId": str(found["keyId"]),
        "name": found.get("displayName") or None,
        **own,
        "starts": str(found.get("startDateTime") or ""),
        "ends": str(found.get("endDateTime") or ""),
        "state": state_of(found),
        "lastSignIn": used.get(str(found["keyId"]).lower()),
    }


def _spellings(found: Thumbprints) -> JsonObject:
    return {"sha1": found.sha1, "x5t": found.x5t, "x5tS256": found.x5t_s256 or None}


def _app(app: DeployedBot, role: str) -> JsonObject:
    values = app.settings.value
    return {
        "name": app.app.name,
        "id": app.app.id,
        "role": role,
        "kind": str(app.site.get("kind") or ""),
        "state": str(app.properties.get("state") or ""),
        "host": app.host,
        "identities": [
            {"id": one.id, "principalId": one.principal_id, "clientId": one.client_id}
            for one in app.assigned
        ],
        "settings": None
        if values is None
        else {
            "shown": {name: text for name in SHOWN_SETTINGS if (text := setting(values, name))},
            "secrets": secrets_in(values),
            "keyVaultReferences": references_in(values),
        },
        "identity": app.proof.require().facts or None,
    }


def _vault(app: DeployedBot | None) -> JsonObject | None:
    """The certificate that the new app's settings name."""
    if app is None or app.versions.error:
        return None
    url, name = (setting(app.known_if_read, each) for each in (VAULT_URL, CERTIFICATE_NAME))
    if not url or not name:
        return None
    return {
        "url": url,
        "certificate": name,
        "versions": [
            {**_spellings(thumbprints_of(one)), "ends": _end(one)} for one in app.versions.require()
        ],
    }


def _end(version: JsonObject) -> str | None:
    end = version["attributes"].get("exp")
    return datetime.datetime.fromtimestamp(int(end), datetime.UTC).isoformat() if end else None
