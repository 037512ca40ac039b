"""The files that azd uploads of the folder that it packages for a Function App in Python."""

import os
from pathlib import Path

IGNORE_FILE = ".funcignore"


def uploaded(folder: Path) -> list[str]:
    """The files, as sorted POSIX paths in the zip.

    Source: createDeployableZip of azd 1.32 (cli/azd/pkg/project/project_utils.go). A .funcignore
    replaces azd's own exclusions for Python; symbolic links are followed.

    Raises:
        NotImplementedError: the .funcignore has more than comments.
    """
    ignore = folder / IGNORE_FILE
    has_own_rules = ignore.exists()
    if has_own_rules and any(
        line.strip() and not line.startswith("#") for line in ignore.read_text("utf-8").splitlines()
    ):
        raise NotImplementedError(f"{ignore} has patterns")
    found: list[str] = []
    for parent, folders, files in os.walk(folder, followlinks=True):
        here = Path(parent)
        folders[:] = [
            name
            for name in folders
            if name != ".azure" and (has_own_rules or not _is_left_out(here / name))
        ]
        found += [
            (here / name).relative_to(folder).as_posix()
            for name in files
            if name not in {IGNORE_FILE, "local.settings.json"}
        ]
    return sorted(found)


def _is_left_out(folder: Path) -> bool:
    """Whether it is a virtual environment, or has compiled files."""
    return folder.name.lower() == "__pycache__" or (folder / "pyvenv.cfg").exists()
