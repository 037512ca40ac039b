"""A walk: somebody follows a run of the runbooks against the local Azure."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from bot_workbench.commands.package import PACKAGE_HASH, hash_of
from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.seeds import OldBot, ResourceGroup
from bot_workbench.funcignore import FuncIgnore
from tests.docs.runbooks.page import Block, blocks
from tests.docs.runbooks.recipe import BY_HAND, deployment
from tests.docs.runbooks.runs import Run
from tests.docs.runbooks.shell import YES, Paste, Shell, text_of
from tests.support.azure.azure_thread import AzureThread
from tests.support.func.program import archive
from tests.support.project import ROOT

PIPELINE = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")

SIGN_IN = "sign in"
"""The place of what replaces `az login`, which opens a browser."""

IGNORE = ".funcignore"

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id that the pages show where the reader has another."""

INLINE = "inline"
"""The place of commands within a page's text."""

KEY_ID = '"$(az ad app credential list --id "$APP_ID" --cert --query "[0].keyId" --output tsv)"'
"""How a reader finds the certificate's key id in the table."""

OLDEST_KEY = (
    'OLD_KEY_ID=$(az ad app credential list --id "$APP_ID" --cert'
    ' --query "sort_by(@, &startDateTime)[0].keyId" --output tsv)'
)
"""How a reader finds the old certificate's key id in the table."""


def walk(run: Run, folder: Path, az: Path) -> list[Paste]:
    """Paste the blocks of a run: deploy-by-hand.md's in one shell, migrate-by-hand.md's in another.

    Args:
        run: which blocks.
        folder: an empty folder.
        az: the path of the Azure CLI.
    """
    cloud, work = folder / "cloud", folder / "work"
    cloud.mkdir()
    _add_project(work)
    with AzureThread(cloud) as thread:
        azure = thread.azure
        values = {"az login": "", f"OLD_KEY_ID={NOBODY}": OLDEST_KEY, **dict(run.values)}
        thread.call(_add_models, azure)
        if run.app_type:
            old = thread.call(azure.add_old_bot, app_type=run.app_type)
            values |= _values_of(old, azure.group.name)
        shell = Shell(work, az, _of_a_user(azure.environ))
        pastes = [
            shell.paste([(SIGN_IN, _sign_in(azure.directory.tenant_id))]),
        ]
        shells = [_filled(deployment(run.tags), values)]
        if run.app_type:
            shells.append(_filled(blocks(BY_HAND), values))
        typed = [*run.commands, *(line.replace("KEY_ID", KEY_ID) for line in run.inline)]
        shells[-1].extend((INLINE, f"{line}\n") for line in typed)
        pastes.extend(shell.paste(each, YES) for each in shells)
        return pastes


def _add_models(azure: LocalAzure) -> None:
    """Somebody has an Azure OpenAI resource, of the name that deploy-by-hand.md has."""
    group = ResourceGroup(azure.resource_manager, "models")
    body = {"kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    group.put("Microsoft.CognitiveServices/accounts", "contoso-models", body)


def _add_project(folder: Path) -> None:
    """Fill a folder with what is deployed of this project, and with what `make package` builds.

    The packages of requirements.txt are not in it: the sites' code finds those of this Python.
    """
    ignore = (ROOT / IGNORE).read_text("utf-8")
    package = folder / "artifacts" / "package"
    for path in FuncIgnore(ignore).files(ROOT):
        for copy in (folder / path, package / path):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copy)
    (folder / IGNORE).write_text(ignore, "utf-8")
    (package / PACKAGE_HASH).write_text(f"{hash_of(package)}\n", "ascii")
    (folder / "artifacts" / "package.zip").write_bytes(archive(package))


def _of_a_user(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the pipeline's sign-in."""
    return {name: text for name, text in environ.items() if name not in PIPELINE}


def _sign_in(tenant_id: str) -> str:
    """Instance discovery would ask a name that has no stand-in."""
    return (
        "az config set core.instance_discovery=false 2>/dev/null\n"
        f"az login --use-device-code --tenant {tenant_id} --output none\n"
    )


def _values_of(old: OldBot, group: str) -> dict[str, str]:
    """What the owner of an old bot writes in place of the pages' lines."""
    return {
        "RESOURCE_GROUP=my-old-bot": f"RESOURCE_GROUP={group}",
        "BOT=my-old-bot": f"BOT={old.bot.name}",
    }


def _filled(found: Iterable[Block], values: dict[str, str]) -> list[tuple[str, str]]:
    return [(str(block), text_of(block, values)) for block in found]
