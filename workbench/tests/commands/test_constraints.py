"""`bot constraints` pins what the bot's packages bring, on top of the base's pins as they are."""

from pathlib import Path

import pytest

from bot_workbench.app_folder import BOT
from bot_workbench.commands import constraints
from bot_workbench.commands.constraints import HEADER, OPTIONAL
from tests.support.wheels import wheel

BASE = ["common==1", "wire==1"]


def app_with_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app whose bot needs nothing, and packages for uv in place of those of the index."""
    index = folder / "index"
    index.mkdir()
    for number in ("1", "2"):
        wheel(index, "base", number, needs="common")
        wheel(index, "telemetry", number, needs="wire")
        wheel(index, "mine", number, needs=f"extra<={number}")
        wheel(index, "strict", number, needs=f"common=={number}")
        for name in ("common", "wire", "extra"):
            wheel(index, name, number)
    config = folder / "uv.toml"
    config.write_text(f"no-index = true\nfind-links = ['{index}']\n")
    monkeypatch.setenv("UV_CONFIG_FILE", str(config))
    app = folder / "app"
    (app / BOT).mkdir(parents=True)
    (app / "requirements.txt").write_text("-c constraints.txt\nbase==1\n")
    (app / OPTIONAL).write_text("telemetry==1\n")
    (app / BOT / "requirements.txt").write_text("# nothing\n")
    return app


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app, on which the command works."""
    app = app_with_index(tmp_path, monkeypatch)
    (app / "constraints.txt").write_text("\n".join(BASE))
    monkeypatch.setattr(constraints, "APP", app)
    return app


def pinned(app: Path, requirements: str, *, upgrade: bool = False) -> list[str]:
    """The lines that the command writes for a bot; it writes no other file."""
    (app / BOT / "requirements.txt").write_text(requirements)
    own = app / BOT / "constraints.txt"
    others = {file: file.read_bytes() for file in app.rglob("*.txt") if file != own}
    constraints.constraints(upgrade=upgrade)
    now = {file: file.read_bytes() for file in app.rglob("*.txt") if file != own}
    assert now == others
    assert own.read_text().startswith(HEADER)
    return own.read_text().removeprefix(HEADER).split()


def test_a_bot_pins_what_the_base_does_not(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What no line of the bot's pins, and never another version than the base's."""
    (app / BOT / "more.txt").write_text("mine==2\n")
    assert pinned(app, f"-r ../{OPTIONAL}\n-r more.txt\nwire\n") == ["extra==2"]
    assert capsys.readouterr().out == "bot_logic/constraints.txt: 1 package\n"
    assert pinned(app, "mine\nextra==1\n") == ["mine==2"]
    assert pinned(app, "mine\nextra==1\n") == ["mine==2"]
    assert capsys.readouterr().out.count("1 package") == 1, "an unchanged file was written"
    assert pinned(app, "strict\n") == ["strict==1"], "the newest needs another version"
    assert pinned(app, "") == []


def test_a_version_stays_as_long_as_it_fits(app: Path) -> None:
    """The newest are taken of the bot's own alone."""
    (app / BOT / "constraints.txt").write_text("extra==1\ngone==1\n")
    assert pinned(app, "mine==2\ncommon\n") == ["extra==1"]
    assert pinned(app, "mine==2\ncommon\n", upgrade=True) == ["extra==2"]
    assert pinned(app, "mine==1\nextra\n") == ["extra==1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine\nbase==2", r"^bot_logic/requirements\.txt:2: base==2 does not fit base==1 in req"),
        ("mine\ncommon==2", r"^bot_logic/requirements\.txt:2: common==2 does not fit common==1"),
        ("mine==1\nextra==2", "No solution found"),
    ],
)
def test_what_does_not_fit(app: Path, text: str, said: str) -> None:
    """The line is named, where uv would only name packages; and nothing is written."""
    with pytest.raises(SystemExit, match=said):
        pinned(app, text)
    assert not (app / BOT / "constraints.txt").exists()


def test_a_missing_file(app: Path) -> None:
    """The bot must say what it needs, if only by an empty file."""
    (app / BOT / "__init__.py").touch()
    (app / BOT / "requirements.txt").unlink()
    with pytest.raises(SystemExit, match=r"^bot_logic/requirements\.txt is missing: create it"):
        constraints.constraints()
