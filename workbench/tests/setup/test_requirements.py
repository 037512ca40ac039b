"""A bot's own packages beside the base's: what is read, and what does not fit."""

from pathlib import Path

import pytest

from bot_workbench.app_folder import BOT
from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.install_log import InstallLog
from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.setup.requirements import Line, RequirementsError, misfits, read
from tests.support.project import ROOT
from tests.support.wheels import wheel

BASE = """\
-c constraints.txt
-c bot_logic/constraints.txt
-r bot_logic/requirements.txt
aiohttp==3.14.5
botbuilder-core==4.17.1
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app's folder with a bot that needs nothing, and another bot beside it."""
    (tmp_path / "requirements.txt").write_text(BASE)
    (tmp_path / "constraints.txt").write_text("# pinned\nyarl==1.25.1\n")
    for name in ("bot_logic", "other"):
        (tmp_path / name).mkdir()
        for file in ("__init__.py", "requirements.txt", "constraints.txt"):
            (tmp_path / name / file).touch()
    return tmp_path


def lines(app: Path, *bots: str, file: str = "requirements.txt") -> list[Line]:
    """The packages that are installed for bots."""
    return read([app / file], [app / each for each in bots], app)


def problems(app: Path, bot: str = BOT) -> list[str]:
    """What of a bot's does not fit."""
    return list(misfits(lines(app, bot)))


def test_a_bot_brings_its_own(app: Path) -> None:
    """Its files stand in for those of bot_logic, with what they include."""
    (app / "bot_logic" / "requirements.txt").write_text("left-pad==1\n")
    (app / "other" / "requirements.txt").write_text(
        "# mine\nRight_Pad >= 2  # comment\n-r ../more.txt\nmiddle \\\n  == 3\n"
    )
    (app / "other" / "constraints.txt").write_text("idna==3\n")
    (app / "more.txt").write_text("more\n-r other/requirements.txt\n")
    found = [(line.place, line.text, line.is_constraint) for line in lines(app, "other")]
    assert found == [
        ("constraints.txt:2", "yarl==1.25.1", True),
        ("other/constraints.txt:1", "idna==3", True),
        ("other/requirements.txt:2", "Right_Pad >= 2", False),
        ("more.txt:1", "more", False),
        ("other/requirements.txt:5", "middle    == 3", False),
        ("requirements.txt:4", "aiohttp==3.14.5", False),
        ("requirements.txt:5", "botbuilder-core==4.17.1", False),
    ]
    assert [line.name for line in lines(app, "other")][2:5] == ["right-pad", "more", "middle"]


@pytest.mark.parametrize(
    ("missing", "bot", "said"),
    [
        (
            "bot_logic/requirements.txt",
            "bot_logic",
            "requirements.txt:3: bot_logic/requirements.txt is missing: create it; it may be empty,"
            " if the bot needs no packages besides the base's",
        ),
        (
            "other/requirements.txt",
            "other",
            "requirements.txt:3: other/requirements.txt is missing: create it; it may be empty,"
            " if the bot needs no packages besides the base's",
        ),
        (
            "bot_logic/constraints.txt",
            "bot_logic",
            "requirements.txt:2: bot_logic/constraints.txt is missing: run `make constraints`",
        ),
        (
            "constraints.txt",
            "bot_logic",
            "requirements.txt:1: constraints.txt is missing: restore it, or correct the line",
        ),
    ],
)
def test_a_missing_file(app: Path, missing: str, bot: str, said: str) -> None:
    """The line names the file, the line that includes it and the cure."""
    (app / missing).unlink()
    with pytest.raises(RequirementsError) as caught:
        lines(app, bot)
    assert str(caught.value) == said


def test_only_the_deployed_bot_needs_constraints(app: Path) -> None:
    """Another bot's constraints may be missing."""
    (app / "other" / "constraints.txt").unlink()
    assert "aiohttp==3.14.5" in [line.text for line in lines(app, "other")]


def test_the_first_that_names_a_package_decides(app: Path) -> None:
    """The bots in their order, then the tools; what the base says stays."""
    (app / BOT / "requirements.txt").write_text("rich==1\naiohttp\n")
    (app / BOT / "constraints.txt").write_text("regex==1\n")
    (app / "other" / "requirements.txt").write_text("rich==2\nregex==2\ndialogs==2\n")
    (app / "tools.txt").write_text(
        "--pre\n-r requirements.txt\nrich==3\ndialogs==3\nmypy==3\nyarl>=1\n"
    )
    assert [line.text for line in lines(app, BOT, "other", file="tools.txt")] == [
        "--pre",
        "yarl==1.25.1",
        "regex==1",
        "rich==1",
        "aiohttp",
        "dialogs==2",
        "aiohttp==3.14.5",
        "botbuilder-core==4.17.1",
        "mypy==3",
        "yarl>=1",
    ]


@pytest.mark.parametrize(
    "text", ["-e ./tools", "-e tools", "--editable=tools", "--editable 'tools'"]
)
def test_a_project_of_the_tools(app: Path, text: str) -> None:
    """It is relative to the app's folder, wherever its line is; addresses are for pip."""
    (app / "tools").mkdir()
    (app / "tools" / "pyproject.toml").touch()
    (app / "tools" / "all.txt").write_text(f"{text}\n-e git+https://example.com/a\n")
    (app / "dev.txt").write_text("-r tools/all.txt\n")
    found = lines(app, file="dev.txt")
    assert [line.project.removeprefix("./") for line in found] == ["tools", ""]
    assert [line.name for line in found] == ["", ""]


def test_a_project_that_is_missing(app: Path) -> None:
    """The line names its file."""
    (app / "dev.txt").write_text("-e ./tools\n")
    with pytest.raises(RequirementsError) as caught:
        lines(app, file="dev.txt")
    said = "dev.txt:1: ./tools/pyproject.toml is missing: restore it, or correct the line"
    assert str(caught.value) == said


def test_a_project_of_the_bots(app: Path) -> None:
    """pip installs it, with what it needs."""
    (app / BOT / "requirements.txt").write_text("-e ./mine\n")
    [line] = [line for line in lines(app, BOT) if line.bot]
    assert (line.text, line.project) == ("-e ./mine", "")


def test_what_is_included_is_the_bots(app: Path) -> None:
    """From its own folder, and from elsewhere; not that of another bot."""
    (app / BOT / "requirements.txt").write_text("-r 'more.txt'\n--requirement=../optional.txt\n")
    (app / BOT / "more.txt").write_text("aiohttp==3.8.0\n")
    (app / "optional.txt").write_text("yarl==1\n")
    found = read([app / BOT / "requirements.txt"], [app / BOT], app)
    assert [(line.place, line.bot) for line in found] == [
        ("bot_logic/more.txt:1", app / BOT),
        ("optional.txt:1", app / BOT),
    ]
    assert [each.partition(" ")[0] for each in problems(app)] == [
        "bot_logic/more.txt:1:",
        "optional.txt:1:",
    ]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("a==1.0", "1.0"),
        ("a[x] == 1!2.0+local ; sys_platform != 'win32'", "1!2.0+local"),
        ("a==1 --hash=sha256:0", "1"),
        ("a==1.*", ""),
        ("a==1,!=2", ""),
        ("a===1", ""),
        ("a>=1", ""),
    ],
)
def test_the_one_version(text: str, version: str) -> None:
    """A line that allows others, too, pins nothing."""
    assert Line("", text).version == version


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_file_that_is_not_utf_8(app: Path, encoding: str) -> None:
    """As older editors and shells of Windows write it."""
    (app / BOT / "requirements.txt").write_text("left-pad  # für Ärger\n", encoding)
    with pytest.raises(RequirementsError, match="is not UTF-8: save it as UTF-8"):
        lines(app, BOT)


def test_a_line_of_utf_16(app: Path) -> None:
    """As `echo ... >>` of Windows PowerShell appends it."""
    (app / BOT / "requirements.txt").write_bytes(b"rich==1\n" + "left-pad\r\n".encode("utf-16-le"))
    with pytest.raises(RequirementsError, match="is not UTF-8: save it as UTF-8"):
        lines(app, BOT)


@pytest.mark.parametrize(
    "text", ["https://example.com/a.whl", "git+https://example.com/a", "-r https://example.com/a"]
)
def test_addresses_are_for_pip(app: Path, text: str) -> None:
    """They are no names, and no files."""
    (app / BOT / "requirements.txt").write_text(f"{text}\n")
    [line] = [line for line in lines(app, BOT) if line.bot]
    assert (line.text, line.name) == (text, "")


@pytest.mark.parametrize(
    "line",
    [
        "botbuilder-core",
        "botbuilder-core>=4.14.0",
        "Botbuilder_Core==4.17.*",
        "botbuilder-core~=4.17.0",
        'botbuilder-core==4.17.0; sys_platform == "nowhere"',
        "botbuilder-core @ https://example.com/botbuilder.whl",
        "--find-links wheels",
        "left-pad==1",
    ],
)
def test_what_fits(app: Path, line: str) -> None:
    """Any line that allows the base's version."""
    (app / "bot_logic" / "requirements.txt").write_text(line)
    assert problems(app) == []


@pytest.mark.parametrize(
    "text", ["botbuilder-core==4.17.0", "BotBuilder.core<4.17", "botbuilder-core[x]~=4.16.0"]
)
def test_another_version_than_the_bases(app: Path, text: str) -> None:
    """One line: where it stands, what it clashes with, and the cure."""
    (app / "bot_logic" / "requirements.txt").write_text(f"# from before\n{text}\n")
    assert problems(app) == [
        f"bot_logic/requirements.txt:2: {text} does not fit botbuilder-core==4.17.1 in"
        ' requirements.txt:5: delete its version, or see "Packages of your own" in docs/extend.md'
    ]


def test_stale_constraints(app: Path) -> None:
    """The bot's, after the base or the bot took another version."""
    (app / "bot_logic" / "constraints.txt").write_text("yarl==1\nleft-pad==1\n")
    (app / "bot_logic" / "requirements.txt").write_text("left-pad==2\n")
    assert problems(app) == [
        "bot_logic/constraints.txt:1: yarl==1 does not fit yarl==1.25.1 in constraints.txt:2:"
        " run `make constraints`",
        "bot_logic/requirements.txt:1: left-pad==2 does not fit left-pad==1 in"
        " bot_logic/constraints.txt:2: run `make constraints`",
    ]


def test_the_set_up_says_so_before_pip_runs(tmp_path: Path) -> None:
    """And nothing is installed."""
    bot = tmp_path / "bot"
    bot.mkdir()
    (bot / "__init__.py").touch()
    (bot / "requirements.txt").write_text("aiohttp==3.8.0\n")
    log = InstallLog(tmp_path / "step.log")
    file = ROOT / "requirements.txt"
    packages = PythonPackages("The packages", tmp_path / "venv", [file], [bot])
    with pytest.raises(SetUpError, match=rf"^{bot}/requirements.txt:1: aiohttp==3\.8\.0 does not"):
        packages.run(lambda _: None, log)
    assert "pip install" not in log.file.read_text("utf-8")
    assert not packages.is_done()


def test_what_is_installed_with_more_is_installed(tmp_path: Path) -> None:
    """Requirements of which pip has installed all, alone or with others, need no pip."""
    both, one = tmp_path / "both.txt", tmp_path / "one.txt"
    one.write_text("pip>=1\n")
    both.write_text("-r one.txt\npip>=2\n")
    log = InstallLog(tmp_path / "step.log")
    whole, part = (
        PythonPackages("The packages", tmp_path / "venv", [file], []) for file in (both, one)
    )
    whole.run(lambda _: None, log)
    assert part.is_done()
    part.run(lambda _: None, log)
    assert part.is_done()
    assert not whole.is_done()


def test_a_line_that_pip_refuses(tmp_path: Path) -> None:
    """The set-up ends, though nothing is missing."""
    (tmp_path / "requirements.txt").write_text("pip = 1\n")
    file = tmp_path / "requirements.txt"
    packages = PythonPackages("The packages", tmp_path / "venv", [file], [])
    with pytest.raises(SetUpError, match="cannot be installed: Invalid requirement: 'pip = 1'"):
        packages.run(lambda _: None, InstallLog(tmp_path / "step.log"))


def test_packages_that_pip_cannot_reconcile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The set-up ends with what pip says, even though some version of each package is there."""
    wheel(tmp_path, "base", "1")
    wheel(tmp_path, "base", "2")
    wheel(tmp_path, "mine", "1", needs="base<2")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    file = tmp_path / "requirements.txt"
    log = InstallLog(tmp_path / "step.log")
    packages = PythonPackages("The packages", tmp_path / "venv", [file], [])
    file.write_text("base==1\nmine==1\n")
    assert packages.run(lambda _: None, log) == ""
    file.write_text("base==2\nmine==1\n")
    with pytest.raises(SetUpError, match=r"Cannot install .* conflicting dependencies"):
        packages.run(lambda _: None, log)
