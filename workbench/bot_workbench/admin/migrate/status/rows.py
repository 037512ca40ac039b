"""The report as rows of one table, each with a mark."""

from collections.abc import Iterator

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.deployed_bot.app_settings import bot_secret
from bot_workbench.admin.migrate.deployed_bot.credential_period import VALID, ends_soon
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.status.next_step import NOT_DEPLOYED, NextStep
from bot_workbench.admin.migrate.status.report import CURRENT, StatusReport
from bot_workbench.admin.rows import BAD, OK, PLAIN, UNKNOWN, WARN, Row
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
        *(row for app, one in apps for row in _app(report, app, one, shown["unknown"])),
        *(Row("Apps", "not found", text, UNKNOWN) for text in report.missing_apps),
        *_vault(shown),
        *_roles(shown),
        *_next(step),
    ]


def _bot(bot: JsonObject, unknown: JsonObject) -> Iterator[Row]:
    section, endpoint = "Azure Bot", bot["endpoint"]
    yield Row(section, "name", f"{bot['name']} ({bot['sku']})")
    yield Row(section, "type", bot["type"])
    yield Row(section, "id", bot["appId"])
    yield Row(section, "endpoint", endpoint or "none", PLAIN if endpoint else BAD)
    for name, value in bot["tags"].items():
        yield Row(section, f"tag {name}", value)
    for key, name in (("channels", "channels"), ("connections", "OAuth connections")):
        if key in unknown:
            yield Row(section, name, unknown[key], UNKNOWN)
        else:
            yield Row(section, name, ", ".join(bot[key]) or "none")


def _registration(report: StatusReport, shown: JsonObject) -> Iterator[Row]:
    section, found = "App registration", shown["registration"]
    if report.bot.app_type == USER_ASSIGNED_MSI:
        yield Row(section, "none", "the bot is a managed identity: it can have no secret", OK)
        return
    if found is None:
        yield Row(section, "unknown", shown["unknown"]["registration"], UNKNOWN)
        return
    yield Row(section, "name", f"{found['name']} ({found['audience']})")
    for one in found["secrets"]:
        hint = f" {one['hint']}..." if one["hint"] else ""
        text = f"{one['name'] or ''} {one['keyId']}, {_period(one)}{_used(shown, one)}"
        yield Row(section, f"secret{hint}", text, BAD)
    if not found["secrets"]:
        yield Row(section, "secrets", "none", OK)
    for one in found["certificates"]:
        is_valid, lasts = one["state"] == VALID, not ends_soon({"endDateTime": one["ends"]})
        text = f"{_period(one)}{_used(shown, one)}; {_places(shown, one['sha1'])}"
        mark = BAD if not is_valid else OK if lasts else WARN
        yield Row(section, "certificate", f"{one['name'] or one['keyId']}, {text}", mark)
        yield Row(section, "  SHA-1", one["sha1"] or "unknown")
        yield Row(section, "  x5t", one["x5t"] or "unknown")
        yield Row(section, "  x5t#S256", one["x5tS256"] or "unknown")
    if found["federatedCredentials"] is None:
        yield Row(section, "federated", shown["unknown"]["federatedCredentials"], UNKNOWN)
    for one in found["federatedCredentials"] or ():
        text = f"{one['name']}: issuer {one['issuer']}, subject {one['subject']}"
        if one["differences"] is None:
            yield Row(section, "federated", text)
        elif wrong := "; ".join(one["differences"]):
            yield Row(section, "federated", f"{one['name']}: {wrong}", WARN)
        else:
            yield Row(section, "federated", f"{text}, which is the app's identity", OK)


def _period(credential: JsonObject) -> str:
    state, end = credential["state"], credential["ends"][:10]
    ends = f"until {end}" if end else "without an end"
    return ends if state == VALID else f"{state}, {ends}"


def _used(shown: JsonObject, credential: JsonObject) -> str:
    if "lastSignIns" in shown["unknown"]:
        return "; last sign-in: the directory does not say"
    if credential["lastSignIn"]:
        return f"; last sign-in {credential['lastSignIn']}"
    # The report has this tenant's sign-ins, and a multi-tenant bot signs in in another one.
    is_elsewhere = shown["registration"]["audience"] != SINGLE_TENANT_AUDIENCE
    return f"; no sign-in{' in your own tenant' if is_elsewhere else ''} is recorded"


def _places(shown: JsonObject, sha1: str) -> str:
    """Who else has a certificate of the app registration."""
    places = [
        (f"{app['name']}'s /api/identity", str(used).upper())
        for app in shown["apps"]
        if (used := (app["identity"] or {}).get("certificateThumbprint"))
    ]
    for number, version in enumerate(shown["vault"]["versions"] if shown["vault"] else ()):
        name = "an older version in the vault" if number else "the vault's newest version"
        places.append((name, version["sha1"]))
    if where := [place for place, found in places if found == sha1]:
        return f"same as {' and '.join(where)}"
    if "vault" in shown["unknown"]:
        return "no app has it, and the vault cannot be read"
    return "no app and no vault has it"


def _app(
    report: StatusReport, app: DeployedBot, shown: JsonObject, unknown: JsonObject
) -> Iterator[Row]:
    section, state = f"App {shown['name']} ({shown['role']})", shown["state"]
    text = ", ".join(filter(None, (shown["host"], shown["kind"], state)))
    yield Row(section, "host", text, PLAIN if state.lower() in {"running", ""} else WARN)
    for one in app.assigned:
        ids = f"client {one.client_id}, principal {one.principal_id}"
        yield Row(section, "identity", f"{one.name}: {ids}")
    settings = shown["settings"] or {"shown": {}, "secrets": (), "keyVaultReferences": ()}
    if shown["settings"] is None:
        yield Row(section, "settings", unknown[f"settings of {shown['name']}"], UNKNOWN)
    for name, value in settings["shown"].items():
        yield Row(section, name, value)
    if settings["secrets"]:
        yield Row(section, "settings with a secret", ", ".join(settings["secrets"]), BAD)
    if settings["keyVaultReferences"]:
        yield Row(section, "key vault references", ", ".join(settings["keyVaultReferences"]))
    facts = shown["identity"]
    if not facts:
        yield Row(section, "signs in", *_without_proof(app))
        return
    thumbprint = facts.get("certificateThumbprint")
    credential = f"{facts.get('kind')}{f' {thumbprint}' if thumbprint else ''}"
    text = f"as {facts.get('appId')}, with {credential}"
    yield Row(section, "signs in", *_judged(text, report, shown))
    called = facts.get("lastOutboundCall")
    yield Row(section, "last outbound call", called or "none since it started")
    for warning in facts.get("warnings") or ():
        yield Row(section, "warns", str(warning), WARN)


def _without_proof(app: DeployedBot) -> tuple[str, str]:
    """How an app signs in that does not say so, and the mark."""
    answer = app.proof.require()
    if answer.status != NOT_DEPLOYED:
        return answer.problem, WARN
    if secret := bot_secret(app.settings.value or {}):
        return f"with {secret}; it does not run this project's code", BAD
    return "unknown: it does not run this project's code", UNKNOWN


def _judged(text: str, report: StatusReport, shown: JsonObject) -> tuple[str, str]:
    """Whether the app signs in as it should: as the bot, or, if the bot's users do not talk to it,
    as the one that replaces the bot."""
    app_id, new_id = str(shown["identity"].get("appId")).lower(), report.bot.replacing_id
    new = report.bot.tags.get(REPLACED_BY)
    if app_id == report.bot.app_id.lower():
        return text, OK
    if not new or shown["role"] == CURRENT:
        return text, BAD
    if new_id.value is None:
        return f"{text}; {new_id.problem}", UNKNOWN
    return (f"{text}: the bot {new}", OK) if app_id == new_id.value.lower() else (text, BAD)


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


def _roles(shown: JsonObject) -> Iterator[Row]:
    section = "Roles of the app's identity"
    if shown["roles"] is None:
        yield Row(section, "unknown", shown["unknown"]["roles"], UNKNOWN)
    for one in shown["roles"] or ():
        # A scope without what is before its provider's name; a group or subscription as it is.
        place = one["scope"].rpartition("/providers/")[2] or one["scope"]
        yield Row(section, one["scope"].rpartition("/")[2], f"{one['role']} on {place}")


def _next(step: NextStep) -> Iterator[Row]:
    yield Row(NEXT, "why", step.reason, PLAIN if step.command else OK)
    if step.command:
        yield Row(NEXT, "command", step.command)
    if step.way_back:
        yield Row(NEXT, "way back", step.way_back)
