"""`bot app-package --feature`: what the zip then has, and what is written back."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.command_line import imported, with_options
from tests.admin.app_package.conftest import DEPLOYED, GIVEN, manifest_beside, manifest_of, run
from tests.app_package.conftest import BOT_ID, SSO_APP_ID

ALL = ("--feature", "sso", "--feature", "files", "--feature", "message_extension")
SSO = ("--set", f"SSO_APP_ID={SSO_APP_ID}")


def test_the_zip_has_the_features(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The features are in the zip, filled in, and the manifest's file stays as it is."""
    before = manifest_beside(env_file).read_bytes()
    assert run(env_file, *GIVEN, *SSO, *ALL) == ExitStatus.DONE
    assert "With sso, files, message_extension." in capsys.readouterr().out
    found = manifest_of(env_file)
    assert found["webApplicationInfo"] == {"id": SSO_APP_ID, "resource": f"api://botid-{BOT_ID}"}
    assert found["bots"][0]["supportsFiles"] is True
    assert found["composeExtensions"][0]["botId"] == BOT_ID
    assert manifest_beside(env_file).read_bytes() == before


def test_json_names_the_features(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json has their files."""
    assert run(env_file, *GIVEN, "--feature", "files", "--json") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["features"] == [str(manifest_beside(env_file).parent / "features" / "files.json")]


def test_an_unknown_feature(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All unknown features are named at once, with those that are known."""
    words = ("--feature", "SSO", "--feature", "tabs", "--feature", "files")
    assert run(env_file, *GIVEN, *words) == ExitStatus.USAGE
    lines = capsys.readouterr().err.splitlines()[1:]
    known = "Known: files, message_extension, sso; or a path to a .json file"
    assert lines == [f"--feature {name} is unknown. {known}" for name in ("SSO", "tabs")]
    assert not (env_file.parent / "out").exists()
    assert "TEAMS_APP_ID=\n" in env_file.read_text()


def test_missing_values_of_features(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a feature needs is asked for with what the manifest needs."""
    assert run(env_file, *ALL) == ExitStatus.USAGE
    output = capsys.readouterr().err
    assert re.findall(r"^(\w+) is empty", output, re.M) == ["BOT_ID", "BOT_DOMAIN", "SSO_APP_ID"]
    assert f"SSO_APP_ID is empty: set it in {env_file} to the client id (GUID)" in output


def test_a_feature_of_ones_own(
    env_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path to a file does what a name does, and a variable of its own is asked for."""
    own = tmp_path / "calls.json"
    own.write_text('{"accentColor": "${{COLOR}}", "bot": {"supportsCalling": true}}', "utf-8")
    assert run(env_file, *GIVEN, "--feature", str(own)) == ExitStatus.USAGE
    assert f"COLOR is empty: set it in {env_file}" in capsys.readouterr().err.splitlines()
    words = (*GIVEN, "--feature", str(own), "--set", "COLOR=#FF0000", "--feature", "files")
    assert run(env_file, *words) == ExitStatus.DONE
    found = manifest_of(env_file)
    assert found["accentColor"] == "#FF0000"
    assert found["bots"][0]["supportsCalling"] is found["bots"][0]["supportsFiles"] is True


def test_an_app_registration_is_the_bots(env_file: Path, azd: Callable[..., Path]) -> None:
    """A bot with an app registration signs people in with it, and the .env file keeps the id."""
    azd()
    assert run(env_file, "--feature", "sso") == ExitStatus.DONE
    assert manifest_of(env_file)["webApplicationInfo"]["id"] == BOT_ID
    assert f"SSO_APP_ID={BOT_ID}" in env_file.read_text().splitlines()


def test_the_files_registration_is_used(env_file: Path, azd: Callable[..., Path]) -> None:
    """A registration of its own wins over the bot's."""
    azd()
    env_file.write_text(env_file.read_text().replace("SSO_APP_ID=", f"SSO_APP_ID={SSO_APP_ID}"))
    assert run(env_file, "--feature", "sso") == ExitStatus.DONE
    assert manifest_of(env_file)["webApplicationInfo"]["id"] == SSO_APP_ID
    assert f"SSO_APP_ID={SSO_APP_ID}" in env_file.read_text().splitlines()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--set", "BOT_ID=22222222-2222-4333-8444-555555555555"),
    ],
)
def test_an_identity_has_no_registration(
    env_file: Path,
    azd: Callable[..., Path],
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A managed identity, and a bot that azd does not know, need another app's id."""
    azd(output=DEPLOYED if words else DEPLOYED.replace("Federated", "ManagedIdentity"))
    assert run(env_file, "--feature", "sso", *words) == ExitStatus.USAGE
    assert re.findall(r"^(\w+) is empty", capsys.readouterr().err, re.M) == ["SSO_APP_ID"]


def test_nothing_is_written_for_a_feature_that_is_not_there(
    env_file: Path, azd: Callable[..., Path]
) -> None:
    """Without single sign-on, the .env file gets no id for it."""
    azd()
    assert run(env_file) == ExitStatus.DONE
    assert "SSO_APP_ID=" in env_file.read_text().splitlines()


def test_the_manifest_is_written_back(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --write-manifest, the file has the features with their variables, as the Toolkit reads
    it, and later packages have them without being asked."""
    own_manifest, words = manifest_beside(env_file), (*GIVEN, *SSO)
    assert run(env_file, *words, *ALL, "--write-manifest") == ExitStatus.DONE
    assert f"{own_manifest} has the features now" in capsys.readouterr().out
    written = json.loads(own_manifest.read_text("utf-8"))
    assert written["id"] == "${{TEAMS_APP_ID}}"
    assert written["webApplicationInfo"]["id"] == "${{SSO_APP_ID}}"
    first = manifest_of(env_file)
    assert run(env_file, *words) == ExitStatus.DONE
    assert manifest_of(env_file) == first


def test_a_refused_manifest_is_not_written(env_file: Path) -> None:
    """The file stays as it is if Teams would reject the app."""
    before = manifest_beside(env_file).read_bytes()
    words = (*GIVEN, *ALL, "--write-manifest")
    assert run(env_file, *words, "--set", "SSO_APP_ID=my-app") == ExitStatus.USAGE
    assert manifest_beside(env_file).read_bytes() == before


def test_make_passes_the_features_on() -> None:
    """`make app-package FEATURE="..." WRITE_MANIFEST=1` is the same command."""
    words = with_options(imported("app-package"), ["FEATURE=sso files", "WRITE_MANIFEST=1"])
    assert [*words] == ["--feature", "sso", "--feature", "files", "--write-manifest"]
