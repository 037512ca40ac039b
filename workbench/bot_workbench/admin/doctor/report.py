"""The doctor's report: rows for people, and an object for pipelines. Neither has a secret."""

from collections.abc import Callable, Iterator, Sequence

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.doctor.background_read import MALFORMED
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import Diagnosis
from bot_workbench.admin.doctor.parts.identities import system_identity
from bot_workbench.admin.migrate.certificate.registration.key_credentials import entry_thumbprint
from bot_workbench.admin.migrate.status.parts.registration import CredentialPeriod
from bot_workbench.admin.plan.target import endpoint_of, type_of
from bot_workbench.admin.rows import BAD, OK, Row

SHOWN_CHARACTERS = 8
"""Of a thumbprint, beside a certificate's end."""


def rows_of(bot: DeployedBot) -> list[Row]:
    """The facts, top to bottom."""
    return [row for each in (_azure_bot, _app, _credentials, _last_day) for row in _safe(each, bot)]


def report_json(bot: DeployedBot, found: Sequence[Diagnosis]) -> JsonObject:
    """The report as one object."""
    return {
        "bot": {"name": bot.target.bot_id.name, "id": bot.bot["id"], "appId": bot.app_id},
        "app": {"name": bot.app_name, "id": bot.site["id"]},
        "facts": {row.name: row.text for row in rows_of(bot)},
        "findings": findings_json(found),
    }


def findings_json(found: Sequence[Diagnosis]) -> list[JsonObject]:
    """The findings as objects."""
    return [
        {
            "code": each.code,
            "severity": each.severity,
            "problem": each.problem,
            "cure": each.cure,
        }
        for each in found
    ]


def _safe(rows: Callable[[DeployedBot], Iterator[Row]], bot: DeployedBot) -> list[Row]:
    """The rows of a section; none if an answer has an unexpected shape, which is a finding."""
    try:
        return list(rows(bot))
    except MALFORMED:
        return []


def _azure_bot(bot: DeployedBot) -> Iterator[Row]:
    section, properties = "Azure Bot", bot.bot["properties"]
    yield Row(section, "bot", f"{bot.target.bot_id.name}, {type_of(bot.bot)}")
    yield Row(section, "app id", str(properties["msaAppId"]))
    yield Row(section, "endpoint", endpoint_of(bot.bot) or "none")
    channels = bot.channels.value
    if channels is not None:
        names = sorted(str(one["properties"]["channelName"]) for one in channels)
        yield Row(section, "channels", ", ".join(names) or "none")


def _app(bot: DeployedBot) -> Iterator[Row]:
    section = f"App {bot.app_name}"
    yield Row(section, "state", str(bot.site["properties"].get("state") or "unknown"))
    identities = [*bot.assigned, system_identity(bot.site)]
    names = [one.name for one in identities if one]
    yield Row(section, "identities", ", ".join(names) or "none")
    roles = bot.roles.value
    if roles is not None:
        held = sorted({one.name for one in roles.assigned})
        yield Row(section, "roles", ", ".join(held) or "none")
    answers = bot.answers.value
    if answers is None:
        return
    healthy = answers.health == 200
    yield Row(section, "health", str(answers.health or "no answer"), OK if healthy else BAD)
    refused = answers.unauthenticated == 401
    text = f"answered with {answers.unauthenticated or 'nothing'}"
    yield Row(section, "call without a token", text, OK if refused else BAD)
    facts = answers.identity.facts
    if facts:
        yield Row(section, "signs in", f"as {facts.get('appId')}, with {facts.get('kind')}", OK)
        yield Row(section, "version", str(facts.get("version") or "unknown"))
        yield Row(section, "package", answers.identity.package)
        called = facts.get("lastOutboundCall")
        yield Row(section, "last outbound call", str(called or "none since it started"))


def _credentials(bot: DeployedBot) -> Iterator[Row]:
    found = bot.directory.value
    if found is None or not found.application:
        return
    counts = {
        "secrets": len(found.application.get("passwordCredentials") or ()),
        "certificates": len(found.application.get("keyCredentials") or ()),
        "federated credentials": len(found.federated),
    }
    section = "App registration"
    for name, count in counts.items():
        yield Row(section, name, str(count))
    for entry in found.application.get("keyCredentials") or ():
        thumbprint = entry_thumbprint(entry) or str(entry["keyId"])
        ends = CredentialPeriod.of(entry).ends[:10]
        yield Row(section, f"certificate {thumbprint[:SHOWN_CHARACTERS]}", f"ends {ends}")


def _last_day(bot: DeployedBot) -> Iterator[Row]:
    section, logs = "Last 24 hours", bot.logs.value
    if logs is not None:
        yield Row(section, "turns", str(logs.turns))
        yield Row(section, "refused", str(logs.refused))
        yield Row(section, "failed", str(logs.failed))
        yield Row(section, "dead-lettered", str(logs.dead_lettered))
    for name, count in (bot.queues.value or {}).items():
        yield Row(section, f"queue {name}", f"{count} messages")
