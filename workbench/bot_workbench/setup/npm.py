"""The installations of npm: programs, programs bundled into one file, files of packages, and
licenses.

Only npm knows a registry's address. Scripts of packages do not run.
"""

import base64
import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError, WrongPackageError
from bot_workbench.setup.install_log import UNREACHABLE, InstallLog
from bot_workbench.setup.stamp import Stamp
from bot_workbench.setup.step import Report

OPTIONS = (
    *("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier"),
    "--loglevel=warn",
    # Otherwise it takes 70 seconds to notice that there is no network.
    *("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"),
)

ON_BREAK = "process.once('SIGBREAK', () => process.emit('SIGINT') || process.exit())"
"""Ctrl-Break, by which programs are asked to stop on Windows, is what Ctrl-C is. No other system
has it."""

LICENSES = "licenses.txt"
"""The file with the licenses of what is installed beside it."""

_PACKAGE = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+(?=/)")
"""The folder of a package, at the beginning of the path of one of its files."""

_MANIFEST = re.compile(r"[^/]+/package\.json")

_LICENSE = re.compile(r"[^/]+/(?:(?:licen[cs]e|copying)[^/]*|(?:.+/)?[^/]+\.LICENSE\.txt)", re.I)
"""A package's license, and those that a bundler found in what is bundled in the package."""


def node_command(script: Path) -> list[str]:
    """The words that start a script; none if it, or Node.js, is not installed.

    Not by what npm puts into `.bin`: that is a batch file on Windows, and Ctrl-Break ends its
    script before that has written what it keeps in memory.
    """
    node = shutil.which("node")
    if node is None or not script.exists():
        return []
    return [node, "--import", f"data:text/javascript,{ON_BREAK}", str(script)]


@dataclass(frozen=True)
class NpmPackages:
    """A set-up step: packages of pinned versions, run as tools and never shipped.

    Attributes:
        title: as people are shown it.
        folder: takes node_modules.
        packages: names with versions, as npm takes them.
        without: what does not work without them, as a sentence.
        weight, is_needed, needs_node: see SetUpStep.
    """

    title: str
    folder: Path
    packages: Sequence[str]
    without: str
    weight: float = 10
    is_needed: bool = False
    needs_node: bool = True

    def is_done(self) -> bool:
        """Whether these very versions are installed."""
        return self._stamp().fits()

    def run(self, report: Report, log: InstallLog) -> str:
        """Install them.

        Raises:
            SetUpError: npm fails.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        report(0.1)
        _npm(self, log, "install", "--prefix", str(self.folder), *self.packages)
        self._stamp().write()
        return ""

    def _stamp(self) -> Stamp:
        return Stamp(self.folder / ".ready", self.packages)


@dataclass(frozen=True)
class NpmBundle:
    """A set-up step: a program in one file, which starts sooner than thousands of small ones.

    Attributes:
        title: as people are shown it.
        file: takes the program; beside it stay the licenses of all that is in it.
        package: name and version of the program's package.
        entry: the script in the package that starts it.
        bundler: name and version of esbuild.
        unused: packages that it depends on, but does not use here: they are not fetched.
        optional: modules that it would load if they were installed.
        without: what does not work without it, as a sentence.
        weight, is_needed, needs_node: see SetUpStep.
    """

    title: str
    file: Path
    package: str
    entry: str
    bundler: str
    unused: Sequence[str]
    optional: Sequence[str]
    without: str
    weight: float = 10
    is_needed: bool = False
    needs_node: bool = True

    def is_done(self) -> bool:
        """Whether a bundle of these very versions is there."""
        return self._stamp().fits()

    def run(self, report: Report, log: InstallLog) -> str:
        """Fetch the packages, bundle them, and remove them.

        Raises:
            SetUpError: npm fails.
        """
        # Beside the file, where a run that was killed leaves it to the next one; not in a folder
        # for temporary files, which may be a disk in memory: it takes 75 MB.
        scratch = self.file.parent / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            self._bundle(scratch, report, log)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self._stamp().write()
        return ""

    def _bundle(self, scratch: Path, report: Report, log: InstallLog) -> None:
        nothing = scratch / "nothing"
        nothing.mkdir(parents=True)
        (nothing / "package.json").write_text('{"name": "nothing", "version": "1.0.0"}', "utf-8")
        (nothing / "index.js").touch()
        name, _, version = self.package.rpartition("@")
        bundler, _, bundler_version = self.bundler.rpartition("@")
        manifest = {
            "private": True,
            "dependencies": {name: version, bundler: bundler_version},
            "overrides": dict.fromkeys(self.unused, "file:./nothing"),
        }
        (scratch / "package.json").write_text(json.dumps(manifest), "utf-8")
        report(0.1)
        _npm(self, log, "install", folder=scratch)
        report(0.8)
        options = ["--bundle", "--platform=node", f"--outfile={self.file.name}"]
        options += [f"--external:{each}" for each in self.optional]
        options += ["--metafile=inputs.json"]
        entry = f"node_modules/{name}/{self.entry}"
        _npm(self, log, "exec", "--", "esbuild", entry, *options, folder=scratch)
        inputs = json.loads((scratch / "inputs.json").read_text("utf-8"))["inputs"]
        folders = {found[0] for found in map(_PACKAGE.match, inputs) if found}
        _write_licenses(self.file.with_name(LICENSES), [scratch / each for each in folders])
        (scratch / self.file.name).replace(self.file)

    def _stamp(self) -> Stamp:
        wanted = (self.package, self.entry, self.bundler, *self.unused, *self.optional)
        return Stamp(self.file.parent / ".ready", wanted)


@dataclass(frozen=True)
class NpmFile:
    """One file, or one folder, of an npm package of one version.

    Attributes:
        name: its name once it is installed.
        package: name and version of the package, as npm takes them.
        member: its path in the package.
        integrity: the expected digest of its tarball (Subresource Integrity form, SHA-512).
    """

    name: str
    package: str
    member: str
    integrity: str


@dataclass(frozen=True)
class NpmFiles:
    """A set-up step: files and folders, each of a package that is checked against a pinned digest.

    Nothing else of the packages is kept.

    Attributes:
        title: as people are shown it.
        folder: takes the files.
        files: which ones.
        without: what does not work without them, as a sentence.
        weight, is_needed, needs_node: see SetUpStep.
    """

    title: str
    folder: Path
    files: Sequence[NpmFile]
    without: str
    weight: float = 5
    is_needed: bool = False
    needs_node: bool = True

    def is_done(self) -> bool:
        """Whether the folder has all of these very versions."""
        return not self._missing()

    def run(self, report: Report, log: InstallLog) -> str:
        """Fetch those that are missing.

        Raises:
            WrongPackageError: a package has another digest than the pinned one.
            SetUpError: npm fails.
        """
        missing = self._missing()
        report(0.1)
        with tempfile.TemporaryDirectory() as scratch:
            packages = [each.package for each in missing]
            _npm(self, log, "pack", "--pack-destination", scratch, *packages)
            tarballs = {_integrity(each): each for each in Path(scratch).glob("*.tgz")}
            for each in missing:
                if each.integrity not in tarballs:
                    raise WrongPackageError(
                        f"The package {each.package} differs from the pinned one, and was not"
                        " installed: check the registry that npm uses"
                        " (`npm config get registry`)."
                    )
                self._extract(tarballs[each.integrity], each)
        return ""

    def _extract(self, tarball: Path, wanted: NpmFile) -> None:
        member = f"package/{wanted.member}"
        with tarfile.open(tarball) as archive:
            for each in archive:
                if each.isfile() and f"{each.name}/".startswith(f"{member}/"):
                    target = Path(f"{self.folder / wanted.name}{each.name.removeprefix(member)}")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(_content(archive, each))
        if not (self.folder / wanted.name).exists():
            raise WrongPackageError(f"{wanted.member} is not in {wanted.package}.")
        self._stamp(wanted).write()

    def _missing(self) -> Sequence[NpmFile]:
        return [each for each in self.files if not self._stamp(each).fits()]

    def _stamp(self, wanted: NpmFile) -> Stamp:
        identity = (wanted.package, wanted.member, wanted.integrity)
        return Stamp(self.folder / f"{wanted.name}.ready", identity)


@dataclass(frozen=True)
class NpmLicenses:
    """A set-up step: the licenses of packages, for those who pass on what was made of them.

    Attributes:
        title: as people are shown it.
        file: takes the licenses.
        packages: names with versions, as npm takes them.
        without: what does not work without them, as a sentence.
        weight, is_needed, needs_node: see SetUpStep.
    """

    title: str
    file: Path
    packages: Sequence[str]
    without: str
    weight: float = 20
    is_needed: bool = False
    needs_node: bool = True

    def is_done(self) -> bool:
        """Whether the licenses of these very versions are there."""
        return self._stamp().fits()

    def run(self, report: Report, log: InstallLog) -> str:
        """Fetch the packages, and keep their licenses.

        Raises:
            SetUpError: npm fails.
        """
        report(0.1)
        with tempfile.TemporaryDirectory() as scratch:
            _npm(self, log, "pack", "--pack-destination", scratch, *self.packages)
            tarballs = list(Path(scratch).glob("*.tgz"))
            for each in tarballs:
                _extract_license(each)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            _write_licenses(self.file, [each.with_suffix("") for each in tarballs])
        self._stamp().write()
        return ""

    def _stamp(self) -> Stamp:
        return Stamp(self.file.with_name(".ready"), self.packages)


def _extract_license(tarball: Path) -> None:
    """Extract what says how a package is licensed, into one folder beside its tarball."""
    folder = tarball.with_suffix("")
    folder.mkdir()
    with tarfile.open(tarball) as archive:
        for each in archive:
            if _MANIFEST.fullmatch(each.name) or _LICENSE.fullmatch(each.name):
                (folder / Path(each.name).name).write_bytes(_content(archive, each))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""


def _write_licenses(file: Path, packages: Iterable[Path]) -> None:
    """Write the licenses of packages into one file, by name.

    Args:
        file: takes them.
        packages: the folders of the packages.
    """
    text = "\n\n".join(sorted({_license(each) for each in packages}))
    file.write_text(f"{text}\n", "utf-8", newline="\n")


def _license(package: Path) -> str:
    """A package's license and author, as in package.json, and its license files."""
    manifest = json.loads((package / "package.json").read_text("utf-8"))
    lines = ["=" * 80, f"{manifest['name']} {manifest['version']} ({manifest.get('license')})"]
    if author := manifest.get("author"):
        lines.append(author if isinstance(author, str) else json.dumps(author))
    for each in sorted(package.iterdir()):
        if _LICENSE.fullmatch(f"{package.name}/{each.name}"):
            lines += ["", each.read_text("utf-8", "replace").strip()]
    return "\n".join(lines)


def _integrity(tarball: Path) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()}"


def _npm(
    step: NpmPackages | NpmBundle | NpmFiles | NpmLicenses,
    log: InstallLog,
    *words: str,
    folder: Path = APP,
) -> None:
    """Run npm.

    Raises:
        SetUpError: it fails.
    """
    program = shutil.which("npm") or "npm"  # on Windows it is npm.cmd
    if not log.run([program, *OPTIONS, *words], folder=folder):
        why = f"{step.title} cannot be installed: {log.reason()}. npm's output: {log}"
        raise SetUpError(UNREACHABLE if log.is_offline() else why, step.without)
