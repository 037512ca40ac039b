"""A bot whose type somebody has changed from MultiTenant to SingleTenant, as the portal may do."""

import json

import pytest
from typer.testing import CliRunner

from bot_workbench.command_line import app
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, Migration

FEDERATED = ("federated", "--bot", BOT, "--app", APP)


@pytest.mark.parametrize("app_type", ["MultiTenant"])
def test_the_type_is_read_as_it_is(migration: Migration) -> None:
    """Before the change the route refuses, afterwards it leads to the end."""
    status = ("status", "--bot", BOT, "--app", APP, "--json")
    assert migration.run(*status).json["bot"]["type"] == "MultiTenant"
    assert "use a certificate" in migration.run(*FEDERATED, "--json").json["reason"]
    single = {
        "msaAppType": "SingleTenant",
        "msaAppTenantId": migration.thread.azure.directory.tenant_id,
    }
    migration.thread.call(migration.bot().properties.update, single)
    migration.thread.call(setattr, migration.old.registration, "app_type", "SingleTenant")

    found = migration.run(*status).json
    assert found["bot"]["type"] == "SingleTenant"
    assert found["next"]["command"] == f"bot migrate {' '.join(FEDERATED)}"
    for words in (FEDERATED, ("switch", "--bot", BOT, "--app", APP)):
        ended = migration.run(*words)
        assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == NEW_ENDPOINT
    settings = migration.thread.azure.resource_manager.app_settings(migration.new.site.id)
    assert settings["MicrosoftAppType"] == "SingleTenant"
    assert settings["MicrosoftAppTenantId"] == migration.thread.azure.directory.tenant_id
    assert migration.run(*status).json["apps"][0]["identity"]["appType"] == "SingleTenant"
    examined = json.loads(CliRunner().invoke(app, ["doctor", "--bot", BOT, "--json"]).stdout)
    assert examined["bot"]["name"] == BOT
    assert "app-type-differs" not in {each["code"] for each in examined["findings"]}
