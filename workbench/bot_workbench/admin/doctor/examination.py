"""Examination: all checks, one after the other, over what was read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.doctor.checks import app, resources, settings, sign_in
from bot_workbench.admin.doctor.diagnosis import (
    IGNORED,
    NOT_LOOKED_AT,
    SEVERITIES,
    Check,
    Diagnosis,
    not_looked_at,
)
from bot_workbench.admin.doctor.other_app import check_whose_app
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import CONTRIBUTOR, DeployedBot
from bot_workbench.admin.migrate.deployed_bot.read import MALFORMED, Read, Unread, malformed

CHECKS = [
    each
    for module in (settings, sign_in, resources, app)
    for each in vars(module).values()
    if isinstance(each, Check)
]
"""In the order of the modules, and of the functions in them: causes come before what follows."""

CODES = {
    area: [code for each in (*CHECKS, check_whose_app) if each.area == area for code in each.codes]
    for area in dict.fromkeys(each.area for each in CHECKS)
} | {"each of these": [NOT_LOOKED_AT]}
"""The codes of what the doctor finds, by what they are about, for people."""

ALL_CODES = frozenset(code for codes in CODES.values() for code in codes)

AGAIN = "Run the command again."


def reads_of(bot: DeployedBot) -> tuple[Read[Any], ...]:
    """What the doctor reads, which begins, in the order in which it is reported."""
    return (
        bot.channels,
        bot.settings,
        bot.web,
        bot.publishing,
        bot.identities,
        bot.storage,
        bot.vault,
        bot.monitoring,
        bot.roles,
        bot.directory,
        bot.answers,
        bot.logs,
        bot.queues,
    )


def examine(bot: DeployedBot, ignored: frozenset[str]) -> list[Diagnosis]:
    """Everything that was found, and what could not be looked at: errors first, and then in the
    order of CHECKS. What another finding explains is left out.

    Args:
        bot: what is examined.
        ignored: codes of findings that are intended. They come last, and explain nothing.
    """
    try:
        found = list(check_whose_app.judge(bot))
    except MALFORMED:  # the checks say so
        found = []
    if not found:
        found = [each for check in CHECKS for each in _findings(check, bot)]
        counted = [each for each in found if each.code not in ignored]
        spoiled = {subject for each in counted for subject in each.spoils}
        found = [*(each for each in found if not each.needs & spoiled), *_unseen(bot)]
    marked = [
        replace(each, severity=IGNORED) if each.code in ignored else each
        for each in dict.fromkeys(found)
    ]
    return sorted(marked, key=lambda each: SEVERITIES.index(each.severity))


def _findings(check: Check, bot: DeployedBot) -> Iterator[Diagnosis]:
    """The findings of a check; an answer of an unexpected shape stops none of the others."""
    try:
        yield from check.judge(bot)
    except Unread:  # a finding of its own
        pass
    except MALFORMED as error:
        yield not_looked_at(check.title, malformed(error), AGAIN)


def _unseen(bot: DeployedBot) -> Iterator[Diagnosis]:
    for read in reads_of(bot):
        if isinstance(error := read.error, Forbidden) and error.needs_role:
            cure = f"Give your account {read.needs}, or ask somebody who has it."
            yield not_looked_at(read.title, f"{error.answer} It needs {read.needs}.", cure)
        elif isinstance(error, Forbidden):
            yield not_looked_at(read.title, error.answer, error.cure)
        elif error:
            yield not_looked_at(read.title, str(error), AGAIN)
    answers = bot.answers.value
    if answers and not answers.problem and not answers.identity.status:
        cure = f"Give your account {CONTRIBUTOR}, or ask somebody who has it."
        yield not_looked_at("the app's sign-in", answers.identity.problem, cure)
