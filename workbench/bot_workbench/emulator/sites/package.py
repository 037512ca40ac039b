"""The checks of a published package, and the functions that are in it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from bot_workbench.emulator.resource_manager.site_config import Functions
from bot_workbench.emulator.sites.environment import launcher, site_environment
from bot_workbench.emulator.sites.site import Site

HOST = "host.json"
NO_HOST = (
    "InvalidPackageContentException: Package content validation failed: Cannot find required"
    " host.json file at root level in the .zip package."
)
"""The service says this of other files of a package (a .azurefunctions folder, for .NET)."""

REQUIREMENTS = ("requirements.txt", "pyproject.toml", "setup.py")
INDEX_SECONDS = 60.0
"""The time limit of the app's import."""


class PackageRefused(Exception):
    """The service does not publish the file; the text is what its log says."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a package into a new folder, if it has host.json at its root.

    Raises:
        PackageRefused: it is no zip file, or has no host.json there.
    """
    try:
        with ZipFile(archive) as file:
            if HOST not in file.namelist():
                raise PackageRefused(NO_HOST)
            file.extractall(folder)  # never outside it
    except BadZipFile as error:
        raise PackageRefused(
            f"InvalidDataException: the package is no zip file: {error}"
        ) from error


def build_log(folder: Path) -> str:
    """The log of Azure's build, Oryx, for a package; the packages themselves are not installed."""
    if any((folder / name).exists() for name in REQUIREMENTS):
        return "Running pip install... (The local Azure installs nothing.)"
    return (
        "Could not find requirements.txt, pyproject.toml, or setup.py; Not installing"
        " dependencies. More information: https://aka.ms/requirements-not-found"
    )


async def functions_of(folder: Path, site: Site, authority: Path, names: Path) -> Functions:
    """The functions of an app, with the settings of its site; none if it cannot be imported.

    Args:
        folder: of the unpacked package.
        site: has the settings.
        authority: PEM file of the authority that the app trusts.
        names: file of the public names that it has.
    """
    result = folder.with_suffix(".json")
    module = ["bot_workbench.emulator.sites.index_app", str(folder), str(result)]
    process = await asyncio.create_subprocess_exec(
        *launcher([sys.executable], names, folder.with_suffix(".log")),
        *module,
        env=site_environment(site, authority, {}),
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(process.wait(), INDEX_SECONDS)
    except TimeoutError:
        return {}
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found: Functions = json.loads(result.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found
