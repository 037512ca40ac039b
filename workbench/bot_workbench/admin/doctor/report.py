"""The doctor's report: rows and findings for people, and an object for pipelines. None of them has
a secret."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.console import BAD, OK, STYLES, WARN, Row, shown, shown_lines, styled
from bot_workbench.admin.console import UNKNOWN as UNSEEN
from bot_workbench.admin.doctor.diagnosis import (
    ERROR,
    IGNORED,
    SEVERITIES,
    UNKNOWN,
    WARNING,
    Diagnosis,
)
from bot_workbench.admin.migrate.certificate.app_registration import entry_thumbprint
from bot_workbench.admin.migrate.deployed_bot.app_settings import system_identity
from bot_workbench.admin.migrate.deployed_bot.credential_period import last_day
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import AzureBot, DeployedBot
from bot_workbench.admin.migrate.deployed_bot.read import MALFORMED

SHOWN_CHARACTERS = 8
"""Of a thumbprint, beside a certificate's end."""

MARGIN = 4
"""Spaces before a problem and its cure."""

_STYLES = {
    ERROR: STYLES[BAD],
    WARNING: STYLES[WARN],
    UNKNOWN: STYLES[UNSEEN],
    IGNORED: STYLES[UNSEEN],
}

_PLURALS = {ERROR: "errors", WARNING: "warnings"}


def rows_of(bot: DeployedBot) -> list[Row]:
    """The facts, top to bottom."""
    rows: list[Row] = []
    for each in (_azure_bot, _app, _credentials, _last_day):
        with suppress(*MALFORMED):  # a finding says so
            rows += each(bot)
    return rows


def report_json(bot: AzureBot, rows: Sequence[Row], found: Sequence[Diagnosis]) -> JsonObject:
    """The report as one object.

    Args:
        bot: the bot; with its app, if it has one.
        rows: the facts.
        found: the findings.
    """
    app = {"name": bot.app.name, "id": bot.site["id"]} if isinstance(bot, DeployedBot) else None
    return {
        "bot": {"name": bot.target.bot_id.name, "id": bot.bot["id"], "appId": bot.app_id},
        "app": app,
        "facts": {row.name: row.text for row in rows},
        "findings": [
            {
                "code": each.code,
                "severity": each.severity,
                "problem": each.problem,
                "cure": each.cure,
            }
            for each in found
        ],
    }


def _azure_bot(bot: DeployedBot) -> list[Row]:
    section, channels = "Azure Bot", bot.channels.value
    names = sorted(str(one["properties"]["channelName"]) for one in channels or ())
    return [
        Row(section, "bot", f"{bot.target.bot_id.name}, {bot.app_type}"),
        Row(section, "app id", bot.app_id),
        Row(section, "endpoint", bot.endpoint or "none"),
        *([] if channels is None else [Row(section, "channels", ", ".join(names) or "none")]),
    ]


def _app(bot: DeployedBot) -> list[Row]:
    section, roles, answers = f"App {bot.app.name}", bot.roles.value, bot.answers.value
    names = [one.name for one in (*bot.assigned, system_identity(bot.site)) if one]
    held = sorted({one.name for one in roles.assigned}) if roles else ()
    rows = [
        Row(section, "state", str(bot.properties.get("state") or "unknown")),
        Row(section, "identities", ", ".join(names) or "none"),
        *([Row(section, "roles", ", ".join(held) or "none")] if roles else []),
    ]
    if answers is None:
        return rows
    is_healthy, refuses = answers.health == 200, answers.unauthenticated == 401
    text = f"answered with {answers.unauthenticated or 'nothing'}"
    rows += [
        Row(section, "health", str(answers.health or "no answer"), OK if is_healthy else BAD),
        Row(section, "call without a token", text, OK if refuses else BAD),
    ]
    facts = answers.identity.facts
    if not facts:
        return rows
    called = facts.get("lastOutboundCall")
    return [
        *rows,
        Row(section, "signs in", f"as {facts.get('appId')}, with {facts.get('kind')}", OK),
        Row(section, "version", str(facts.get("version") or "unknown")),
        Row(section, "package", answers.identity.package),
        Row(section, "last outbound call", str(called or "none since it started")),
    ]


def _credentials(bot: DeployedBot) -> list[Row]:
    section, found = "App registration", bot.directory.value
    if found is None or not found.application:
        return []
    certificates = found.application.get("keyCredentials") or ()
    secrets = found.application.get("passwordCredentials") or ()
    names = [entry_thumbprint(each) or str(each["keyId"]) for each in certificates]
    return [
        Row(section, "secrets", str(len(secrets))),
        Row(section, "certificates", str(len(certificates))),
        Row(section, "federated credentials", str(len(found.federated))),
        *(
            Row(section, f"certificate {name[:SHOWN_CHARACTERS]}", f"ends {last_day(each)}")
            for name, each in zip(names, certificates, strict=True)
        ),
    ]


def _last_day(bot: DeployedBot) -> list[Row]:
    section, logs = "Last 24 hours", bot.logs.value or Counter()
    columns = {
        "turns": "Turns",
        "refused": "Refused",
        "failed": "Failed",
        "dead-lettered": "DeadLettered",
    }
    return [
        *(Row(section, name, str(logs[each])) for name, each in columns.items() if logs),
        *(
            Row(section, f"queue {name}", f"{count} messages")
            for name, count in (bot.queues.value or {}).items()
        ),
    ]


def print_findings(terminal: Console, found: Sequence[Diagnosis]) -> None:
    """Print the findings in colour. Only a terminal breaks the line of a cure, which is then still
    copied as one.

    Args:
        terminal: where.
        found: in their order.
    """
    terminal.print(styled(_title(found), "bold" if found else STYLES[OK]))
    for each in found:
        terminal.print(styled(f"  {each.severity}: {each.code}", _STYLES[each.severity]))
        terminal.print(Padding(Text(shown_lines(each.problem)), (0, 0, 0, MARGIN)))
        for line in each.cure.split("\n"):
            terminal.print(styled(" " * MARGIN + line, "bold"), soft_wrap=True)


def finding_lines(found: Sequence[Diagnosis]) -> Iterator[str]:
    """The findings for a file."""
    yield _title(found)
    for each in found:
        yield f"  {each.severity}: {each.code}"
        for line in (each.problem, *each.cure.split("\n")):
            yield " " * MARGIN + shown(line)


def _title(found: Sequence[Diagnosis]) -> str:
    """The number of findings in words: "Found: 1 error, 2 warnings"."""
    if not found:
        return "Found: nothing, everything is as it should be"
    counts = {severity: sum(each.severity == severity for each in found) for severity in SEVERITIES}
    named = [
        f"{count} {severity if count == 1 else _PLURALS.get(severity, severity)}"
        for severity, count in counts.items()
        if count
    ]
    return f"Found: {', '.join(named)}"
