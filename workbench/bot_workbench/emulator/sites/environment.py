"""The environment of a site's process: its app settings, and what App Service adds."""

import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot_workbench.project import WORKBENCH

if TYPE_CHECKING:  # a process that runs a site has only what the site's package has
    from bot_workbench.emulator.sites.site import Site

STORAGE = "AzureWebJobsStorage"
TURNS = "BotTurns"
HOST_KEYS = {"EMULATOR_FUNCTION_KEY": "--function-key", "EMULATOR_MASTER_KEY": "--master-key"}
"""Variables with the keys that the Functions host asks for, and its options: the app itself does
not see them."""

OF_THIS_MACHINE = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE")
"""The variables by which programs find this machine's folders: without SYSTEMROOT, Windows opens no
socket."""


def without_storage(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings but for the storage account, which has no stand-in: state is in memory, and
    turns are inline."""
    left_out = (STORAGE, TURNS)
    return {
        name: text for name, text in settings.items() if name.partition("__")[0] not in left_out
    }


def launcher(interpreter: Sequence[str], names: Path, log: Path) -> list[str]:
    """The command line that starts a module as a site's process, up to the module's name.

    Args:
        interpreter: that of Python.
        names: file of the public names that the process has.
        log: file for what it prints.
    """
    options = ["--names", str(names), "--log", str(log), "--parent", str(os.getpid())]
    return [*interpreter, "-m", "bot_workbench.emulator.sites", *options]


def site_environment(
    site: "Site",
    authority: Path,
    identity: Mapping[str, str],
    *,
    modules: Path = WORKBENCH,
    has_storage: bool = False,
) -> dict[str, str]:
    """The environment in which the site's code runs.

    Args:
        site: the site, whose app settings are part of it.
        authority: PEM file of the authority that signed the stand-ins' certificates.
        identity: IDENTITY_ENDPOINT and IDENTITY_HEADER; empty for a site without identities.
        modules: the folder of the Python modules that run the site.
        has_storage: a stand-in answers for the storage account; otherwise, the app settings that
            need one are left out.
    """
    settings = dict(site.settings) if has_storage else without_storage(site.settings)
    machine = {name: os.environ[name] for name in OF_THIS_MACHINE if name in os.environ}
    platform = {
        "PYTHONPATH": str(modules),
        "WEBSITE_SITE_NAME": site.name,
        "WEBSITE_HOSTNAME": site.host,
        "WEBSITE_INSTANCE_ID": uuid.uuid4().hex,
        "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
        "SSL_CERT_FILE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
    }
    return machine | settings | platform | dict(identity)
