"""Commands of the real Azure CLI that ask Resource Manager for what nothing else asks for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.azure.az_shell import WITH_AZ, AzShell
from tests.support.azure.azure_thread import AzureThread

pytestmark = [*WITH_AZ, pytest.mark.timeout(300)]

GROUP = "--resource-group contoso-bots"
BOT = "contoso-bot"
APP = f"{GROUP} --name contoso-functions"
CREDENTIAL = f"{GROUP} --identity-name bot --name github"
TRUST = (
    "--issuer https://token.actions.githubusercontent.com"
    " --subject repo:contoso/bot:ref:refs/heads/main --audiences api://AzureADTokenExchange"
)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzShell]:
    """A shell in which the pipeline has signed in; there are a Function App and a bot."""
    with AzureThread(tmp_path) as thread:
        thread.set_environment(monkeypatch)
        thread.call(thread.azure.add_function_app)
        thread.call(thread.azure.add_old_bot, BOT, connection="graph")
        shell = AzShell(monkeypatch)
        shell.sign_in_pipeline(thread.azure.environ)
        yield shell


def rules(shell: AzShell) -> list[tuple[str, str]]:
    """Name and source of the app's access restrictions, as the CLI shows them."""
    found = json.loads(shell.run(f"az functionapp config access-restriction show {APP}"))
    return [(each["name"], each["ipAddress"]) for each in found["ipSecurityRestrictions"]]


def test_access_restrictions(shell: AzShell) -> None:
    """The channels' service tag and Teams' addresses are admitted, shown and removed."""
    command = "az functionapp config access-restriction"
    bots = f"{APP} --rule-name bots --priority 100 --service-tag AzureBotService"
    teams = f"{APP} --rule-name teams --priority 110 --ip-address 52.112.0.0/14"
    shell.run(f"{command} add {bots} && {command} add {teams}")
    assert rules(shell) == [("bots", "AzureBotService"), ("teams", "52.112.0.0/14")]
    with pytest.raises(AssertionError, match="Unknown Service Tag: AzureBots"):
        shell.run(f"{command} add {APP} --rule-name x --priority 120 --service-tag AzureBots")
    shell.run(f"{command} remove {APP} --service-tag AzureBotService")
    assert rules(shell) == [("teams", "52.112.0.0/14")]


def test_federated_credentials_of_an_identity(shell: AzShell) -> None:
    """One is created, listed, shown and deleted."""
    shell.run(f"az identity create {GROUP} --name bot --output none")
    command = "az identity federated-credential"
    shell.run(f"{command} create {CREDENTIAL} {TRUST}")
    listed: list[dict[str, Any]] = json.loads(
        shell.run(f"{command} list {GROUP} --identity-name bot")
    )
    assert [each["name"] for each in listed] == ["github"]
    shown = json.loads(shell.run(f"{command} show {CREDENTIAL}"))
    assert shown["subject"] == "repo:contoso/bot:ref:refs/heads/main"
    shell.run(f"{command} delete {CREDENTIAL} --yes")
    assert json.loads(shell.run(f"{command} list {GROUP} --identity-name bot")) == []


def test_a_bot_is_looked_at(shell: AzShell) -> None:
    """Its connections, the settings of an app, and what its registration trusts."""
    names = "--query [].name --output tsv"
    assert shell.run(f"az bot authsetting list {GROUP} --name {BOT} {names}") == f"{BOT}/graph\n"
    settings = shell.run(f"az functionapp config appsettings list {APP} {names}").split()
    assert "AzureWebJobsStorage__accountName" in settings
    app_id = shell.run(f"az bot show {GROUP} --name {BOT} --query properties.msaAppId -o tsv")
    listed = shell.run(f"az ad app federated-credential list --id {app_id.strip()}")
    assert json.loads(listed) == []


def test_direct_line_is_added(shell: AzShell) -> None:
    """A bot that has no Direct Line channel gets one with a site."""
    channel = f"{GROUP} --name {BOT}"
    shell.run(f"az bot directline delete {channel}")
    shell.run(f"az bot directline create {channel} --site-name default --output none")
    shown = json.loads(shell.run(f"az bot directline show {channel}"))
    sites = shown["properties"]["properties"]["sites"]
    assert [each["siteName"] for each in sites] == ["default"]
