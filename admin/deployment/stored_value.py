"""StoredValue: a value that the template needs is where the template gets it from."""

from collections.abc import Callable
from functools import partial

from admin.deployment.azd import AzdEnvironment
from admin.deployment.options import DeploymentOptions
from admin.plan.change import Change
from admin.plan.shell import quoted, wrapped
from admin.plan.step import Finding


class StoredValue:
    """With azd, the environment has the value; without it, the reader passes the parameter.

    Args:
        options: name the environment.
        name: azd's variable, such as "BOT_APP_ID".
        parameter: the template's, such as "botAppId".
        value: reads what it must be; a shell variable while it is not known.
    """

    def __init__(
        self, options: DeploymentOptions, name: str, parameter: str, value: Callable[[], str]
    ) -> None:
        self.title = f"Parameter {parameter}"
        self._environment = AzdEnvironment(options.environment)
        self._uses_azd = options.azd
        self._name = name
        self._parameter = parameter
        self._value = value

    def look(self) -> Finding:
        """Compare the stored value.

        Raises:
            AzureProblem: the value cannot be found out, or azd does not answer.
        """
        value = self._value()
        if not self._uses_azd:
            return Finding(f"pass the parameter {self._parameter}={value}")
        current = self._environment.read(self._name)
        if current == value:
            return Finding(f"azd has {self._name}={value}")
        text = f"azd has {f'{self._name}={current}' if current else f'no {self._name}'}"
        return Finding(text, changes=(self._change(value),))

    def _change(self, value: str) -> Change:
        name, environment = self._name, self._environment
        line = f"env set {name} {quoted(value)} --environment {quoted(environment.name)}"
        return Change(
            method="azd",
            url=line,
            body=None,
            summary=f"Set {name} to {value or 'nothing'} in azd's environment {environment.name}",
            az=(wrapped([f"azd {line}"]),),
            service="file",
            send=partial(environment.write, name, value),
        )
