"""Validators: what Microsoft and others publish to check the repository's own files with."""

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.setup.errors import SetUpError
from emulator.setup.npm.packages import NpmPackages, failure
from emulator.setup.npm.registry import RETRIES

TOOLKIT = "@microsoft/teamsfx-core@3.1.3"
"""Of this package, which takes 294 MB installed, only the schemas are kept."""

SCHEMAS = "package/resource/yaml-schema"


@dataclass(frozen=True)
class Validators(NpmPackages):
    """For workflows, Kusto queries, the Teams app's manifest and m365agents.yml."""

    def wanted(self) -> Sequence[str]:
        """The packages, and the one that only schemas are taken of."""
        return [*self.packages, TOOLKIT]

    def finish(self, program: str) -> None:
        """Take the schemas.

        Raises:
            SetUpError: npm cannot fetch the package.
        """
        command = [program, "pack", TOOLKIT, *RETRIES, "--pack-destination", str(self.folder)]
        fetched = self.log.run(command)
        found = list(self.folder.glob("microsoft-teamsfx-core-*.tgz"))
        if not fetched or not found:
            raise SetUpError(failure(self.title, self.log, self.without))
        for tarball in found:
            _extract(tarball, self.folder)
            tarball.unlink()


def _extract(tarball: Path, folder: Path) -> None:
    with tarfile.open(tarball) as archive:
        schemas = [each for each in archive.getmembers() if each.name.startswith(SCHEMAS)]
        archive.extractall(folder, schemas, filter="data")
