"""run.py: finds the Python that does the rest, whatever Python starts it."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.support.wheels import wheel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its programs are shell scripts")

NEW = """
import runpy, sys
sys.path[0] = ""
runpy.run_path("run.py", run_name="__main__")
"""
OLD = f"import sys\nsys.version_info = (3, 9, 0)\n{NEW}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with the real run.py: its set-up makes an environment that is this one."""
    folder = tmp_path / "a project"
    workbench = folder / "workbench"
    (workbench / "bot_workbench" / "setup").mkdir(parents=True)
    shutil.copyfile(ROOT / "run.py", folder / "run.py")
    maintenance = workbench / "maintenance"
    maintenance.mkdir()
    for package in (
        workbench / "bot_workbench",
        workbench / "bot_workbench" / "setup",
        maintenance,
    ):
        (package / "__init__.py").touch()
    setup = workbench / "bot_workbench" / "setup"
    (setup / "errors.py").write_text("class SetUpError(Exception): pass\n")
    (maintenance / "tools.py").write_text("def needs_of(words): pass\n")
    (setup / "set_up.py").write_text(
        "import pathlib, sys\n\ndef set_up(steps, stream):\n"
        "    program = pathlib.Path('.venv/bin/python')\n"
        "    program.parent.mkdir(parents=True, exist_ok=True)\n"
        f"    program.unlink(missing_ok=True)\n    program.write_text({STARTS!r})\n"
        "    program.chmod(0o755)\n    print(sys.version_info[:2] >= (3, 13), flush=True)\n"
    )
    return folder


def put(program: Path, script: str) -> Path:
    """A program that runs a shell script."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


ELSEWHERE = [
    Path(folder, "python3.13") for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
]
"""Where run.py looks whatever PATH is."""

STARTS = '#!/bin/sh\necho "$@"\nexit 3\n'
"""A Python that prints what it is to run."""

RUNS = f'echo found "$0"; exec {sys.executable} "$@"'
REFUSES = "exit 127"


def ended(project: Path, path: Path, pyenv: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Start run.py with a Python that is too old, and with a PATH of the test's own."""
    environ = {"PATH": str(path), "PYENV_ROOT": str(pyenv)}
    return subprocess.run(
        [sys.executable, "-c", OLD, *words],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["python3.13", "python3"])
def test_on_path(name: str, project: Path, tmp_path: Path) -> None:
    """python3.13 on PATH, or python3 if it is new enough; it gets every word."""
    put(tmp_path / "path" / name, RUNS)
    done = ended(project, tmp_path / "path", tmp_path / "none", "run", "BOT=a bot")
    assert done.returncode == 3, done
    assert done.stdout.splitlines()[-2:] == ["True", "-m maintenance run BOT=a bot"]


def test_pyenv(project: Path, tmp_path: Path) -> None:
    """pyenv's, where the programs on PATH refuse, as its shims do for versions not chosen."""
    put(tmp_path / "path" / "python3.13", REFUSES)
    put(tmp_path / "path" / "python3", REFUSES)
    program = put(tmp_path / "pyenv" / "versions" / "3.13.0" / "bin" / "python3", RUNS)
    done = ended(project, tmp_path / "path", tmp_path / "pyenv", "check")
    assert f"found {program}" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["True", "-m maintenance check"]


def test_the_environment_comes_first(project: Path, tmp_path: Path) -> None:
    """The project's own environment is there already, and its Python is new enough."""
    program = put(project / ".venv" / "bin" / "python", RUNS)
    put(tmp_path / "path" / "python3.13", REFUSES)
    done = ended(project, tmp_path / "path", tmp_path / "none", "check")
    assert f"found {program}" in done.stdout


def test_without_a_command_it_runs_the_bot(project: Path) -> None:
    """Its variables may come first."""
    for words in ([], ["BOT=examples/echo"]):
        done = subprocess.run(
            [sys.executable, "run.py", *words],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.splitlines()[-1] == " ".join(["-m maintenance run", *words])


def test_clean_removes_what_was_built(project: Path) -> None:
    """Nothing is set up for it; a link's target stays."""
    (project / ".cache").mkdir()
    third_party = project / "workbench" / "bot_workbench" / "third_party"
    (third_party / "pages").mkdir(parents=True)
    (project / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        [sys.executable, "run.py", "clean"], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert {each.name for each in project.iterdir()} == {"run.py", "workbench"}
    assert not third_party.exists()
    assert Path(sys.prefix).exists()


def test_a_set_up_that_fails(project: Path) -> None:
    """It says why, and starts nothing."""
    (project / "workbench" / "bot_workbench" / "setup" / "set_up.py").write_text(
        "from bot_workbench.setup.errors import SetUpError\n\ndef set_up(steps, stream):\n"
        "    raise SetUpError('no network')\n"
    )
    done = subprocess.run(
        [sys.executable, "run.py", "check"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "no network\n")


def name_workbench(author: Path, says: str) -> None:
    """Let requirements-dev.txt name a wheel, of one version whatever it says when it is started."""
    package = author / says / "bot_workbench"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(f"import sys\nprint({says!r}, *sys.argv[1:])\n")
    wheel(package.parent, "bot_workbench", "1", files=package)
    file = package.parent / "bot_workbench-1-py3-none-any.whl"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    line = f"bot-workbench[run] @ {file.as_uri()}#sha256={digest}"
    (author / "requirements-dev.txt").write_text(f"absent==1\n{line}\n")


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """An author's repository: the workbench is a wheel of its requirements-dev.txt."""
    shutil.copyfile(ROOT / "run.py", tmp_path / "run.py")
    name_workbench(tmp_path, "bot")
    return tmp_path


INSTALLS = "Set-up: .venv, with the workbench"


def run(author: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Start run.py in an author's repository."""
    command = [sys.executable, "run.py", *words]
    return subprocess.run(command, cwd=author, capture_output=True, text=True, check=False)


def said(author: Path, *words: str) -> list[str]:
    """What run.py prints in an author's repository, line by line, standard error first."""
    done = run(author, *words)
    assert done.returncode == 0, done
    return [*done.stderr.splitlines(), *done.stdout.splitlines()]


def test_an_authors_repository(author: Path) -> None:
    """The workbench is installed once; what else is needed, it installs itself."""
    assert said(author, "setup") == [INSTALLS, "bot setup"]
    assert said(author, "test", "-k", "x") == ["bot test -k x"]


def test_an_authors_new_wheel(author: Path) -> None:
    """It takes the place of the one that is installed, even if its version is the same."""
    said(author, "setup")
    name_workbench(author, "newer")
    assert said(author, "setup") == [INSTALLS, "newer setup"]
    assert said(author, "setup") == ["newer setup"]


def test_a_wheel_with_another_digest(author: Path) -> None:
    """It is not installed."""
    [file] = author.glob("bot/*.whl")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("bot_workbench/planted.py", "")
    done = run(author, "setup")
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert done.stderr.endswith("The workbench cannot be installed: the lines above say why.\n")
    assert "bot" not in done.stdout.split()


def test_an_environment_without_pip(author: Path) -> None:
    """It is made anew: whoever interrupts its creation leaves it so, and uv makes it so."""
    venv.create(author / ".venv")
    assert said(author, "setup") == [INSTALLS, "bot setup"]


def test_an_installation_that_fails(author: Path) -> None:
    """What it leaves is not taken for what was installed before."""
    said(author, "setup")
    file = author / "requirements-dev.txt"
    text = file.read_text()
    file.write_text(text.replace("sha256=", "sha256=0"))
    assert run(author, "setup").returncode == 1
    file.write_text(text)
    assert said(author, "setup") == [INSTALLS, "bot setup"]


def test_how_a_windows_editor_saves_it(author: Path) -> None:
    """The line's end, a comment and a mark at the beginning are no part of the requirement."""
    file = author / "requirements-dev.txt"
    [line] = [each for each in file.read_text().splitlines() if each.startswith("bot-")]
    file.write_bytes(f"\ufeff{line}  # the workbench: caf".encode() + b"\xe9\r\n")
    assert said(author, "setup") == [INSTALLS, "bot setup"]


@pytest.mark.parametrize(
    ("name", "value"), [("PIP_USER", "1"), ("PIP_TARGET", "elsewhere"), ("PIP_PREFIX", "elsewhere")]
)
def test_settings_of_pip(
    name: str, value: str, author: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It installs into .venv, whatever environment is meant for other projects."""
    monkeypatch.setenv(name, value)
    assert said(author, "setup") == [INSTALLS, "bot setup"]
    assert not (author / "elsewhere").exists()


@pytest.mark.parametrize("text", ["absent==1\n", None])
def test_requirements_without_the_workbench(text: str | None, author: Path) -> None:
    """Nothing of its name is fetched from an index."""
    (author / "requirements-dev.txt").unlink()
    if text is not None:
        (author / "requirements-dev.txt").write_text(text)
    done = run(author)
    cure = "No line of requirements-dev.txt begins with bot-workbench: restore it.\n"
    assert (done.returncode, done.stderr) == (1, cure)


def test_an_authors_environment_that_does_not_work(author: Path, tmp_path: Path) -> None:
    """Its Python was removed, or upgraded: it is made again."""
    said(author, "setup")
    for name in ("python", "python3", "python3.13"):
        program = author / ".venv" / "bin" / name
        program.unlink(missing_ok=True)
        program.symlink_to(tmp_path / "gone")
    assert said(author, "doctor") == [INSTALLS, "bot doctor"]


@pytest.mark.skipif(any(map(Path.exists, ELSEWHERE)), reason="it would be found")
def test_none(project: Path, tmp_path: Path) -> None:
    """Without one, a line says how to get it."""
    done = ended(project, tmp_path, tmp_path, "run")
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.13 with venv is missing: install it")
    assert done.stderr.count("\n") == 1


def test_a_python_without_ensurepip(project: Path, tmp_path: Path) -> None:
    """Debian's, which cannot make an environment: another one is looked for."""
    program = put(tmp_path / "path" / "python3.13", RUNS)
    code = f"import importlib.util\nimportlib.util.find_spec = lambda _: None\n{NEW}"
    done = subprocess.run(
        [sys.executable, "-c", code, "check"],
        cwd=project,
        env={"PATH": str(program.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["-m maintenance check"], done
    assert f"found {program}" in done.stdout


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12"])
def test_old_pythons_can_run_it(version: str, project: Path, tmp_path: Path) -> None:
    """The file has nothing that they lack: they find the new one."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    old = next(iter(sorted(pyenv.glob(f"{version}.*/bin/python3"))), None)
    if old is None:
        pytest.skip(f"pyenv has no Python {version}")
    put(tmp_path / "path" / "python3.13", RUNS)
    done = subprocess.run(
        [str(old), "run.py", "check"],
        cwd=project,
        env={"PATH": str(tmp_path / "path")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["-m maintenance check"], done
