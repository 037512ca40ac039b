"""Installing the pages' libraries: with the real npm, and a small package of the test's own."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emulator.setup.install_log import InstallLog
from emulator.setup.npm.packages import NpmPackages
from emulator.setup.page_libraries import (
    Library,
    LibraryError,
    PageLibraries,
    WrongPackageError,
    install,
)
from emulator.setup.set_up import set_up
from emulator.setup.step import SetUpStep

NPM = shutil.which("npm")
needs_npm = pytest.mark.skipif(NPM is None, reason="npm is not installed")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A file of a package whose scripts must not be run."""
    source = tmp_path_factory.mktemp("package")
    (source / "dist").mkdir()
    (source / "dist" / "small.min.js").write_text("window.Small = {};\n", "utf-8")
    (source / "dist" / "other.js").write_text("not wanted\n", "utf-8")
    manifest = {"name": "small", "version": "1.0.0", "scripts": {"prepack": "exit 1"}}
    (source / "package.json").write_text(json.dumps(manifest), "utf-8")
    packed = tmp_path_factory.mktemp("packed")
    command = [str(NPM), "pack", str(source), "--ignore-scripts"]
    subprocess.run(command, cwd=packed, check=True, capture_output=True)
    (tarball,) = packed.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    return Library("small.js", str(source), "dist/small.min.js", f"sha512-{digest}")


@needs_npm
def test_only_one_file_is_taken(library: Library, tmp_path: Path) -> None:
    """One file of the package, and beside it which version it is of."""
    file = install(tmp_path / "pages", library)
    assert file.read_text("utf-8") == "window.Small = {};\n"
    names = {path.name for path in (tmp_path / "pages").iterdir()}
    assert names == {"small.js", "small.js.version"}


@needs_npm
def test_a_second_time_nothing_is_done(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not even need npm; another version is fetched."""
    install(tmp_path, library)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install(tmp_path, library).is_file()
    with pytest.raises(LibraryError, match="npm is missing"):
        install(tmp_path, replace(library, integrity="sha512-another"))


@needs_npm
def test_an_interrupted_set_up_is_done_again(library: Library, tmp_path: Path) -> None:
    """A file without its version beside it is not trusted."""
    (tmp_path / "small.js").write_text("half of", "utf-8")
    assert install(tmp_path, library).read_text("utf-8") == "window.Small = {};\n"


@needs_npm
def test_another_tarball_is_refused(library: Library, tmp_path: Path) -> None:
    """A tarball without the pinned digest is not unpacked."""
    with pytest.raises(WrongPackageError):
        install(tmp_path / "pages", replace(library, integrity="sha512-another"))
    assert not (tmp_path / "pages").exists()


@needs_npm
def test_a_failing_npm_is_named(library: Library, tmp_path: Path) -> None:
    """An unknown package, or no network, is one line."""
    spec = str(tmp_path / "missing.tgz")
    with pytest.raises(LibraryError, match=r"npm pack .* failed"):
        install(tmp_path / "pages", replace(library, spec=spec))


def test_npm_gives_up_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself it takes 70 seconds to notice that there is no network."""
    program = tmp_path / "npm"
    program.write_text('#!/bin/sh\necho "$@" >> "$0.called"\nexit 1\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    log = InstallLog(tmp_path / "setup.log")
    steps: list[SetUpStep] = [
        PageLibraries(tmp_path / "pages", [Library("small.js", "small@1.0.0", "small.js", "")]),
        NpmPackages("A tool", tmp_path / "tool", ["tool@1"], "It is missing.", log=log),
    ]
    set_up(steps, io.StringIO())
    called = (tmp_path / "npm.called").read_text("utf-8").splitlines()
    assert [line.split()[0] for line in called] == ["pack", "install"]
    assert all("--fetch-retry-maxtimeout=" in line for line in called)


class TarballHandler(BaseHTTPRequestHandler):
    """A registry with one package, which some server has been given as its `tarball`."""

    def do_GET(self) -> None:
        """Answer with the package at its address."""
        found = self.path == "/@scope/small/-/small-1.0.0.tgz"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(getattr(self.server, "tarball", b"") if found else b"")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def tarball(content: bytes) -> bytes:
    """A package as npm packs it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("package/dist/small.js")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_without_npm_the_registry_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines without npm get the same file, checked against the same digest."""
    packed = tarball(b"window.Small = {};")
    digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
    library = Library("small.js", "@scope/small@1.0.0", "dist/small.js", f"sha512-{digest}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), TarballHandler) as server:
        vars(server)["tarball"] = packed
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
        file = install(tmp_path / "pages", library)
        assert file.read_text("utf-8") == "window.Small = {};"
        with pytest.raises(WrongPackageError):
            install(tmp_path / "other", replace(library, integrity="sha512-another"))
        with pytest.raises(LibraryError, match=r"npm is missing, and small@2 cannot be downloaded"):
            install(tmp_path / "other", replace(library, spec="small@2"))
        server.shutdown()
        serving.join()


def test_without_npm_and_network_the_set_up_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says so, and the set-up succeeds: the bot runs without the page."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    set_up([PageLibraries(tmp_path / "pages")], stream := io.StringIO())
    _title, line, _end = stream.getvalue().splitlines()
    assert line.startswith(
        "The chat page cannot be shown until `make pages` succeeds: npm is missing"
    )


@needs_npm
def test_the_set_up_fails_only_for_a_wrong_package(library: Library, tmp_path: Path) -> None:
    """A tampered package stops it, though the bot would run without the page."""
    set_up([PageLibraries(tmp_path, [library])], io.StringIO())
    assert (tmp_path / "small.js").is_file()
    wrong = replace(library, integrity="sha512-another")
    with pytest.raises(WrongPackageError):
        set_up([PageLibraries(tmp_path, [wrong])], io.StringIO())
