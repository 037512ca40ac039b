"""AzdEnvironment: the values of an azd environment, read and written by azd itself."""

import shutil
import subprocess
from dataclasses import dataclass

from admin.azure.errors import NotReachable, Refused

SECONDS = 60


@dataclass(frozen=True)
class AzdEnvironment:
    """The values that azd keeps in .azure/NAME/.env, and gives to the template and to hooks.

    Attributes:
        name: of the environment.
    """

    name: str

    def read(self, name: str) -> str:
        """A value; empty if there is none.

        Raises:
            NotReachable: azd is not installed, or does not answer.
        """
        ended = self._run("get-value", name)
        return ended.stdout.strip() if ended.returncode == 0 else ""

    def write(self, name: str, value: str) -> None:
        """Set a value.

        Raises:
            NotReachable: azd is not installed, or does not answer.
            Refused: azd does not store it.
        """
        ended = self._run("set", name, value)
        if ended.returncode:
            reason = (ended.stderr or ended.stdout).strip() or f"exit status {ended.returncode}"
            raise Refused(f"azd does not store {name}: {reason}")

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = shutil.which("azd")
        if program is None:
            raise NotReachable("azd is not on the PATH: install the Azure Developer CLI")
        try:
            return subprocess.run(  # noqa: S603  # azd, with words of ours
                [program, "env", *words, "--environment", self.name],
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
