"""PageLibraries: installs the libraries of the local pages.

Each is one file of an npm package, fetched with `npm pack`, or from the registry where there is no
npm, and checked against a pinned digest: nothing of it is committed, nothing else of the package is
kept, and no script of it runs.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.setup.errors import SetUpError
from emulator.setup.npm.registry import RETRIES, download
from emulator.setup.step import Report

PAGE_LIBRARIES = Path(__file__).parents[2] / ".cache" / "pages"
"""Where `make pages` puts them."""


class LibraryError(SetUpError):
    """A library could not be installed; the text says what to do."""


class WrongPackageError(LibraryError):
    """npm delivered another package than the pinned one."""


@dataclass(frozen=True)
class Library:
    """One file of an npm package of one version.

    Attributes:
        name: the file's name in the folder of the libraries.
        spec: name and version of the package, as npm takes them.
        member: the file's path in the package.
        integrity: the expected digest of its tarball (Subresource Integrity form, SHA-512).
    """

    name: str
    spec: str
    member: str
    integrity: str


LIBRARIES = (
    Library(
        # Preact with its hooks and with templates that need no build, as one module.
        "htm.js",
        "htm@3.1.1",
        "preact/standalone.module.js",
        "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
    ),
    Library(
        "adaptivecards.js",
        "adaptivecards@3.0.6",
        "dist/adaptivecards.min.js",
        "sha512-WDCIb2WXZ7cOHJ9HIHRNdhSt861HySVOdN2xPk2aKHAF3JvD8QGQ8/XcNFrDJxCteOog8MM7EBlXfSAR8JXKAg==",
    ),
    Library(
        "markdown-it.js",
        "markdown-it@15.0.3",
        "dist/browser/markdown-it.umd.min.js",
        "sha512-+Az7Ojz3iRGu8KYMvJ6xVhvrxP3eE+vEtJX75Ow88XBpcQNV/0lGX5ZynIIBftREo4DC2jsveAMDaeltmm8QvQ==",
    ),
    Library(
        # The minimal bundle beside it, half the size, shows no Adaptive Cards.
        "webchat.js",
        "botframework-webchat@4.18.1",
        "dist/webchat.js",
        "sha512-7jpEUJ7olT62Xm+8eh7BhhIcXVfU2xD4pZDaeBt8K4XcNy6K/83UGIxE9BFkXmHMZ4hDEVOzs5cre07GWuaXzg==",
    ),
    Library(
        # For tests: whether people who use a keyboard or a screen reader can use the pages.
        "axe.js",
        "axe-core@4.14.1",
        "axe.min.js",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ),
)


def is_installed(folder: Path, library: Library) -> bool:
    """Whether `folder` has this very version of a library."""
    try:
        version = (folder / f"{library.name}.version").read_text("utf-8")
    except OSError:
        return False
    return version == library.integrity and (folder / library.name).is_file()


def install(folder: Path, library: Library) -> Path:
    """Put a library into `folder`, unless it has this version already, and return its path.

    Raises:
        LibraryError: npm failed, or there is none and the registry cannot be reached.
        WrongPackageError: the tarball has another digest than the pinned one.
    """
    file, version = folder / library.name, folder / f"{library.name}.version"
    if is_installed(folder, library):
        return file
    with tempfile.TemporaryDirectory() as scratch:
        tarball = _packed(library, Path(scratch))
        _check(tarball, library)
        folder.mkdir(parents=True, exist_ok=True)
        _extract(tarball, library.member, file)
    # Last: an interrupted installation is repeated.
    version.write_text(library.integrity, "utf-8")
    return file


def _packed(library: Library, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        tarball = folder / "package.tgz"
        try:
            tarball.write_bytes(download(library.spec))
        except OSError as error:
            raise LibraryError(
                f"npm is missing, and {library.spec} cannot be downloaded: {error}"
            ) from error
        return tarball
    options = ["--ignore-scripts", *RETRIES, "--pack-destination", str(folder)]
    command = [npm, "pack", library.spec, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode != 0 or len(tarballs) != 1:
        raise LibraryError(f"`npm pack {library.spec}` failed: check npm's registry and network.")
    return tarballs[0]


def _check(tarball: Path, library: Library) -> None:
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != library.integrity:
        raise WrongPackageError(
            f"The tarball of {library.spec} differs from the pinned one, and was not installed:"
            " check the registry that npm uses (`npm config get registry`)."
        )


def _extract(tarball: Path, member: str, file: Path) -> None:
    name = f"package/{member}"
    with tarfile.open(tarball) as archive:
        archive.extract(name, tarball.parent, filter="data")
    shutil.copyfile(tarball.parent / name, file)


@dataclass(frozen=True)
class PageLibraries:
    """A set-up step: all libraries, each of which is fetched only once.

    Attributes:
        folder: takes them.
        libraries: what is installed.
    """

    folder: Path = PAGE_LIBRARIES
    libraries: Sequence[Library] = LIBRARIES
    title: str = "The pages' libraries"
    weight: float = 8
    is_needed: bool = False

    def is_done(self) -> bool:
        """Whether the folder has them all."""
        return all(is_installed(self.folder, each) for each in self.libraries)

    def run(self, report: Report) -> str:
        """Fetch those that are missing.

        Raises:
            SetUpError: one cannot be fetched.
        """
        for number, library in enumerate(self.libraries):
            report(number / len(self.libraries))
            try:
                install(self.folder, library)
            except WrongPackageError:
                raise
            except LibraryError as error:
                raise LibraryError(
                    f"The chat page cannot be shown until `make pages` succeeds: {error}"
                ) from error
        return ""
