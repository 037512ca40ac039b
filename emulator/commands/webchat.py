"""Installs Web Chat: `python -m emulator.commands.webchat --to .cache/webchat`.

The page needs one file of the package: dist/webchat.js. The minimal bundle beside it, half the
size, shows no Adaptive Cards.
"""

import argparse
import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

BUNDLE = "webchat.js"
VERSION = "version.txt"


class WebChatError(Exception):
    """Web Chat could not be installed; the text says what to do."""


class WrongPackageError(WebChatError):
    """npm delivered another package than the pinned one."""


@dataclass(frozen=True)
class Package:
    """An npm package of one version.

    Attributes:
        spec: name and version, as npm takes them.
        integrity: the expected digest of its tarball (Subresource Integrity form, SHA-512).
    """

    spec: str
    integrity: str


WEB_CHAT = Package(
    "botframework-webchat@4.18.1",
    "sha512-7jpEUJ7olT62Xm+8eh7BhhIcXVfU2xD4pZDaeBt8K4XcNy6K/83UGIxE9BFkXmHMZ4hDEVOzs5cre07GWuaXzg==",
)


def install(folder: Path, package: Package = WEB_CHAT) -> Path:
    """Put the bundle into `folder`, unless it has this version already, and return its path.

    Raises:
        WebChatError: npm is missing or failed.
        WrongPackageError: the tarball has another digest than the pinned one.
    """
    bundle, version = folder / BUNDLE, folder / VERSION
    if bundle.is_file() and version.is_file() and version.read_text("utf-8") == package.integrity:
        return bundle
    with tempfile.TemporaryDirectory() as scratch:
        tarball = _packed(package, Path(scratch))
        _check(tarball, package)
        folder.mkdir(parents=True, exist_ok=True)
        _extract(tarball, bundle)
    # Last: an interrupted installation is repeated.
    version.write_text(package.integrity, "utf-8")
    return bundle


def _packed(package: Package, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise WebChatError("npm is missing: install Node.js, then run this again.")
    command = [npm, "pack", package.spec, "--ignore-scripts", "--pack-destination", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode != 0 or len(tarballs) != 1:
        raise WebChatError(f"`npm pack {package.spec}` failed: check npm's registry and network.")
    return tarballs[0]


def _check(tarball: Path, package: Package) -> None:
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != package.integrity:
        raise WrongPackageError(
            f"The tarball of {package.spec} is not the pinned one: do not use it."
        )


def _extract(tarball: Path, bundle: Path) -> None:
    name = f"package/dist/{BUNDLE}"
    with tarfile.open(tarball) as archive:
        archive.extract(name, tarball.parent, filter="data")
    shutil.copyfile(tarball.parent / name, bundle)


def main(arguments: list[str], package: Package = WEB_CHAT) -> int:
    """The command line; the exit status is 1 only for another package than the pinned one."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator.commands.webchat", description=__doc__
    )
    parser.add_argument("--to", type=Path, default=Path(".cache/webchat"), metavar="FOLDER")
    folder = parser.parse_args(arguments).to
    try:
        print(f"Web Chat: {install(folder, package)}")
    except WrongPackageError as error:
        print(f"Web Chat: {error}")
        return 1
    except WebChatError as error:
        print(f"Web Chat: {error} Until then the chat page shows plain text.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
