"""The report as rows of one table, each with a mark."""

from collections.abc import Iterator

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.console import BAD, OK, PLAIN, UNKNOWN, WARN, Row
from bot_workbench.admin.migrate.deployed_bot.app_settings import bot_secret
from bot_workbench.admin.migrate.deployed_bot.credential_period import VALID, ends_soon
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.status.next_step import NOT_DEPLOYED, NextStep
from bot_workbench.admin.migrate.status.report import CURRENT, StatusReport
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

NEXT = "Next"
"""The last section: its commands are printed to be pasted."""

SINGLE_TENANT_AUDIENCE = "AzureADMyOrg"


def rows_of(report: StatusReport, shown: JsonObject, step: NextStep) -> list[Row]:
    """All lines, top to bottom.

    Args:
        report: the report.
        shown: its JSON object.
        step: what to do next.
    """
    apps = zip(report.apps.values(), shown["apps"], strict=True)
    return [
        *_bot(shown["bot"], shown["unknown"]),
        *_registration(report, shown),
        *(row for app, one in apps for row in _app(report, app, one)),
        *(Row("Apps", "not found", text, UNKNOWN) for text in report.missing_apps),
        *_vault(shown),
        *_roles(shown),
        *_next(step),
    ]


def _filled(*rows: Row) -> list[Row]:
    """Those of the rows that have a text."""
    return [row for row in rows if row.text]


def _bot(bot: JsonObject, unknown: JsonObject) -> list[Row]:
    section, endpoint = "Azure Bot", bot["endpoint"]
    lists = {"channels": "channels", "connections": "OAuth connections"}
    return [
        Row(section, "name", f"{bot['name']} ({bot['sku']})"),
        Row(section, "type", bot["type"]),
        Row(section, "id", bot["appId"]),
        Row(section, "endpoint", endpoint or "none", PLAIN if endpoint else BAD),
        *(Row(section, f"tag {name}", value) for name, value in bot["tags"].items()),
        *(
            Row(section, name, unknown[key], UNKNOWN)
            if key in unknown
            else Row(section, name, ", ".join(bot[key]) or "none")
            for key, name in lists.items()
        ),
    ]


def _registration(report: StatusReport, shown: JsonObject) -> Iterator[Row]:
    section, found, unknown = "App registration", shown["registration"], shown["unknown"]
    if report.bot.app_type == USER_ASSIGNED_MSI:
        yield Row(section, "none", "the bot is a managed identity: it can have no secret", OK)
        return
    if found is None:
        yield Row(section, "unknown", unknown["registration"], UNKNOWN)
        return
    yield Row(section, "name", f"{found['name']} ({found['audience']})")
    for one in found["secrets"]:
        hint = f" {one['hint']}..." if one["hint"] else ""
        text = f"{one['name'] or ''} {one['keyId']}, {_use(shown, one)}"
        yield Row(section, f"secret{hint}", text, BAD)
    if not found["secrets"]:
        yield Row(section, "secrets", "none", OK)
    for one in found["certificates"]:
        is_valid, lasts = one["state"] == VALID, not ends_soon({"endDateTime": one["ends"]})
        text = f"{one['name'] or one['keyId']}, {_use(shown, one)}; {_places(shown, one['sha1'])}"
        yield Row(section, "certificate", text, BAD if not is_valid else OK if lasts else WARN)
        for name, key in (("SHA-1", "sha1"), ("x5t", "x5t"), ("x5t#S256", "x5tS256")):
            yield Row(section, f"  {name}", one[key] or "unknown")
    if found["federatedCredentials"] is None:
        yield Row(section, "federated", unknown["federatedCredentials"], UNKNOWN)
    for one in found["federatedCredentials"] or ():
        text = f"{one['name']}: issuer {one['issuer']}, subject {one['subject']}"
        if one["differences"] is None:
            yield Row(section, "federated", text)
        elif wrong := "; ".join(one["differences"]):
            yield Row(section, "federated", f"{one['name']}: {wrong}", WARN)
        else:
            yield Row(section, "federated", f"{text}, which is the app's identity", OK)


def _use(shown: JsonObject, credential: JsonObject) -> str:
    """When a credential of the app registration can be used, and when it was."""
    state, end = credential["state"], credential["ends"][:10]
    ends = f"until {end}" if end else "without an end"
    period = ends if state == VALID else f"{state}, {ends}"
    if "lastSignIns" in shown["unknown"]:
        return f"{period}; last sign-in: the directory does not say"
    if credential["lastSignIn"]:
        return f"{period}; last sign-in {credential['lastSignIn']}"
    # The report has this tenant's sign-ins, and a multi-tenant bot signs in in another one.
    is_elsewhere = shown["registration"]["audience"] != SINGLE_TENANT_AUDIENCE
    return f"{period}; no sign-in{' in your own tenant' if is_elsewhere else ''} is recorded"


def _places(shown: JsonObject, sha1: str) -> str:
    """Who else has a certificate of the app registration."""
    used = {app["name"]: (app["identity"] or {}) for app in shown["apps"]}
    places = [
        (f"{name}'s /api/identity", str(facts.get("certificateThumbprint") or "").upper())
        for name, facts in used.items()
    ]
    for number, version in enumerate(shown["vault"]["versions"] if shown["vault"] else ()):
        name = "an older version in the vault" if number else "the vault's newest version"
        places.append((name, version["sha1"]))
    if where := [place for place, found in places if found and found == sha1]:
        return f"same as {' and '.join(where)}"
    if "vault" in shown["unknown"]:
        return "no app has it, and the vault cannot be read"
    return "no app and no vault has it"


def _app(report: StatusReport, app: DeployedBot, shown: JsonObject) -> list[Row]:
    section, state = f"App {shown['name']} ({shown['role']})", shown["state"]
    text = ", ".join(filter(None, (shown["host"], shown["kind"], state)))
    settings = shown["settings"] or {"shown": {}, "secrets": (), "keyVaultReferences": ()}
    facts = shown["identity"] or {}
    called = facts.get("lastOutboundCall") or "none since it started"
    return [
        Row(section, "host", text, PLAIN if state.lower() in {"running", ""} else WARN),
        *(
            Row(
                section,
                "identity",
                f"{one.name}: client {one.client_id}, principal {one.principal_id}",
            )
            for one in app.assigned
        ),
        *_filled(Row(section, "settings", app.settings.problem, UNKNOWN)),
        *(Row(section, name, value) for name, value in settings["shown"].items()),
        *_filled(
            Row(section, "settings with a secret", ", ".join(settings["secrets"]), BAD),
            Row(section, "key vault references", ", ".join(settings["keyVaultReferences"])),
        ),
        Row(section, "signs in", *_sign_in(report, app, shown["role"])),
        *([Row(section, "last outbound call", called)] if facts else []),
        *(Row(section, "warns", str(each), WARN) for each in facts.get("warnings") or ()),
    ]


def _sign_in(report: StatusReport, app: DeployedBot, role: str) -> tuple[str, str]:
    """How an app signs in, and a mark: whether it does as it should, as the bot or, if the bot's
    users do not talk to it, as the one that replaces the bot."""
    answer = app.proof.require()
    if not answer.facts:
        if answer.status != NOT_DEPLOYED:
            return answer.problem, WARN
        if secret := bot_secret(app.settings.value or {}):
            return f"with {secret}; it does not run this project's code", BAD
        return "unknown: it does not run this project's code", UNKNOWN
    app_id, thumbprint = answer.facts.get("appId"), answer.facts.get("certificateThumbprint")
    credential = f"{answer.facts.get('kind')}{f' {thumbprint}' if thumbprint else ''}"
    text, signed_in = f"as {app_id}, with {credential}", str(app_id).lower()
    if signed_in == report.bot.app_id.lower():
        return text, OK
    new, new_id = report.bot.tags.get(REPLACED_BY), report.bot.replacing_id
    if not new or role == CURRENT:
        return text, BAD
    if new_id.value is None:
        return f"{text}; {new_id.problem}", UNKNOWN
    return (f"{text}: the bot {new}", OK) if signed_in == new_id.value.lower() else (text, BAD)


def _vault(shown: JsonObject) -> Iterator[Row]:
    section, vault = "Key vault", shown["vault"]
    if "vault" in shown["unknown"]:
        yield Row(section, "unknown", shown["unknown"]["vault"], UNKNOWN)
    if vault is None:
        return
    certificates = shown["registration"]["certificates"] if shown["registration"] else ()
    registered = {one["sha1"] for one in certificates}
    yield Row(section, "certificate", f"{vault['certificate']} in {vault['url']}")
    for one in vault["versions"]:
        known = one["sha1"] in registered
        text = f"{one['sha1']} (x5t {one['x5t']}) until {(one['ends'] or '')[:10]}"
        on = "on the app registration" if known else "not on the app registration"
        yield Row(section, "version", f"{text}, {on}", OK if known else WARN)


def _roles(shown: JsonObject) -> list[Row]:
    section, roles = "Roles of the app's identity", shown["roles"]
    if roles is None:
        return [Row(section, "unknown", shown["unknown"]["roles"], UNKNOWN)]
    # A scope without what is before its provider's name; a group or subscription as it is.
    places = [one["scope"].rpartition("/providers/")[2] or one["scope"] for one in roles]
    return [
        Row(section, one["scope"].rpartition("/")[2], f"{one['role']} on {place}")
        for one, place in zip(roles, places, strict=True)
    ]


def _next(step: NextStep) -> list[Row]:
    return _filled(
        Row(NEXT, "why", step.reason, PLAIN if step.command else OK),
        Row(NEXT, "command", step.command),
        Row(NEXT, "way back", step.way_back),
    )
