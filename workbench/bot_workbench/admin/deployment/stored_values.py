"""StoredValues: what the template needs is where the template gets it from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot_workbench.admin.deployment.azd import assignments, program, store, stored
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import quoted, wrapped
from bot_workbench.admin.plan.step import Finding


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


class StoredValues:
    """With azd, the environment has the values; without it, the reader passes the parameters.

    azd has given its hook all values as variables, so it is not asked, and only called once, if a
    value differs.

    Args:
        options: name the environment.
        values: what must be stored.
    """

    def __init__(self, options: DeploymentOptions, values: Sequence[TemplateValue]) -> None:
        self.title = "Values in azd's environment" if options.azd else "Parameters of the template"
        self._options = options
        self._values = values
        self._stored: dict[str, str] = {}

    def look(self) -> Finding:
        """Compare the values with the hook's variables.

        Raises:
            AzureProblem: a value cannot be found out, or azd is not installed.
        """
        wanted = [(each, each.value()) for each in self._values]
        if not self._options.azd:
            passed = " ".join(f"{each.parameter}={value}" for each, value in wanted)
            return Finding(f"pass the parameters {passed}")
        known = {each.variable: self._current(each) for each in self._values}
        missing = {each.variable: value for each, value in wanted if value != known[each.variable]}
        shown = [
            f"{each.variable}={known[each.variable]}"
            for each in self._values
            if known[each.variable] != each.default
        ]
        text = f"azd has {', '.join(shown) or f'no {", ".join(known)}'}"
        if not missing:
            return Finding(text)
        program()  # without it, no time helps
        return Finding(text, changes=(self._change(missing),))

    def _current(self, value: TemplateValue) -> str:
        return self._stored.get(value.variable, stored(value.variable)) or value.default

    def _change(self, values: Mapping[str, str]) -> Change:
        environment = self._options.environment
        words = ["env set", *map(quoted, assignments(values))]
        line = [*words, f"--environment {quoted(environment)}"]
        named = " and ".join(f"{name} to {value or 'nothing'}" for name, value in values.items())
        return Change(
            method="azd",
            url=" ".join(line),
            body=None,
            summary=f"Set {named} in azd's environment {environment}",
            az=(wrapped([f"azd {line[0]}", *line[1:]]),),
            service="file",
            send=partial(self._store, values),
        )

    def _store(self, values: Mapping[str, str]) -> None:
        store(self._options.environment, values)
        self._stored |= values
