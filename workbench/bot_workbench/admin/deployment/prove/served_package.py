"""ServedPackage: the package that was sent is the one that answers."""

import re
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from bot_workbench.admin.azure.site_client import BUILT_IN_AZURE, NO_HASH
from bot_workbench.admin.migrate.steps.proof_loop import proof_loop
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

PACKAGE_HASH = "package.sha256"
"""The zip's file with the hash of its contents, one line."""

NOTES = ".notes"
"""In place of the zip's suffix: the file with its hash, and what its build had to say, a line
each."""

SHOWN_CHARACTERS = 12
"""Of a hash, for people."""

_HASH = re.compile(r"[0-9a-f]{64}")


class NoHash(Exception):
    """A file does not say which package it is; the message says why."""


class ServedPackage:
    """`/api/identity` answers with the hash of the zip that was sent.

    azd does not tell its hooks what it has sent, and takes some publishes that were lost for a
    success: a 404 after a first answer is one (azd, pkg/azsdk/funcapp_host_client.go).

    Args:
        target: has the app.
        package: the zip.
        is_named: the command line names the zip, so it must have a hash; otherwise, nothing is
            compared without one.
    """

    title = "Package that answers"

    def __init__(self, target: Target, package: Path, *, is_named: bool) -> None:
        self._target = target
        self._package = package
        self._is_named = is_named

    def look(self) -> Finding:
        """Ask the app, if the zip has a hash.

        Raises:
            AzureProblem: the app cannot be found.
        """
        try:
            sent = hash_of(self._package)
        except NoHash as problem:
            return self._unknown(str(problem))
        proof = self._target.proof()
        if proof.problem:
            text = f"the app does not say yet which package answers: {proof.problem}"
        elif proof.package == sent:
            return Finding(f"{_shown(sent)} answers, the one that was sent")
        else:
            text = (
                f"{_shown(proof.package)} answers, but {_shown(sent)} was sent. A new package"
                " takes a minute or two to answer. If this lasts, the publish was lost:"
                f" {self._cure}"
            )
        proved = (f'if echo "$FACTS" | grep {quoted(sent)} > /dev/null; then break; fi',)
        advice = "another package answers"
        loop = proof_loop(self._target, proved, attempts=30, pause=30, advice=advice)
        return Finding(text, waiting=True, az=loop)

    def _unknown(self, problem: str) -> Finding:
        if self._is_named:
            cure = "Name the zip that was sent, as `make package` has built it"
            return Finding(problem, refusal=f"{problem}. {cure}")
        return Finding(f"not compared with what was sent: {problem} (`azd package` builds it)")

    @property
    def _cure(self) -> str:
        if self._is_named:
            return f"publish {self._package} again"
        return f"run `azd deploy`. If you sent another zip, copy it to {self._package}"


def hash_of(package: Path) -> str:
    """The hash that a zip names itself by: SHA-256, lower-case hex.

    Raises:
        NoHash: it has none, or cannot be read.
    """
    try:
        with ZipFile(package) as file:
            text = file.read(PACKAGE_HASH).decode("ascii", "replace").strip()
    except FileNotFoundError:
        raise NoHash(f"{package} is missing") from None
    except KeyError:
        raise NoHash(f"{package} has no {PACKAGE_HASH}") from None
    except (OSError, BadZipFile) as error:
        raise NoHash(f"{package} cannot be read: {error}") from error
    if not _HASH.fullmatch(text):
        raise NoHash(f"{PACKAGE_HASH} in {package} is not a SHA-256 hash")
    return text


def notes_of(package: Path) -> tuple[str, ...]:
    """The messages of a zip's build, such as what it left out: azd shows that of no hook."""
    try:
        built, *notes = package.with_suffix(NOTES).read_text("utf-8").splitlines()
        return tuple(notes) if built == hash_of(package) else ()
    except (OSError, NoHash):
        return ()


def _shown(package: str) -> str:
    if package == BUILT_IN_AZURE:
        return "code that was built in Azure"
    return package if package == NO_HASH else f"package {package[:SHOWN_CHARACTERS]}"
