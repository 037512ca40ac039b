"""Diagnosis: one thing that the doctor has found, and its cure."""

from dataclasses import dataclass

from admin.doctor.codes import Code
from admin.plan.shell import on_one_line

SEVERITIES = ERROR, WARNING, UNKNOWN, IGNORED = "error", "warning", "unknown", "ignored"
"""Severities: the bot does not work, or a protection is missing; it should be changed; nobody could
look; the command line says that it is intended."""

NOT_LOOKED_AT: Code = "not-looked-at"


@dataclass(frozen=True)
class Diagnosis:
    """One finding. It names settings, and never holds a setting's secret value.

    Attributes:
        code: what it is, for scripts.
        severity: one of SEVERITIES.
        problem: what is wrong, in a sentence.
        cure: what to do: commands to paste, one a line, and sentences, on lines of their own.
        stops: whether the bot cannot answer because of it: the symptoms that follow are not
            reported beside it.
    """

    code: Code
    severity: str
    problem: str
    cure: str
    stops: bool = False


def error(code: Code, problem: str, cure: str, *, stops: bool = False) -> Diagnosis:
    """A finding of severity ERROR."""
    return Diagnosis(code, ERROR, problem, on_one_line(cure), stops)


def warning(code: Code, problem: str, cure: str) -> Diagnosis:
    """A finding of severity WARNING."""
    return Diagnosis(code, WARNING, problem, on_one_line(cure))
