"""Examination: all checks, one after the other, over what was read."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bot_workbench.admin.doctor.background_read import MALFORMED
from bot_workbench.admin.doctor.checks.app import check_answers, check_configuration, check_scale
from bot_workbench.admin.doctor.checks.azure_bot import (
    check_agreement,
    check_channels,
    check_endpoint,
)
from bot_workbench.admin.doctor.checks.identity import check_identity, check_roles
from bot_workbench.admin.doctor.checks.registration import check_principal, check_registration
from bot_workbench.admin.doctor.checks.resources import check_monitoring, check_storage, check_vault
from bot_workbench.admin.doctor.checks.settings import check_settings
from bot_workbench.admin.doctor.checks.turns import check_host, check_logs, check_queues
from bot_workbench.admin.doctor.deployed_bot import CONTRIBUTOR, DeployedBot
from bot_workbench.admin.doctor.diagnosis import (
    IGNORED,
    NOT_LOOKED_AT,
    SEVERITIES,
    UNKNOWN,
    Diagnosis,
)
from bot_workbench.admin.doctor.other_app import other_app

Check = Callable[[DeployedBot], Iterator[Diagnosis]]

CHECKS: dict[str, tuple[Check, ...]] = {
    "settings": (check_settings,),
    "identity": (check_identity,),
    "agreement of bot and settings": (check_agreement,),
    "app registration": (check_registration, check_principal),
    "storage account": (check_storage,),
    "key vault": (check_vault,),
    "Application Insights": (check_monitoring,),
    "roles": (check_roles,),
    "endpoint": (check_endpoint,),
    "channels": (check_channels,),
    "app": (check_configuration, check_scale),
    "answers of the app": (check_answers,),
    "last turns": (check_host, check_logs, check_queues),
}
"""By what they are about, for people; causes come before what follows from them."""


def examine(bot: DeployedBot, ignored: frozenset[str]) -> list[Diagnosis]:
    """Everything that was found, and what could not be looked at: errors first, and then in the
    order of CHECKS. What another finding explains is left out.

    Args:
        bot: what is examined.
        ignored: codes of findings that are intended. They come last, and explain nothing.
    """
    if (other := other_app(bot)) is not None:
        return [replace(other, severity=IGNORED) if other.code in ignored else other]
    found = [each for title, checks in CHECKS.items() for each in _run(bot, title, checks)]
    spoiled = {subject for each in found if each.code not in ignored for subject in each.spoils}
    found = [each for each in found if not each.needs & spoiled]
    marked = [
        replace(each, severity=IGNORED) if each.code in ignored else each
        for each in (*found, *_unseen(bot))
    ]
    return sorted(marked, key=lambda each: SEVERITIES.index(each.severity))


def _run(bot: DeployedBot, title: str, checks: tuple[Check, ...]) -> list[Diagnosis]:
    """The findings of some checks; an answer of an unexpected shape stops none of the others."""
    try:
        return [each for check in checks for each in check(bot)]
    except MALFORMED as error:
        # Not the error's text, which may quote what was read.
        reason = f"an answer has an unexpected shape ({type(error).__name__})"
        return [_not_looked_at(title, reason, "Run the command again.")]


def _unseen(bot: DeployedBot) -> Iterator[Diagnosis]:
    for read in bot.reads:
        if read.part.problem:
            yield _not_looked_at(read.title, read.part.problem, read.cure)
    answers = bot.answers.value
    if answers is not None and not answers.problem and not answers.identity.status:
        cure = f"Give your account {CONTRIBUTOR}, or ask somebody who has it."
        yield _not_looked_at("the app's sign-in", answers.identity.problem, cure)


def _not_looked_at(title: str, reason: str, cure: str) -> Diagnosis:
    return Diagnosis(NOT_LOOKED_AT, UNKNOWN, f"not looked at: {title}: {reason}", cure)
