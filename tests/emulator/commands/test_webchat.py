"""Installing Web Chat: with the real npm, and a small package of the test's own."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from emulator.commands.webchat import Package, WebChatError, WrongPackageError, install, main

NPM = shutil.which("npm")
needs_npm = pytest.mark.skipif(NPM is None, reason="npm is not installed")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A folder of the same form as Web Chat's package, whose scripts must not be run."""
    source = tmp_path_factory.mktemp("package")
    (source / "dist").mkdir()
    (source / "dist" / "webchat.js").write_text("window.WebChat = {};\n", "utf-8")
    (source / "dist" / "other.js").write_text("not wanted\n", "utf-8")
    manifest = {"name": "small-chat", "version": "1.0.0", "scripts": {"prepack": "exit 1"}}
    (source / "package.json").write_text(json.dumps(manifest), "utf-8")
    packed = tmp_path_factory.mktemp("packed")
    command = [str(NPM), "pack", str(source), "--ignore-scripts"]
    subprocess.run(command, cwd=packed, check=True, capture_output=True)
    (tarball,) = packed.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    return Package(str(source), f"sha512-{digest}")


@needs_npm
def test_only_the_bundle_is_taken(package: Package, tmp_path: Path) -> None:
    """One file of the package, and beside it which version it is of."""
    bundle = install(tmp_path / "webchat", package)
    assert bundle.read_text("utf-8") == "window.WebChat = {};\n"
    names = {path.name for path in (tmp_path / "webchat").iterdir()}
    assert names == {"webchat.js", "version.txt"}


@needs_npm
def test_a_second_time_nothing_is_done(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not even need npm; another version is fetched."""
    install(tmp_path, package)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install(tmp_path, package).is_file()
    with pytest.raises(WebChatError, match="npm is missing"):
        install(tmp_path, Package(package.spec, "sha512-another"))


@needs_npm
def test_an_interrupted_set_up_is_done_again(package: Package, tmp_path: Path) -> None:
    """A bundle without its version beside it is not trusted."""
    (tmp_path / "webchat.js").write_text("half of", "utf-8")
    assert install(tmp_path, package).read_text("utf-8") == "window.WebChat = {};\n"


@needs_npm
def test_another_tarball_is_refused(package: Package, tmp_path: Path) -> None:
    """A tarball without the pinned digest is not unpacked."""
    with pytest.raises(WrongPackageError):
        install(tmp_path / "webchat", Package(package.spec, "sha512-another"))
    assert not (tmp_path / "webchat").exists()


@needs_npm
def test_a_failing_npm_is_named(tmp_path: Path) -> None:
    """An unknown package, or no network, is one line."""
    spec = str(tmp_path / "missing.tgz")
    with pytest.raises(WebChatError, match=r"npm pack .* failed"):
        install(tmp_path / "webchat", Package(spec, "sha512-any"))


def test_without_npm_the_command_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what to do, and the command succeeds: the chat page works as plain text."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--to", str(tmp_path / "webchat")]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "npm is missing: install Node.js" in line


@needs_npm
def test_the_command_fails_only_for_a_wrong_package(
    package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tampered package stops the installation; a good one prints its path."""
    assert main(["--to", str(tmp_path)], package) == 0
    assert str(tmp_path / "webchat.js") in capsys.readouterr().out
    assert main(["--to", str(tmp_path)], Package(package.spec, "sha512-another")) == 1
