"""The app settings of a deployment are settings that the app reads, and each is documented."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth.settings import Settings
from tests.auth.environs import HOSTING_VARIABLES
from tests.infra.template import INFRA, MODEL_ID, PRINCIPAL_ID, Template, Variant
from tests.support.bicep.stand_in import TENANT_ID
from tests.support.project import ROOT

TEMPLATE = Template(INFRA)
VARIANTS = TEMPLATE.variants
OF_THE_HOST = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
"""Settings that the Functions host reads; so does telemetry, where it is installed."""

NO_SETTINGS = {"MicrosoftAppPassword", "AZURE_FUNCTIONS_ENVIRONMENT", *HOSTING_VARIABLES}
"""What else the app looks for: a secret to warn of, and where it runs."""

CLIENT_ID = "AzureWebJobsStorage__clientId"


class Reads(dict[str, str]):
    """An environment that remembers which names were asked for, and that values were found."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_app_reads_every_setting(variant: Variant) -> None:
    """The app accepts the settings as they are, and asks for each one but those of the host."""
    settings = variant.settings()
    reads = Reads(settings)
    read = Settings.from_environ(reads)
    assert settings.keys() - reads.names <= OF_THE_HOST
    assert read.warnings == ()
    assert read.queued is (variant.parameters["turns"] == "Queued")
    assert read.storage is not None
    assert read.storage.blob_url == f"https://{account(variant)}.blob.{suffix(variant)}"
    assert read.storage.queue_url == f"https://{account(variant)}.queue.{suffix(variant)}"


def account(variant: Variant) -> str:
    """The storage account's name."""
    return variant.one("Microsoft.Storage/storageAccounts").name


def suffix(variant: Variant) -> str:
    """The domain of the storage services."""
    primary = {"USGovernment": "core.usgovcloudapi.net", "China": "core.chinacloudapi.cn"}
    return primary.get(variant.parameters["cloud"], "core.windows.net")


@pytest.mark.parametrize("credential", ["Certificate", "SignInVault"])
@pytest.mark.parametrize(("models", "tenant"), [("", ""), (MODEL_ID, TENANT_ID)])
def test_bot_of_many_tenants(credential: str, models: str, tenant: str) -> None:
    """A multi-tenant bot, which exists already, signs in with a certificate, and has no tenant:
    only its tokens for models are those of a tenant.
    """
    given = {
        "credential": credential,
        "botAppType": "MultiTenant",
        "openaiResourceId": models,
        "botPrincipalId": PRINCIPAL_ID,
    }
    variant = Variant(given, TEMPLATE.evaluated(**given))
    settings = Settings.from_environ(variant.settings())
    assert (settings.app_type, settings.tenant_id) == ("MultiTenant", tenant)
    assert "msaAppTenantId" not in variant.properties("Microsoft.BotService/botServices")


def test_settings_are_written_last(tmp_path: Path) -> None:
    """Wherever their module stands, they need the Azure Bot: if that is refused, they stay."""
    shutil.copytree(INFRA, tmp_path / "infra")
    main = tmp_path / "infra" / "main.bicep"
    source = main.read_text("utf-8")
    start, end = source.index("module settings "), source.index("output AZURE_RESOURCE_GROUP")
    others = source[:start] + source[end:]
    main.write_text(
        others.replace("module identity ", f"{source[start:end]}module identity "), "utf-8"
    )
    types = [each.type for each in Template(tmp_path / "infra").evaluated().resources]
    bot, settings = "Microsoft.BotService/botServices", "Microsoft.Web/sites/config"
    assert types.index(bot) < types.index(settings)


def test_the_example_is_what_the_app_reads() -> None:
    """local.settings.json.example has every setting that the app asks for, and no other."""
    example = json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))["Values"]
    asked: set[str] = set()
    for variant in VARIANTS:
        reads = Reads(variant.settings())
        Settings.from_environ(reads)
        asked |= reads.names
    assert asked - NO_SETTINGS == example.keys() - {"FUNCTIONS_WORKER_RUNTIME"}


def test_settings_are_documented() -> None:
    """docs/settings.md names every setting that a deployment sets."""
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs/settings.md").read_text("utf-8")))
    assert set(deployed_names()) <= named


def deployed_names() -> Iterator[str]:
    """Each setting of some deployment."""
    for variant in VARIANTS:
        yield from variant.settings()


def test_own_settings_stay(tmp_path: Path) -> None:
    """Those of app-settings.json are set, but cannot change how the bot signs in."""
    shutil.copytree(INFRA, tmp_path / "infra")
    own = {"AllowedTenants": "t", "MicrosoftAppId": "another", CLIENT_ID: "another"}
    (tmp_path / "infra" / "app-settings.json").write_text(json.dumps(own), "utf-8")
    settings = Variant({}, Template(tmp_path / "infra").evaluated()).settings()
    assert settings["AllowedTenants"] == "t"
    assert "another" not in settings.values()
