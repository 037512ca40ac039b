"""An environment's values, which azd stores in .azure/NAME/.env, for the template and its hooks."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot_workbench.admin.azure.errors import NotReachable, Refused
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.plan.shell import quoted, wrapped
from bot_workbench.admin.plan.step import Change, Finding, Step

SECONDS = 60


@dataclass(frozen=True)
class TemplateValue:
    """A value that a command finds out.

    Attributes:
        variable: azd's, such as "BOT_APP_ID".
        parameter: the template's, such as "botAppId".
        value: reads what it must be; a shell variable while it is not known.
        default: the template's, which counts while azd has no value.
    """

    variable: str
    parameter: str
    value: Callable[[], str]
    default: str = ""


def stored_values(options: DeploymentOptions, values: Sequence[TemplateValue]) -> Step:
    """With azd, the environment has the values; without it, the reader passes the parameters.

    azd has given its hook all values as variables, so it is not asked, and only called once, if a
    value differs. Looking raises AzureProblem if a value cannot be found out, or azd is missing.

    Args:
        options: name the environment.
        values: what must be stored.
    """
    known = {each.variable: os.environ.get(each.variable) or each.default for each in values}

    def keep(missing: Mapping[str, str]) -> None:
        _store(options.environment, missing)
        known.update(missing)

    def look() -> Finding:
        wanted = {each: each.value() for each in values}
        if not options.azd:
            passed = " ".join(f"{each.parameter}={value}" for each, value in wanted.items())
            return Finding(f"pass the parameters {passed}")
        shown = [
            f"{each.variable}={known[each.variable]}"
            for each in values
            if known[each.variable] != each.default
        ]
        text = f"azd has {', '.join(shown) or f'no {", ".join(known)}'}"
        missing = {
            each.variable: value for each, value in wanted.items() if value != known[each.variable]
        }
        if not missing:
            return Finding(text)
        _program()  # without it, no time helps
        return Finding(text, changes=(_storing(options.environment, missing, keep),))

    return Step(
        "Values in azd's environment" if options.azd else "Parameters of the template", look
    )


def _storing(
    environment: str, values: Mapping[str, str], keep: Callable[[Mapping[str, str]], None]
) -> Change:
    line = ["env set", *map(quoted, _assignments(values)), f"--environment {quoted(environment)}"]
    named = " and ".join(f"{name} to {value or 'nothing'}" for name, value in values.items())
    return Change(
        method="azd",
        url=" ".join(line),
        body=None,
        summary=f"Set {named} in azd's environment {environment}",
        az=(wrapped([f"azd {line[0]}", *line[1:]]),),
        service="file",
        send=partial(keep, values),
    )


def _assignments(values: Mapping[str, str]) -> list[str]:
    """The words of `azd env set` that store values, by their names.

    Source: azd, `parseKeyValue` in cli/azd/cmd/env.go: the first "=" ends the name, and an empty
    value is stored as such.
    """
    return [f"{name}={value}" for name, value in values.items()]


def _program() -> str:
    """The path of azd.

    Raises:
        NotReachable: it is not installed.
    """
    found = shutil.which("azd")
    if found is None:
        raise NotReachable("azd is not on the PATH: install the Azure Developer CLI")
    return found


def _store(environment: str, values: Mapping[str, str]) -> None:
    """Store values, all with one call of azd.

    Raises:
        NotReachable: azd is not installed, or does not answer.
        Refused: azd does not store them.
    """
    try:
        ended = subprocess.run(  # azd, with words of ours
            [_program(), "env", "set", *_assignments(values), "--environment", environment],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",  # azd's, whatever the code page of a Windows console
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotReachable(f"azd does not answer: {error}") from error
    if ended.returncode:
        reason = (ended.stderr or ended.stdout).strip() or f"exit status {ended.returncode}"
        raise Refused(f"azd does not store {', '.join(values)}: {reason}")
