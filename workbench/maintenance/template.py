"""`make template`: lays out the repository that a bot's author gets, as copier's template.

It is the base's own files, with what only an author's repository has, from workbench/author. The
files that have the bot's name are rendered by copier; copier.yml says which ones are the
author's.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from bot_workbench.project import APP
from bot_workbench.setup.requirements import canonical, read

OVERLAY = "workbench/author"

LAID_OUT = (
    *(".gitattributes", ".gitignore", ".funcignore"),
    *("azure.yaml", "composition.py", "function_app.py", "host.json", "run.py"),
    *("constraints.txt", "requirements.txt", "requirements-telemetry.txt"),
    "local.settings.json.example",
    *("auth", "cloud_adapter", "http_client", "infra"),
    *("bot_logic", "tests/bot_logic", "app_package", "env/.env.dev"),
    *(".github/workflows/deploy.yml", ".github/workflows/doctor.yml"),
)
"""Files and folders of the base that every bot's repository has."""

LEFT_OUT = (
    *("app_package/__init__.py", "app_package/icons.py", "app_package/local_certificate.sh"),
    *("infra/.checkov.yaml", "infra/hooks/requirements.in", "infra/workbook.py"),
)
"""Files in these folders that only the base's maintainers, or the Agents Toolkit, need."""

QUERIES = "infra/queries"
"""The queries in it that no Bicep file names are in the workbook, too, or on the base's pages."""

LICENSED = ("auth", "cloud_adapter", "http_client", "infra")
"""The base's folders: each gets its license, and the repository itself is under the author's."""

NAME = "[[ name ]]"
RENDERED = {
    "azure.yaml": ("name: serverless-bot\n", f"name: {NAME}\n"),
    "env/.env.dev": ("APP_NAME=Sample bot\n", f"APP_NAME={NAME}\n"),
}
"""Files that copier renders, with what is replaced by the bot's name."""

EXTRAS = ("app-package", "run", "testing")
"""The parts of the workbench that an author needs; `azure` is to try a migration, in a clone of the
base."""

TOOLS = ("ruff",)
"""The other files that an author needs."""

WHEEL = "bot-workbench"
REQUIREMENTS = "requirements-dev.txt"
HOOKS = "infra/hooks/requirements.txt"
REQUIREMENTS_HEADER = """\
# What the commands need on your machine; run.py installs it into .venv. `copier update` brings new
# versions. bot_logic/requirements.txt is for your bot's own packages.
-r requirements.txt
"""
HOOKS_HEADER = """\
# What azd's hooks need, and the doctor in pipelines. An older Python gets nothing, so that the
# hooks can say what they need, where pip would only find no versions for it.
"""
README = "README.md.jinja"
PAGES = "docs"
_URL = re.compile(r"(?P<url>https://[^\s/?#]+(?:/[^\s?#]*)?)(?:#sha256=(?P<digest>[0-9a-f]{64}))?")
_GITHUB = re.compile(r"(?:git@|https://|ssh://git@)github\.com[:/](.+?)(?:\.git)?/?")

MARKER = ' ; python_full_version >= "3.13"'


class TemplateError(Exception):
    """The template cannot be laid out; the text says why, and what to do."""


def lay_out(to: Path, wheels: str, wheel_folder: Path) -> str:
    """Lay out the template, in place of all that is in the folder but `.git`.

    Args:
        to: a new folder, an earlier template, or a clone without changes.
        wheels: a folder, which receives the wheel; or the URL of the folder where it will be, or
            of the wheel itself with its `#sha256=`.
        wheel_folder: receives the wheel whose URL is that of a folder.

    Returns:
        The requirement that names the wheel.

    Raises:
        TemplateError: the folder has something else in it, or there is no wheel.
    """
    check_folder(to)
    names = list(base_files())
    if not names:
        raise TemplateError(f"git lists no files in {APP}: clone the base's repository.")
    requirement = requirement_of(wheels, wheel_folder, to)
    texts = {f"{name}.jinja": text_of(name) for name in RENDERED}
    texts[REQUIREMENTS] = requirements(requirement)
    texts[HOOKS] = hooks(requirement)
    texts[README] = (APP / OVERLAY / README).read_text("utf-8").replace("](docs/", f"]({pages()}/")
    to.mkdir(parents=True, exist_ok=True)
    for old in to.iterdir():
        if old.name != ".git":
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for name in names:
        copy(APP / name, to / name)
    for name in tracked([OVERLAY]):
        copy(APP / name, to / PurePosixPath(name).relative_to(OVERLAY))
    for name in LICENSED:
        copy(APP / "LICENSE", to / name / "LICENSE")
    for name in RENDERED:
        (to / name).rename(to / f"{name}.jinja")
    for name, text in texts.items():
        (to / name).write_text(text, "utf-8", newline="\n")
    return requirement


def check_folder(to: Path) -> None:
    """Refuse to replace what may be somebody's work.

    Raises:
        TemplateError: it is neither empty, nor an earlier template, nor a clone without changes.
    """
    place = to.resolve()
    if place in (APP, *APP.parents) or git("ls-files", "--", str(place)):
        raise TemplateError(
            f"{to} is, holds, or is part of, the base's own repository: name another folder."
        )
    if to.exists() and not to.is_dir():
        raise TemplateError(f"{to} is a file: name a folder.")
    is_template = all((to / name).is_file() for name in ("copier.yml", "function_app.py"))
    if not to.exists() or is_template or not any(to.iterdir()):
        return
    if (to / ".git").exists():
        command = ["git", "status", "--porcelain", "--ignored"]
        if not subprocess.run(command, cwd=to, check=True, capture_output=True).stdout:
            return
    raise TemplateError(
        f"{to} has files that would be lost: name a new folder, or a clone with nothing to commit."
    )


def requirement_of(wheels: str, folder: Path, to: Path) -> str:
    """The requirement that names the wheel: a direct reference with its digest.

    Raises:
        TemplateError: `wheels` is neither a folder nor a URL, or the wheel cannot be built.
    """
    if "://" in wheels:
        found = _URL.fullmatch(wheels)
        if found is None or bool(found["digest"]) != found["url"].endswith(".whl"):
            raise TemplateError(
                f"{wheels} is no place for a wheel: name a folder, the https:// URL of one, or that"
                " of the wheel with its #sha256=DIGEST."
            )
        if found["digest"]:
            return f"{WHEEL} @ {wheels}"
        wheel = build_wheel(folder, to)
        place = f"{wheels.rstrip('/')}/{wheel.name}"
    else:
        wheel = build_wheel(Path(wheels), to)
        place = wheel.as_uri()
    return f"{WHEEL} @ {place}#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def build_wheel(folder: Path, to: Path) -> Path:
    """Build the workbench's wheel into a folder, in place of one of the same version.

    Raises:
        TemplateError: the folder is in the template's; or pip's output says why.
    """
    folder = folder.resolve()
    if folder.is_relative_to(to.resolve()):
        raise TemplateError(f"The wheel would be in {to}, which is replaced: name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        options = ["--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", scratch]
        project = str(APP / "workbench")
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", *options, project]
        if subprocess.run(command, check=False).returncode:
            raise TemplateError("The wheel cannot be built: the lines above say why.")
        [built] = Path(scratch).iterdir()
        return Path(shutil.copy(built, folder))


def base_files() -> Iterator[str]:
    """The paths of the base's files that are laid out as they are, or rendered."""
    templates = "".join(file.read_text("utf-8") for file in (APP / "infra").rglob("*.bicep"))
    for name in tracked(LAID_OUT):
        is_query = name.startswith(QUERIES)
        if name not in LEFT_OUT and not (is_query and Path(name).name not in templates):
            yield name


def tracked(names: Sequence[str]) -> list[str]:
    """The files of some folders that git has, or would add."""
    found = git("ls-files", "--cached", "--others", "--exclude-standard", "--", *names)
    return [name for name in found.splitlines() if (APP / name).is_file()]


def text_of(name: str) -> str:
    """A file with copier's variable in place of the name of the base's own bot.

    Raises:
        TemplateError: the name is not where it was.
    """
    text, (old, new) = (APP / name).read_text("utf-8"), RENDERED[name]
    if text.count(old) != 1:
        raise TemplateError(f"{name} does not have {old.strip()!r} once: correct RENDERED.")
    return text.replace(old, new)


def requirements(requirement: str) -> str:
    """The author's requirements-dev.txt: the wheel, and pins for what its extras need."""
    project = tomllib.loads((APP / "workbench" / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *(each for name in EXTRAS for each in extras[name])]
    names = {canonical(re.split(r"[\[<>=;@ ]", each)[0]) for each in [*needed, *TOOLS]}
    files = [APP / "requirements.txt", APP / "workbench" / "tests" / "requirements-all.txt"]
    of_app = {line.name for line in read(files[:1], [])}
    pins = sorted(
        line.text
        for line in read(files, [])
        if line.name in names - of_app and line.version and not line.is_constraint
    )
    line = requirement.replace(WHEEL, f"{WHEEL}[{','.join(EXTRAS)}]", 1)
    return REQUIREMENTS_HEADER + "".join(f"{each}\n" for each in [line, *pins])


def hooks(requirement: str) -> str:
    """The list of azd's hooks, with the wheel."""
    lines = (APP / HOOKS).read_text("utf-8").splitlines(keepends=True)
    listed = "".join(line for line in lines if not line.startswith("#"))
    return f"{HOOKS_HEADER}{requirement}{MARKER}\n{listed}"


def pages() -> str:
    """The address of the folder with the base's pages.

    It is the default branch's on GitHub if the base was cloned from there; else on this machine. A
    commit's would stay an old base's: an update does not touch the README.
    """
    origin = git("config", "--get", "remote.origin.url")
    if found := _GITHUB.fullmatch(origin.strip()):
        return f"https://github.com/{found[1]}/blob/HEAD/{PAGES}"
    return (APP / PAGES).as_uri()


def git(*words: str) -> str:
    """The output of git in the base's repository; nothing if it fails."""
    done = subprocess.run(
        ["git", *words],  # noqa: S607  # the one of PATH
        cwd=APP,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout


def copy(file: Path, to: Path) -> None:
    """Copy a file with its mode."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, to)
