"""`migrate managed-identity` moves this project's own Teams app to another bot."""

import shutil
from pathlib import Path

import pytest

from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.app_package.package import AppPackage, AppValues
from bot_workbench.admin.migrate.managed_identity.developer_files import EnvFile, write_text
from bot_workbench.admin.migrate.managed_identity.manifest import Manifest, MovedBot
from bot_workbench.admin.migrate.managed_identity.teams_app import env_edits
from tests.admin.app_package.conftest import copy_app
from tests.app_package.conftest import BOT_ID, VALUES
from tests.support.project import ROOT

NEW_ID = "22222222-2222-4333-8444-555555555555"
MOVED = MovedBot(BOT_ID, NEW_ID, "old.azurewebsites.net", "new.azurewebsites.net")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the app's files, with values for the old bot."""
    copy_app(tmp_path)
    env = tmp_path / ".env.dev"
    shutil.copy(ROOT / "env" / ".env.dev", env)
    old = {name: VALUES[name] for name in ("TEAMS_APP_ID", "BOT_ID", "BOT_DOMAIN")}
    write_text(env, EnvFile(env).with_values(old))
    return tmp_path


def test_both_files_name_the_new_bot(folder: Path) -> None:
    """The id changes in the .env file, the version in the manifest, and the Teams app stays."""
    manifest, env = Manifest(folder / "app_package" / "manifest.json"), EnvFile(folder / ".env.dev")
    assert manifest.variables == ("BOT_ID",)
    raised = manifest.edits(MOVED, id_moves_elsewhere=True)
    assert raised == {("version",): "1.0.1"}
    write_text(manifest.path, manifest.json.with_strings(raised))
    edits = env_edits(env, manifest.variables, MOVED)
    assert edits == {"BOT_ID": NEW_ID}
    write_text(env.path, env.with_values(edits))
    package = AppPackage(
        folder / "app_package" / "manifest.json",
        AppValues(folder / ".env.dev", {}, KnownBot()),
        KnownBot(),
    )
    assert package.strings["bots", 0, "botId"] == NEW_ID
    assert package.strings["version",] == "1.0.1"
    assert package.strings["id",] == VALUES["TEAMS_APP_ID"]


def test_the_domain_is_listed_as_left_to_do(folder: Path) -> None:
    """The command says which variable names the new bot's host."""
    [note] = Manifest(folder / "app_package" / "manifest.json").leftovers(MOVED)
    assert note == "validDomains names ${{BOT_DOMAIN}}: set the variable to new.azurewebsites.net"
