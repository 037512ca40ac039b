"""`bot app-package`: the zip, and what it needs."""

import json
import os
import re
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest

from bot_workbench.admin.app_package.package import archive
from bot_workbench.admin.exit_status import ExitStatus
from tests.admin.app_package.conftest import (
    DEPLOYED,
    GIVEN,
    copy_app,
    manifest_beside,
    manifest_of,
    package,
    run,
)
from tests.app_package.conftest import BOT_ID, MANIFEST, VALUES
from tests.docs.commands.command_tables import AZD, fault

OTHER_BOT = "22222222-2222-4333-8444-555555555555"


def test_the_deployed_bot_is_found(env_file: Path, azd: Callable[..., Path]) -> None:
    """The bot's id and domain come from azd, and the .env file keeps them."""
    calls = azd()
    assert run(env_file) == ExitStatus.DONE
    asked = calls.read_text().splitlines()
    assert asked == [
        "env list --output json --no-prompt",
        "env get-values --no-prompt --environment canteen",
    ]
    assert [fault(each.split(), AZD, is_azd=True) for each in asked] == ["", ""]
    manifest = manifest_of(env_file)
    assert manifest["bots"][0]["botId"] == BOT_ID
    assert manifest["validDomains"] == ["func-canteen.azurewebsites.net", "token.botframework.com"]
    lines = env_file.read_text().splitlines()
    assert f"BOT_ID={BOT_ID}" in lines
    assert "BOT_DOMAIN=func-canteen.azurewebsites.net" in lines


def test_another_environment_of_azd(env_file: Path, azd: Callable[..., Path]) -> None:
    """--azd names the environment."""
    calls = azd()
    assert run(env_file, "--azd", "production") == ExitStatus.DONE
    assert calls.read_text().splitlines() == ["env get-values --no-prompt --environment production"]


def test_the_environment_of_the_shell(
    env_file: Path, azd: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """AZURE_ENV_NAME names the environment, as it does for azd itself."""
    calls = azd()
    monkeypatch.setenv("AZURE_ENV_NAME", "production")
    assert run(env_file) == ExitStatus.DONE
    assert calls.read_text().splitlines() == ["env get-values --no-prompt --environment production"]


def test_no_environment_is_created(
    env_file: Path, azd: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a default environment, azd is not asked for values: it would create one."""
    calls = azd(default="")
    assert run(env_file) == ExitStatus.USAGE
    assert "azd has no default environment" in capsys.readouterr().err
    assert calls.read_text().splitlines() == ["env list --output json --no-prompt"]


def test_the_app_keeps_its_id(env_file: Path) -> None:
    """The first run chooses the Teams app's id, and later ones keep it."""
    assert run(env_file, *GIVEN) == ExitStatus.DONE
    first = manifest_of(env_file)["id"]
    assert UUID(str(first)).version == 4
    assert f"TEAMS_APP_ID={first}" in env_file.read_text().splitlines()
    run(env_file, *GIVEN)
    assert manifest_of(env_file)["id"] == first


def test_a_given_value_is_for_this_package_alone(env_file: Path) -> None:
    """--set wins over the file, and is not written to it."""
    env_file.write_text(env_file.read_text().replace("BOT_ID=", f"BOT_ID={OTHER_BOT}"))
    assert run(env_file, *GIVEN) == ExitStatus.DONE
    assert manifest_of(env_file)["bots"][0]["botId"] == BOT_ID
    assert f"BOT_ID={OTHER_BOT}" in env_file.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder where nobody may write")
def test_an_id_that_cannot_be_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a place for the new id of the Teams app there is no zip that has it."""
    values = (f"{name}={value}" for name, value in VALUES.items() if name != "TEAMS_APP_ID")
    given = [word for each in values for word in ("--set", each)]
    to = tmp_path / "app.zip"
    words = (*given, "--manifest", str(copy_app(tmp_path)), "--to", str(to))
    status = run(Path("/proc/self/status"), *words)
    assert status == ExitStatus.USAGE
    assert "/proc/self/status cannot be written" in capsys.readouterr().err
    assert not to.exists()
    words = (*words, "--set", f"TEAMS_APP_ID={VALUES['TEAMS_APP_ID']}")
    assert run(Path("/proc/self/status"), *words) == ExitStatus.DONE  # nothing is to be kept


def test_a_given_bot_is_not_azds(
    env_file: Path, azd: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """What azd says of a value that is given is not written to the file either."""
    azd()
    assert run(env_file, "--set", f"BOT_ID={OTHER_BOT}") == ExitStatus.DONE
    assert f"azd says {BOT_ID}: leave out --set BOT_ID to use azd's" in capsys.readouterr().out
    assert "BOT_ID=" in env_file.read_text().splitlines()
    assert "BOT_DOMAIN=func-canteen.azurewebsites.net" in env_file.read_text().splitlines()


def test_the_same_files_make_the_same_zip(env_file: Path) -> None:
    """The zip is the same bytes, whenever it is built; it has three files, without folders."""
    run(env_file, *GIVEN)
    first = package(env_file)
    for path in (env_file, manifest_beside(env_file)):
        os.utime(path)
    run(env_file, *GIVEN)
    assert package(env_file) == first
    with zipfile.ZipFile(BytesIO(first)) as packed:
        assert packed.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert packed.read("color.png") == (MANIFEST.parent / "color.png").read_bytes()
        assert {each.date_time for each in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_windows_makes_the_same_zip(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zip has the same bytes on every system."""
    files = {"manifest.json": b"{}"}
    here = archive(files)
    monkeypatch.setattr("sys.platform", "win32")
    there = archive(files)
    monkeypatch.undo()
    assert there == here


def test_everything_that_is_missing(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All variables without a value are named at once, and nothing is written."""
    before = re.sub(r"^APP_NAME=.*$", "APP_NAME=", env_file.read_text(), flags=re.M)
    env_file.write_text(before)
    assert run(env_file) == ExitStatus.USAGE
    output = capsys.readouterr().err
    assert re.findall(r"^(\w+) is empty", output, re.M) == ["APP_NAME", "BOT_ID", "BOT_DOMAIN"]
    assert "azd is not installed" in output
    assert env_file.read_text() == before
    assert not (env_file.parent / "out").exists()


def test_every_wrong_value(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that is no GUID, no domain or no https URL is named with its variable."""
    wrong = (
        "BOT_ID=my-bot",
        "BOT_DOMAIN=https://bot.canteen.test",
        "DEVELOPER_TERMS_URL=http://x.y",
    )
    assert run(env_file, *(word for each in wrong for word in ("--set", each))) == ExitStatus.USAGE
    lines = capsys.readouterr().err.splitlines()[1:]
    assert [line.partition(": ")[0] for line in lines] == [
        f"/bots/0/botId (BOT_ID in {env_file})",
        f"/developer/termsOfUseUrl (DEVELOPER_TERMS_URL in {env_file})",
        f"/validDomains/0 (BOT_DOMAIN in {env_file})",
    ]
    assert not (env_file.parent / "out").exists()


def test_azd_without_an_environment(
    env_file: Path, azd: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """What azd says is shown beside the values that it would have given."""
    azd(output="", error="ERROR: environment does not exist\nmore", status=1)
    assert run(env_file, "--azd", "staging") == ExitStatus.USAGE
    assert "azd says: ERROR: environment does not exist)" in capsys.readouterr().err


def test_an_endpoint_without_tls(
    env_file: Path, azd: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The host of an endpoint that is not https is no domain for Teams."""
    azd(output=DEPLOYED.replace("https:", "http:"))
    assert run(env_file) == ExitStatus.USAGE
    output = capsys.readouterr().err
    assert re.findall(r"^(\w+) is empty", output, re.M) == ["BOT_DOMAIN"]


def test_another_bot_than_azds(
    env_file: Path, azd: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The file's bot is used, with a warning if azd knows another one."""
    azd()
    env_file.write_text(env_file.read_text().replace("BOT_ID=", f"BOT_ID={OTHER_BOT}"))
    assert run(env_file) == ExitStatus.DONE
    assert manifest_of(env_file)["bots"][0]["botId"] == OTHER_BOT
    assert f"azd says {BOT_ID}: empty it in {env_file} to use azd's" in capsys.readouterr().out


def test_examples_are_not_published(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A test may have the examples' addresses, with a warning; --publish refuses them."""
    words = (*GIVEN, "--set", "DEVELOPER_PRIVACY_URL=https://www.example.com/privacy")
    assert run(env_file, *words) == ExitStatus.DONE
    assert "https://www.example.com/privacy is an example" in capsys.readouterr().out
    (env_file.parent / "out" / "app.zip").unlink()
    assert run(env_file, *words, "--publish") == ExitStatus.USAGE
    assert "https://www.example.com/privacy is an example" in capsys.readouterr().err
    assert not (env_file.parent / "out" / "app.zip").exists()
    assert run(env_file, *GIVEN, "--publish") == ExitStatus.DONE


def test_json(env_file: Path, azd: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """--json prints one object."""
    azd()
    assert run(env_file, "--json") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert found.pop("package") == str(env_file.parent / "out" / "app.zip")
    assert found.pop("schema") is None or found
    assert found == {
        "id": manifest_of(env_file)["id"],
        "botId": BOT_ID,
        "version": manifest_of(env_file)["version"],
        "written": {
            "TEAMS_APP_ID": manifest_of(env_file)["id"],
            "BOT_ID": BOT_ID,
            "BOT_DOMAIN": "func-canteen.azurewebsites.net",
        },
        "features": [],
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--set", "BOT_ID"), "write NAME=VALUE"),
        (("--env-file", "env/.env.nowhere"), "env/.env.nowhere cannot be read"),
        (("--manifest", "nowhere.json"), "nowhere.json cannot be read"),
        (("--manifest", "pyproject.toml"), "pyproject.toml cannot be read"),
    ],
)
def test_wrong_options(
    env_file: Path,
    words: tuple[str, ...],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that cannot be used, or half a value, is a mistake in the command line."""
    monkeypatch.setenv("COLUMNS", "300")
    assert run(env_file, *GIVEN, *words) == ExitStatus.USAGE
    assert reason in capsys.readouterr().err


def test_values_are_written_into_json(env_file: Path) -> None:
    """Quotes and letters beyond ASCII in a value stay what they are."""
    name = 'Kantine "Süd"'
    assert run(env_file, *GIVEN, "--set", f"APP_NAME={name}") == ExitStatus.DONE
    assert manifest_of(env_file)["name"] == {"short": name, "full": name}


@pytest.mark.parametrize("schema", [None, "https://developer.microsoft.com/json-schemas/teams/v9"])
def test_a_schema_that_is_not_there(
    env_file: Path, schema: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A manifest that names no schema, or one that is not installed, is said to be unchecked."""
    path = manifest_beside(env_file)
    manifest = json.loads(path.read_text("utf-8"))
    manifest["$schema"] = schema
    if schema is None:
        del manifest["$schema"]
    path.write_text(json.dumps(manifest), "utf-8")
    assert run(env_file, *GIVEN) == ExitStatus.DONE
    assert "the manifest's $schema names none that is installed" in capsys.readouterr().out
