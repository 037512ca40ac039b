"""A stand-in for the Bicep compiler, which Azure CLI would download; it only knows parameters."""

import json
from pathlib import Path

from tests.support.bicep.syntax import declarations
from tests.support.project import ROOT

MAIN = ROOT / "infra" / "main.bicep"
VERSION = "Bicep CLI version 0.40.2 (stand-in)"

PROGRAM = """#!/bin/sh
case "$1" in
  --version) echo "{version}" ;;
  build) cat "{template}" ;;
  *) exit 2 ;;
esac
"""


def write_compiler(folder: Path) -> dict[str, str]:
    """Write `bicep` to a folder; returns the environment in which Azure CLI uses it."""
    template, program = folder / "main.json", folder / "bicep"
    template.write_text(json.dumps(_template()))
    program.write_text(PROGRAM.format(version=VERSION, template=template))
    program.chmod(0o755)
    return {"AZURE_BICEP_USE_BINARY_FROM_PATH": "true", "PATH": str(folder)}


def _template() -> dict[str, object]:
    """main.bicep's parameters, as a compiled template has them. Azure CLI refuses any others."""
    parameters = {
        each.symbol: {"type": "string"} | ({} if each.value is None else {"defaultValue": ""})
        for each in declarations(MAIN)
        if each.kind == "parameter"
    }
    schema = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
    return {
        "$schema": schema,
        "contentVersion": "1.0.0.0",
        "parameters": parameters,
        "resources": [],
    }
