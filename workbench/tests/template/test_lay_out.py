"""What `make template` lays out, and where it refuses to."""

import fnmatch
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from bot_workbench.funcignore import FuncIgnore
from bot_workbench.setup.requirements import read
from maintenance import template as module
from maintenance.template import EXTRAS, LICENSED, TemplateError, lay_out
from tests.support.project import ROOT
from tests.template.conftest import WHEEL, commit, copier, git

GIVEN = WHEEL.format("1")
MAX_FILES = 230

NOT_THERE = ("docs", "examples", "workbench", ".devcontainer", ".ci", "azure-pipelines.yml")
NEITHER = (
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md"),
    *("conftest.py", "m365agents.yml"),
)
ONLY_COPIERS = {"copier.yml"}
"""What copier does not copy."""

TOPS = {
    *(
        ".funcignore",
        ".gitattributes",
        ".gitignore",
        "Makefile",
        "README.md.jinja",
        "pyproject.toml",
    ),
    *("azure.yaml.jinja", "composition.py", "function_app.py", "host.json", "run.py"),
    *("constraints.txt", "requirements.txt", "requirements-dev.txt", "requirements-telemetry.txt"),
    *("local.settings.json.example", "copier.yml", "[[_copier_conf.answers_file]].jinja"),
}
"""The files of the template's root."""

IN_FOLDERS = {
    ".github": {"dependabot.yml", "workflows"},
    ".github/workflows": {"ci.yml", "deploy.yml", "doctor.yml"},
    "app_package": {"color.png", "features", "manifest.json", "outline.png"},
    "env": {".env.dev.jinja"},
    "infra": {
        *("LICENSE", "app-settings.json", "main.bicep", "main.parameters.json", "workbook.json"),
        *("hooks", "modules", "queries"),
    },
}
"""What is in folders that hold more in the base's repository."""

OF_APP = ("requirements.txt", "constraints.txt")

JINJA = re.compile(r"\[\[|\[%|\[#")


def files(folder: Path) -> set[str]:
    """The paths of a folder's files, without git's."""
    found = (each.relative_to(folder) for each in folder.rglob("*") if each.is_file())
    return {each.as_posix() for each in found if each.parts[0] != ".git"}


@pytest.fixture
def laid_out(template: Path) -> set[str]:
    """The files of the template."""
    return files(template)


def test_the_repository_is_small(laid_out: set[str]) -> None:
    """It has the base, the bot and its deployment; nothing of who maintains the base."""
    assert len(laid_out - ONLY_COPIERS) <= MAX_FILES
    tops = {name.partition("/")[0] for name in laid_out}
    assert not tops & {*NOT_THERE, *NEITHER}
    assert {name for name in laid_out if name.startswith("tests/")} == {
        f"tests/bot_logic/{each.name}" for each in (ROOT / "tests" / "bot_logic").glob("*.py")
    }


def test_what_a_repository_begins_with(template: Path) -> None:
    """The files of its root, and of folders of which it has a part."""
    assert {each.name for each in template.iterdir() if each.is_file()} == TOPS
    found = {name: {each.name for each in (template / name).iterdir()} for name in IN_FOLDERS}
    assert found == IN_FOLDERS
    hooks = {each.name for each in (template / "infra/hooks").iterdir() if each.suffix != ".py"}
    assert hooks == {"requirements.txt"}


def test_its_queries_are_those_of_bicep(template: Path) -> None:
    """Those of the workbook and of the pages stay behind."""
    templates = "".join(each.read_text("utf-8") for each in template.rglob("*.bicep"))
    queries = {each.name for each in (template / "infra" / "queries").rglob("*.kql")}
    assert queries
    assert queries == set(re.findall(r"[\w-]+\.kql", templates))


@pytest.mark.parametrize("name", ["x", "Canteen", "-bot", "bot-", "a bot", 31 * "x", 'x"y'])
def test_names_that_are_refused(name: str, template: Path, tmp_path: Path) -> None:
    """azd, for example, could not use them."""
    done = copier(tmp_path, "copy", "--data", f"name={name}", str(template), "bot")
    assert done.returncode != 0
    assert "2 to 30 of: a-z 0-9 -" in done.stderr
    assert not (tmp_path / "bot").exists()


def test_what_is_deployed_is_all_there(laid_out: set[str]) -> None:
    """Each file that this repository deploys, by .funcignore."""
    deployed = FuncIgnore((ROOT / ".funcignore").read_text("utf-8"))
    tracked = git(ROOT, "ls-files").splitlines()
    wanted = {name for name in tracked if deployed.accepts(name)}
    assert len(wanted) > 100
    assert wanted <= laid_out


def test_what_bicep_loads_is_there(template: Path) -> None:
    """Each module and file that a Bicep file names."""
    for file in (template / "infra").rglob("*.bicep"):
        text = file.read_text("utf-8")
        named = re.findall(r"^module \w+ '(.+?)'|load\w+Content\('(.+?)'", text, re.M)
        for name in filter(None, (part for each in named for part in each)):
            assert (file.parent / name).is_file(), f"{file}: {name}"


def test_what_the_tools_are(template: Path) -> None:
    """The wheel with what an author needs of it, and ruff; each is named once."""
    lines = (template / "requirements-dev.txt").read_text("utf-8").splitlines()
    texts = [each for each in lines if not each.startswith(("#", "-r "))]
    names = [re.split(r"==| @ ", each)[0] for each in texts]
    assert {"bot-workbench[app-package,run,testing]", "pytest", "ruff"} <= {*names}
    app = "".join((template / name).read_text("utf-8") for name in OF_APP)
    of_app = re.findall(r"^([\w.-]+)==", app, re.M)
    assert len({*names, *of_app}) == len(names) + len({*of_app})
    assert all(" @ " in each or "==" in each for each in texts)


def test_the_name_is_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a bot would have the name of the base's own."""
    monkeypatch.setitem(module.RENDERED, "azure.yaml", ("name: gone\n", ""))
    with pytest.raises(TemplateError, match=r"azure\.yaml does not have 'name: gone' once"):
        module.text_of("azure.yaml")


def test_only_some_files_are_rendered(template: Path, laid_out: set[str]) -> None:
    """Those that name the bot, and copier's own; each has something to replace."""
    rendered = {name for name in laid_out if name.endswith(".jinja")}
    own = "[[_copier_conf.answers_file]].jinja"
    assert rendered == {"README.md.jinja", "azure.yaml.jinja", "env/.env.dev.jinja", own}
    for name in rendered:
        assert JINJA.search((template / name).read_text("utf-8"))


def test_each_license_is_the_bases(template: Path, laid_out: set[str]) -> None:
    """In each of its folders; the repository itself is under its author's."""
    text = (ROOT / "LICENSE").read_bytes()
    assert {name for name in laid_out if "LICENSE" in name} == {
        f"{each}/LICENSE" for each in ("auth", "cloud_adapter", "http_client", "infra")
    }
    assert all((template / each / "LICENSE").read_bytes() == text for each in LICENSED)


def owners(template: Path) -> list[str]:
    """What copier.yml says is the author's, as paths from the root."""
    excluded = YAML(typ="safe").load((template / "copier.yml").read_text("utf-8"))["_exclude"]
    found = (
        re.fullmatch(r"\[% if _copier_operation == 'update' %\](.+)\[% endif %\]", each)
        for each in excluded
    )
    return [each[1] for each in found if each]


def test_every_path_of_the_authors_is_there(template: Path) -> None:
    """copier.yml names no path that is gone."""
    names = owners(template)
    assert len(names) > 4
    for name in names:
        path = template / name.removeprefix("/")
        assert path.exists() or path.with_name(f"{path.name}.jinja").exists(), name


def test_no_secret_is_asked_for(template: Path) -> None:
    """One question, and no task: copier runs nothing, so it needs no --trust."""
    keys = YAML(typ="safe").load((template / "copier.yml").read_text("utf-8")).keys()
    assert [key for key in keys if not key.startswith("_")] == ["name"]
    assert not keys & {"_tasks", "_migrations", "_jinja_extensions"}


def test_the_readme_links_to_pages() -> None:
    """Each is one of the base's; an author's repository has none of them."""
    text = (ROOT / "workbench" / "author" / "README.md.jinja").read_text("utf-8")
    links = re.findall(r"\]\(((?!https:).+?)\)", text)
    assert len(links) > 10
    assert not [each for each in links if not (ROOT / each).is_file() or each[:5] != "docs/"]


@pytest.mark.parametrize("page", ["README.md", "docs/your-repository.md"])
def test_pages_name_the_whole_path(page: str) -> None:
    """copier keeps it as it is given, and an update looks for it from the bot's folder."""
    text = (ROOT / page).read_text("utf-8")
    [source] = re.findall(r"^\S*(?:uvx )?copier copy (?:--defaults )?(\S+) ", text, re.M)
    assert source.startswith('"$PWD/')
    assert source.endswith('/bot-template"')


def test_what_the_wheel_needs_is_pinned(template: Path) -> None:
    """In a version that its extras allow, or by the app."""
    project = tomllib.loads((ROOT / "workbench/pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = read([template / "requirements-dev.txt"], [template / "bot_logic"], template)
    pins = {line.name: line.version for line in lines if line.version}
    for text in [*project["dependencies"], *(each for name in EXTRAS for each in extras[name])]:
        needed = Requirement(text)
        if needed.name != "bot-workbench":
            assert needed.specifier.contains(pins[needed.name.lower()]), text
    assert f"bot-workbench[{','.join(EXTRAS)}] @ {GIVEN}" in {line.text for line in lines}


def test_the_hooks_name_the_wheel_with_its_digest(template: Path) -> None:
    """Before our own list of what it needs."""
    theirs = (template / "infra/hooks/requirements.txt").read_text("utf-8").splitlines()
    ours = (ROOT / "infra/hooks/requirements.txt").read_text("utf-8").splitlines()
    lines = [line for line in theirs if not line.startswith("#")]
    assert lines[0].startswith(f"bot-workbench @ {GIVEN} ; python_full_version >= ")
    assert lines[1:] == [line for line in ours if not line.startswith("#")]


def test_links_of_the_readme(template: Path) -> None:
    """They lead to the base's pages, which an author's repository does not have."""
    links = re.findall(r"\]\((.+?)\)", (template / "README.md.jinja").read_text("utf-8"))
    own = re.findall(r"\]\(docs/(.+?)\)", (ROOT / "workbench/author/README.md.jinja").read_text())
    assert len(own) > 4
    assert [link.rpartition("/docs/")[2] for link in links if "/docs/" in link] == own
    for page in own:
        assert (ROOT / "docs" / page.partition("#")[0]).is_file()


@pytest.mark.parametrize(
    ("origin", "pages"),
    [
        ("https://github.com/contoso/base.git", "https://github.com/contoso/base/blob/HEAD/docs"),
        ("git@github.com:contoso/base.git", "https://github.com/contoso/base/blob/HEAD/docs"),
        ("https://github.com/contoso/base", "https://github.com/contoso/base/blob/HEAD/docs"),
        ("/somewhere/base", (ROOT / "docs").as_uri()),
        ("", (ROOT / "docs").as_uri()),
    ],
)
def test_where_the_pages_are(origin: str, pages: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On GitHub if the base was cloned from there, or on this machine."""
    monkeypatch.setattr(module, "git", lambda *_: origin)
    assert module.pages() == pages


def test_a_clone_keeps_its_history(tmp_path: Path) -> None:
    """All but .git is replaced: files, folders and links."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "link").symlink_to("old")
    commit(tmp_path)
    lay_out(tmp_path, GIVEN, tmp_path)
    assert git(tmp_path, "log", "--oneline").count("\n") == 1
    assert not {"old", ".hidden", "link"} & {each.name for each in tmp_path.iterdir()}
    (tmp_path / "left").touch()
    lay_out(tmp_path, GIVEN, tmp_path)
    assert "left" not in files(tmp_path)


def has_files(folder: Path) -> Path:
    """A folder with somebody's work."""
    (folder / "work.txt").touch()
    return folder


def has_changes(folder: Path) -> Path:
    """A clone with work that is not committed."""
    git(folder, "init", "--quiet")
    return has_files(folder)


def has_ignored_files(folder: Path) -> Path:
    """A clone with settings that git never has."""
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("/work.txt\n")
    commit(folder)
    return has_files(folder)


def has_another_template(folder: Path) -> Path:
    """A template that `make template` has not laid out."""
    (folder / "copier.yml").touch()
    return has_files(folder)


@pytest.mark.parametrize("made", [has_files, has_changes, has_ignored_files, has_another_template])
def test_work_that_would_be_lost(made: Callable[[Path], Path], tmp_path: Path) -> None:
    """It is not replaced."""
    with pytest.raises(TemplateError, match="files that would be lost: name a new folder"):
        lay_out(made(tmp_path), GIVEN, tmp_path)
    assert (tmp_path / "work.txt").exists()


@pytest.mark.parametrize(
    "folder",
    [ROOT, ROOT.parent, ROOT / "docs" / "..", ROOT / "workbench" / "author", ROOT / "run.py"],
)
def test_the_bases_own_folder(folder: Path) -> None:
    """It is not replaced, nor what it is in, nor what is in it."""
    with pytest.raises(TemplateError, match="the base's own repository"):
        module.check_folder(folder)


def test_a_file(tmp_path: Path) -> None:
    """It is no folder."""
    (tmp_path / "file").touch()
    with pytest.raises(TemplateError, match="is a file: name a folder"):
        lay_out(tmp_path / "file", GIVEN, tmp_path)


@pytest.mark.parametrize("wheels", ["template", "template/wheels", "https://example.com/wheels"])
def test_a_wheel_in_the_template(
    wheels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be lost as soon as it is built."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TemplateError, match="The wheel would be in template"):
        lay_out(Path("template"), wheels, Path("template") / "wheels")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base's files are those that git lists; nothing is replaced without them."""
    (tmp_path / "copier.yml").touch()
    (tmp_path / "function_app.py").touch()
    monkeypatch.setattr(module, "git", lambda *_: "")
    with pytest.raises(TemplateError, match="clone the base's repository"):
        lay_out(tmp_path, GIVEN, tmp_path)
    assert files(tmp_path) == {"copier.yml", "function_app.py"}


@pytest.mark.parametrize(
    "wheels",
    [
        "http://example.com/wheels",
        "https://example.com/bot_workbench-1-py3-none-any.whl",
        "https://example.com/wheels#sha256=" + 64 * "0",
        "https://example.com/bot_workbench-1-py3-none-any.whl#sha256=0",
        f"{GIVEN}&egg=x",
        f"{GIVEN} ; python_version < '3'",
        "https://example.com/my wheels",
        "https://example.com/wheels?token=x",
        "ftp://example.com/wheels",
    ],
)
def test_urls_that_name_no_wheel(wheels: str, tmp_path: Path) -> None:
    """A wheel has a digest, and comes over https; nothing is replaced until there is one."""
    with pytest.raises(TemplateError, match="is no place for a wheel"):
        lay_out(tmp_path, wheels, tmp_path)
    assert not files(tmp_path)


@pytest.mark.parametrize("words", [[], ["TO=x"], ["WHEELS=x"]])
def test_without_a_folder_or_wheels(words: list[str]) -> None:
    """One sentence says what is missing."""
    command = [sys.executable, "-m", "maintenance", "template", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Name both: make template TO=FOLDER WHEELS=FOLDER|URL\n"


def test_where_the_wheel_goes(tmp_path: Path) -> None:
    """Into the folder of WHEELS, or into that of what is published; its digest is in the name."""
    local = lay_out(tmp_path / "a", str(tmp_path / "wheels"), tmp_path)
    [wheel] = (tmp_path / "wheels").iterdir()
    assert re.fullmatch(
        re.escape(f"bot-workbench @ {wheel.as_uri()}#sha256=") + "[0-9a-f]{64}", local
    )
    there = lay_out(tmp_path / "b", "https://example.com/v1/", tmp_path / "published")
    digest = local.rpartition("=")[2]
    assert there == f"bot-workbench @ https://example.com/v1/{wheel.name}#sha256={digest}"
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert fnmatch.filter(files(tmp_path / "published"), "bot_workbench-*.whl") == [wheel.name]
