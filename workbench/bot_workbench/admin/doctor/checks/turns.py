"""Checks of the last 24 hours: what the Functions host says of itself, turns that failed or were
refused, and what waits in the queues."""

from collections.abc import Iterator

from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import Diagnosis, warning
from bot_workbench.admin.doctor.host_lines import HOST_LINES
from bot_workbench.admin.doctor.parts.storage_queues import NOTIFICATIONS_QUEUE, POISON
from bot_workbench.admin.plan.shell import az, quoted

MAX_WAITING = 100
"""Messages in a queue; more are a backlog."""

MIN_REFUSED = 100
"""Refused calls in a day: fewer come from anybody who tries addresses."""

NOTIFICATIONS = f"{NOTIFICATIONS_QUEUE}{POISON}"
"""The queue of notifications that failed."""

OPERATIONS = "docs/operations.md has the queries and cures"
NOTIFICATIONS_PAGE = """docs/notifications.md, "When a notification fails", says what to do."""
BLOCKED_PAGE = (
    """docs/troubleshooting.md, "A turn takes too long, or ends the process", says what to do."""
)
HOST_PAGE = """docs/troubleshooting.md, "The host's own lines", says why, and what to do."""


def check_host(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Failures of the Functions host. It may have recovered since, so that no finding hides what
    the app answers now."""
    logs = bot.logs.value
    if logs is None:
        return
    for line in HOST_LINES:
        if count := logs.host_lines[line.column]:
            restart = az("functionapp restart", bot.target.site_id.az_options)
            yield warning(
                line.code,
                f"{line.problem} (in the last 24 hours: {count})",
                f"{restart}\n{HOST_PAGE}" if line.needs_restart else HOST_PAGE,
            )


def check_logs(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The findings in Application Insights' last 24 hours."""
    logs = bot.logs.value
    if logs is None:
        return
    if logs.failed:
        yield warning(
            "turns-failed", f"{logs.failed} turns failed in the last 24 hours", f"{OPERATIONS}."
        )
    if logs.refused > max(MIN_REFUSED, logs.turns):
        yield warning(
            "calls-refused",
            f"{logs.refused} calls were refused in the last 24 hours, and {logs.turns} accepted",
            "If users miss answers, a token, a tenant or a service URL is refused:"
            ' docs/troubleshooting.md, "The channel is refused"',
        )
    if logs.blocked:
        yield warning(
            "event-loop-blocked",
            "the bot's code blocked the event loop, and with it all other turns of the process"
            f" (lines in the last 24 hours: {logs.blocked})",
            BLOCKED_PAGE,
        )
    if logs.dead_lettered:
        yield warning(
            "turns-dead-lettered",
            f"{logs.dead_lettered} messages were dead-lettered in the last 24 hours: activities,"
            " notifications, or what somebody else has put into a queue",
            f"{_list_dead_letters(bot)}\n{NOTIFICATIONS_PAGE}",
        )


def check_queues(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The findings of messages that wait in the queues."""
    for name, count in (bot.queues.value or {}).items():
        if name.endswith(POISON) and count:
            yield warning(
                "dead-letters",
                f"the queue {name} has {count} messages: dead letters that nobody has dealt with",
                NOTIFICATIONS_PAGE if name == NOTIFICATIONS else _list_dead_letters(bot),
            )
        elif not name.endswith(POISON) and count > MAX_WAITING:
            yield warning(
                "queue-backlog", f"{count} messages wait in the queue {name}", f"{OPERATIONS}."
            )


def _list_dead_letters(bot: DeployedBot) -> str:
    storage = bot.storage.value
    if not storage or not storage.id:
        return f"{OPERATIONS}."
    return f"bot dead-letters list --account {quoted(storage.name)}"
