"""The settings that the Agents Toolkit gives an app on a developer's machine."""

import json

from ruamel.yaml import YAML

from tests.support.project import ROOT

LOCAL = ROOT / "m365agents.local.yml"


def local_settings(app_id: str, tenant_id: str) -> dict[str, str]:
    """The settings of the app that m365agents.local.yml writes for a bot (GUIDs)."""
    values = {"${{BOT_ID}}": app_id, "${{BOT_TENANT_ID}}": tenant_id}
    deploy = YAML(typ="safe").load(LOCAL.read_text("utf-8"))["deploy"]
    [step] = [each for each in deploy if each["uses"] == "file/createOrUpdateEnvironmentFile"]
    text = json.dumps(step["with"]["envs"])
    for variable, value in values.items():
        text = text.replace(variable, value)
    settings: dict[str, str] = json.loads(text)
    return settings
