"""What `copier update` does to a bot's repository, from one version of the template to the next.

Author and base have changed one thing after the other; one update takes it all.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot_workbench.setup.requirements import read
from tests.template.conftest import WHEEL, commit, copier, git

CONFLICT = "<<<<<<< before updating"
ICON, NEWER_ICON = b"\x89PNG mine \x00\xff", b"\x89PNG newer \x00\xff"


def append(file: Path, text: str) -> None:
    """Add a line at the end of a file."""
    file.write_text(f"{file.read_text('utf-8')}{text}\n", "utf-8")


def prepend(file: Path, text: str) -> None:
    """Add a line at the start of a file."""
    file.write_text(f"{text}\n{file.read_text('utf-8')}", "utf-8")


def pin(file: Path, package: str, version: str) -> None:
    """Pin another version of a package."""
    [line] = [each.text for each in read([file], []) if each.name == package]
    file.write_text(file.read_text("utf-8").replace(line, f"{package}=={version}"), "utf-8")


def change_bot(author: Path) -> None:
    """What an author may have done."""
    for name in ("bot_logic/bot.py", "bot_logic/sign_in.py", "README.md", "env/.env.dev"):
        append(author / name, "# mine")
    (author / "infra" / "app-settings.json").write_text('{"AllowedTenants": "mine"}\n')
    (author / "bot_logic" / "menu.py").write_text("MENU = ()\n")
    (author / "bot_logic" / "cards.py").unlink()
    (author / "bot_logic" / "caller_facts.py").unlink()
    shutil.rmtree(author / "tests" / "bot_logic")
    (author / "app_package" / "color.png").write_bytes(ICON)
    for name in ("http_client/pool.py", "composition.py"):
        append(author / name, "# mine")
    append(author / ".funcignore", "!/bot_logic/*.bin")
    pin(author / "constraints.txt", "yarl", "9.9.9")
    pin(author / "requirements-dev.txt", "watchfiles", "99")


def change_base(template: Path) -> None:
    """What the next version may bring."""
    for name in ("bot_logic/bot.py", "bot_logic/cards.py", "README.md.jinja", "env/.env.dev.jinja"):
        append(template / name, "# newer")
    (template / "infra" / "app-settings.json").write_text('{"AllowedTenants": "newer"}\n')
    (template / "bot_logic" / "new_sample.py").touch()
    (template / "bot_logic" / "sign_in.py").unlink()
    (template / "bot_logic" / "spoken_text.py").unlink()
    append(template / "tests" / "bot_logic" / "test_bot.py", "# newer")
    (template / "app_package" / "color.png").write_bytes(NEWER_ICON)
    for name in ("http_client/pool.py", "http_client/retry.py"):
        (template / name).unlink()
    (template / "http_client" / "proxy.py").write_text("# newer\n")
    for name in ("composition.py", ".funcignore", "azure.yaml.jinja"):
        prepend(template / name, "# newer")
    pin(template / "constraints.txt", "yarl", "8.8.8")
    for name in ("requirements-dev.txt", "infra/hooks/requirements.txt"):
        file = template / name
        file.write_text(file.read_text().replace(WHEEL.format("1"), WHEEL.format("2")))


@pytest.fixture(scope="module")
def changes(author: Path, template: Path) -> Mapping[str, str]:
    """The changes of the update: git's two letters for each file."""
    change_bot(author)
    commit(author)
    change_base(template)
    commit(template, "v2")
    done = copier(author, "update", "--defaults")
    assert done.returncode == 0, done.stderr
    status = git(author, "status", "--porcelain", "--untracked-files=all").splitlines()
    return {line[3:]: line[:2] for line in status}


def test_the_bot_is_the_authors(author: Path, changes: Mapping[str, str]) -> None:
    """Nothing of it has changed, however much of the sample has."""
    owned = ("bot_logic", "tests", "app_package", "env", "README.md", "infra/app-settings.json")
    assert not [name for name in changes if name.startswith(owned)]
    assert (author / "bot_logic" / "bot.py").read_text("utf-8").endswith("# mine\n")
    assert "mine" in (author / "infra" / "app-settings.json").read_text()
    assert not (author / "bot_logic" / "new_sample.py").exists()


def test_the_base_is_newer(author: Path, changes: Mapping[str, str]) -> None:
    """Its files change with it, and the answers say what version it is."""
    assert changes[".copier-answers.yml"] == " M"
    assert "_commit: v2\n" in (author / ".copier-answers.yml").read_text()
    assert changes["http_client/proxy.py"] == "??"


@pytest.mark.parametrize("name", ["cards.py", "caller_facts.py"])
def test_a_deleted_sample(name: str, author: Path, changes: Mapping[str, str]) -> None:
    """It does not come back, whether the base has changed it or not; nor do its tests."""
    assert changes
    assert not (author / "bot_logic" / name).exists()
    assert not (author / "tests" / "bot_logic").exists()


@pytest.mark.parametrize("name", ["sign_in.py", "spoken_text.py"])
def test_a_sample_that_the_template_drops(
    name: str, author: Path, changes: Mapping[str, str]
) -> None:
    """It stays, whether the author has changed it or not."""
    assert changes
    assert (author / "bot_logic" / name).exists()


def test_a_replaced_icon(author: Path, changes: Mapping[str, str]) -> None:
    """It stays, though the base has another one."""
    assert changes
    assert (author / "app_package" / "color.png").read_bytes() == ICON


@pytest.mark.parametrize("name", ["pool.py", "retry.py"])
def test_a_file_that_the_base_drops(name: str, author: Path, changes: Mapping[str, str]) -> None:
    """It goes, even if the author has edited it."""
    assert changes[f"http_client/{name}"] == " D"
    assert not (author / "http_client" / name).exists()


@pytest.mark.parametrize(
    ("name", "mine"), [("composition.py", "# mine"), (".funcignore", "!/bot_logic/*.bin")]
)
def test_an_edit_elsewhere(name: str, mine: str, author: Path, changes: Mapping[str, str]) -> None:
    """What an author has changed in a file of the base is merged."""
    assert changes[name] == " M"
    text = (author / name).read_text("utf-8")
    assert text.startswith("# newer\n")
    assert text.endswith(f"\n{mine}\n")


def test_an_edit_of_the_same_line(author: Path, changes: Mapping[str, str]) -> None:
    """It is a conflict, which git knows until it is resolved."""
    assert [name for name, letters in changes.items() if letters == "UU"] == ["constraints.txt"]
    text = (author / "constraints.txt").read_text("utf-8")
    assert text.count(CONFLICT) == 1
    assert {"yarl==9.9.9", "yarl==8.8.8"} < {*text.splitlines()}


def test_a_new_wheel(author: Path, changes: Mapping[str, str]) -> None:
    """It comes with the base, beside a pin that the author has changed before the base did."""
    for name in ("requirements-dev.txt", "infra/hooks/requirements.txt"):
        assert changes[name] == " M"
        assert WHEEL.format("2") in (author / name).read_text()
    assert "\nwatchfiles==99\n" in (author / "requirements-dev.txt").read_text()


def test_nothing_is_asked_again(author: Path, changes: Mapping[str, str]) -> None:
    """The bot keeps its name in the base's files."""
    assert changes["azure.yaml"] == " M"
    assert "\nname: canteen-bot\n" in (author / "azure.yaml").read_text()


def test_nothing_else_has_changed(changes: Mapping[str, str]) -> None:
    """These are all."""
    assert changes.keys() == {
        ".copier-answers.yml",
        ".funcignore",
        "azure.yaml",
        "composition.py",
        "constraints.txt",
        "http_client/proxy.py",
        "http_client/retry.py",
        "http_client/pool.py",
        "infra/hooks/requirements.txt",
        "requirements-dev.txt",
    }


def test_changes_that_are_not_committed(author: Path, changes: Mapping[str, str]) -> None:
    """copier refuses an update over them, so that nothing is lost."""
    assert changes
    done = copier(author, "update", "--defaults")
    assert done.returncode != 0
    assert "commit or stash" in done.stderr
