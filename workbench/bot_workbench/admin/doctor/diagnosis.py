"""Check and Diagnosis: what the doctor judges, and one thing that it has found, with its cure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.plan.shell import on_one_line

SEVERITIES = ERROR, WARNING, UNKNOWN, IGNORED = "error", "warning", "unknown", "ignored"
"""Severities: the bot does not work, or a protection is missing; it should be changed; nobody could
look; the command line says that it is intended."""

NOT_LOOKED_AT = "not-looked-at"

Subject = Literal["answers", "app type", "identity", "storage account", "certificate"]
"""The facts that one finding spoils for another: what the app answers; the type of the bot in its
settings; its identity, storage account, and certificate with its vault."""


@dataclass(frozen=True)
class Diagnosis:
    """One finding. It names settings, and never holds a setting's secret value.

    Attributes:
        code: what it is, for scripts.
        severity: one of SEVERITIES.
        problem: what is wrong, in a sentence.
        cure: what to do: commands to paste, one a line, and sentences, on lines of their own.
        spoils: what does not exist, or tells nothing, until this is cured.
        needs: what must be in order before this means anything: it is left out beside a finding
            that spoils one of these, because that one causes it, or its cure comes first.
    """

    code: str
    severity: str
    problem: str
    cure: str
    spoils: frozenset[Subject] = frozenset()
    needs: frozenset[Subject] = frozenset()


def error(
    code: str,
    problem: str,
    cure: str,
    *,
    stops: bool = False,
    spoils: tuple[Subject, ...] = (),
    needs: tuple[Subject, ...] = (),
) -> Diagnosis:
    """A finding of severity ERROR; one that `stops` the bot spoils its answers, too."""
    spoiled = {*spoils, "answers"} if stops else spoils
    return Diagnosis(code, ERROR, problem, on_one_line(cure), frozenset(spoiled), frozenset(needs))


def warning(code: str, problem: str, cure: str) -> Diagnosis:
    """A finding of severity WARNING."""
    return Diagnosis(code, WARNING, problem, on_one_line(cure))


def not_looked_at(what: str, reason: str, cure: str) -> Diagnosis:
    """The finding that something could not be looked at."""
    return Diagnosis(NOT_LOOKED_AT, UNKNOWN, f"not looked at: {what}: {reason}", cure)


def findings(*rows: tuple[object, Diagnosis]) -> Iterator[Diagnosis]:
    """The findings of a table. Each row has a condition, and what is found if it holds."""
    return (found for is_so, found in rows if is_so)


Judge = Callable[[DeployedBot], Iterator[Diagnosis]]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        area: what its codes are about, for the command's help.
        title: what it looks at, for people.
        codes: of the findings that it alone yields.
        judge: yields what is wrong with what was read. What it requires and nobody could read, and
            an answer of an unexpected shape, end it: these are findings of their own.
    """

    area: str
    title: str
    codes: tuple[str, ...]
    judge: Judge


def check(area: str, title: str, *codes: str) -> Callable[[Judge], Check]:
    """Make a function a check, which `examine` runs in the order of its module: causes come before
    what follows from them.

    Args:
        area, title, codes: as those of Check.
    """
    return lambda judge: Check(area, title, codes, judge)
