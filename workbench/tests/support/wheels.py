"""Packages to install, made by tests."""

import zipfile
from pathlib import Path


def wheel(
    folder: Path, name: str, version: str, needs: str = "", files: Path | None = None
) -> None:
    """Write a package.

    Args:
        folder: takes the file.
        name, version: of the distribution.
        needs: a requirement; empty: none.
        files: the folder of what is in it; None: nothing is.
    """
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        info = f"{name}-{version}.dist-info"
        needed = f"Requires-Dist: {needs}\n" if needs else ""
        archive.writestr(f"{info}/METADATA", metadata + needed)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
        for file in files.iterdir() if files else ():
            archive.write(file, f"{name}/{file.name}")
