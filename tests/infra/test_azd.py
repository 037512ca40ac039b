"""What azd reads: azure.yaml by its schema's rules, and a value for each parameter."""

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot_workbench.admin.deployment.parameters import CHOICES
from infra.hooks import hook
from tests.infra.template import INFRA, Template
from tests.support.bicep.syntax import declarations
from tests.support.project import ROOT

ENVIRONMENT = {
    "environmentName": "${AZURE_ENV_NAME}",
    "location": "${AZURE_LOCATION}",
    **{each.parameter: f"${{{each.variable}={each.default}}}" for each in CHOICES},
    "vaultCreateMode": "${BOT_VAULT_CREATE_MODE=default}",
    "botPrincipalId": "${BOT_PRINCIPAL_ID=}",
}
"""azd's environment values by parameter, with defaults."""


def parameters() -> dict[str, Any]:
    """The values in main.parameters.json."""
    file = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))
    return {name: each["value"] for name, each in file["parameters"].items()}


def test_parameters_come_from_the_environment() -> None:
    """Each parameter has a value from azd's environment."""
    declared = {
        each.symbol for each in declarations(INFRA / "main.bicep") if each.kind == "parameter"
    }
    assert parameters() == ENVIRONMENT
    assert parameters().keys() == declared


@pytest.mark.parametrize("name", [name for name, text in ENVIRONMENT.items() if "=" in text])
def test_defaults_are_those_of_the_template(name: str) -> None:
    """Whoever sets nothing gets the same from azd as from az."""
    (declared,) = (each for each in declarations(INFRA / "main.bicep") if each.symbol == name)
    assert declared.value is not None
    written = (declared.value.text or b"").decode().strip("'")
    default = re.fullmatch(r"\$\{\w+=(.*)\}", ENVIRONMENT[name])
    assert default is not None
    assert default[1] == written


def test_defaults_deploy() -> None:
    """With nothing but a name and a place, the bot is deployed with a managed identity."""
    outputs = Template(INFRA).evaluated().outputs
    assert outputs["BOT_VAULT_NAME"] == ""


def test_service() -> None:
    """The one service is the Function App: azd uploads what its hook has built, as it is."""
    azure = YAML(typ="safe").load((ROOT / "azure.yaml").read_text("utf-8"))
    assert azure["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    assert (INFRA / "main.bicep").exists()
    (service,) = azure["services"].items()
    name, values = service
    assert name == "bot"
    assert {values["host"], values["language"], values["project"]} == {"function", "python", "."}
    assert values["dist"] == hook.PACKAGE_COMMAND[-1]
    assert values["remoteBuild"] is False
    assert [step["azd"].split()[0] for step in azure["workflows"]["up"]["steps"]] == [
        "package",
        "provision",
        "deploy",
    ]
    assert re.fullmatch(r"[\w-]+@\d+\.\d+\.\d+", azure["metadata"]["template"])


def test_hooks_exist() -> None:
    """Each hook is a file of infra/hooks."""
    azure = YAML(typ="safe").load((ROOT / "azure.yaml").read_text("utf-8"))
    hooks = [*azure["hooks"].values(), *azure["services"]["bot"]["hooks"].values()]
    for each in hooks:
        assert (ROOT / each["run"]).is_file()
