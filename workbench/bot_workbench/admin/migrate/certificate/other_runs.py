"""The traces of another run of `certificate` at the same time, and the steps that follow."""

from dataclasses import replace

from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.migrate.certificate.vault.bot_vault import BotVault
from bot_workbench.admin.plan.step import Finding, Step


class OtherRuns:
    """The versions of the certificate that were made since this run began.

    Key Vault has no conditional creation: two runs that both find no certificate make a version
    each. The newest is the one to use, and the key of each older one is to be withdrawn.

    Args:
        vault: the vault and the certificate's name.
    """

    def __init__(self, vault: BotVault) -> None:
        self._vault = vault
        self._found: frozenset[str] | None = None

    def begin(self) -> None:
        """Remember the versions that are there before this run makes one. Later calls change
        nothing.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        if self._found is None:
            self._found = frozenset(self._listed())

    @property
    def found(self) -> frozenset[str]:
        """The thumbprints of those versions, which stay as they are."""
        return self._found or frozenset()

    def note(self) -> str:
        """The notice if another run has made a version, too; empty: none has.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        made = [each for each in self._listed() if each not in self.found]
        if len(made) < 2:
            return ""
        return (
            f"another run has made a version of the certificate, too: the newest, {made[0]}, is"
            f" used; its key replaces that of {', '.join(made[1:])}"
        )

    def _listed(self) -> list[str]:
        """The thumbprints of all versions, newest first; none if there is no certificate."""
        try:
            return [each.thumbprint for each in self._vault.versions()]
        except NotFound:
            return []


class RememberingVersions:
    """A step that remembers first which versions there are.

    Args:
        runs: remembers them.
        step: what is done.
    """

    def __init__(self, runs: OtherRuns, step: Step) -> None:
        self.title = step.title
        self._runs = runs
        self._step = step

    def look(self) -> Finding:
        """Look as the step does.

        Raises:
            AzureProblem: the vault, or what the step needs, cannot be read.
        """
        self._runs.begin()
        return self._step.look()


class IfAnotherRan:
    """A step that changes something only if another run has made a version, too.

    Args:
        runs: knows that.
        step: what is done.
    """

    def __init__(self, runs: OtherRuns, step: Step) -> None:
        self.title = step.title
        self._runs = runs
        self._step = step

    def look(self) -> Finding:
        """Look as the step does, and say why.

        Raises:
            AzureProblem: the vault, or what the step needs, cannot be read.
        """
        note = self._runs.note()
        if not note:
            return Finding("no other run has made a version of the certificate")
        found = self._step.look()
        return replace(found, notes=(note, *found.notes))
