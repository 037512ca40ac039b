"""Diagnosis: one thing that the doctor has found, and its cure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from bot_workbench.admin.doctor.codes import Code
from bot_workbench.admin.plan.shell import on_one_line

SEVERITIES = ERROR, WARNING, UNKNOWN, IGNORED = "error", "warning", "unknown", "ignored"
"""Severities: the bot does not work, or a protection is missing; it should be changed; nobody could
look; the command line says that it is intended."""

NOT_LOOKED_AT: Code = "not-looked-at"

Subject = Literal["answers", "app type", "identity", "storage account", "certificate"]
"""The facts that one finding spoils for another: what the app answers; the type of the bot in its
settings; its identity, storage account, and certificate with its vault."""

ANSWERS: Subject = "answers"
APP_TYPE: Subject = "app type"
IDENTITY: Subject = "identity"
STORAGE_ACCOUNT: Subject = "storage account"
CERTIFICATE: Subject = "certificate"


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

    code: Code
    severity: str
    problem: str
    cure: str
    spoils: frozenset[Subject] = frozenset()
    needs: frozenset[Subject] = frozenset()


def error(
    code: Code,
    problem: str,
    cure: str,
    *,
    stops: bool = False,
    spoils: Collection[Subject] = (),
    needs: Collection[Subject] = (),
) -> Diagnosis:
    """A finding of severity ERROR; one that `stops` the bot spoils its ANSWERS, too."""
    spoiled = {*spoils, ANSWERS} if stops else spoils
    return Diagnosis(code, ERROR, problem, on_one_line(cure), frozenset(spoiled), frozenset(needs))


def warning(code: Code, problem: str, cure: str, *, needs: Collection[Subject] = ()) -> Diagnosis:
    """A finding of severity WARNING."""
    return Diagnosis(code, WARNING, problem, on_one_line(cure), needs=frozenset(needs))
