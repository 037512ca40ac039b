"""The environment of a site's process: its app settings, and what App Service adds."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from emulator.sites.site import Site

PROJECT = Path(__file__).resolve().parents[2]
STORAGE = "AzureWebJobsStorage"
TURNS = "BotTurns"
FUNCTION_KEY = "EMULATOR_FUNCTION_KEY"
"""Has the key that the Functions host asks for; the app itself does not see it."""

OF_THIS_MACHINE = ("PATH", "HOME", "TMPDIR")


def without_storage(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings but for the storage account, which has no stand-in: state is in memory, and
    turns are inline."""
    left_out = (STORAGE, TURNS)
    return {
        name: text for name, text in settings.items() if name.partition("__")[0] not in left_out
    }


def site_environment(site: Site, authority: Path, identity: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the site's code runs.

    The app settings are the site's own, but for the storage account.

    Args:
        site: the site.
        authority: PEM file of the authority that signed the stand-ins' certificates.
        identity: IDENTITY_ENDPOINT and IDENTITY_HEADER; empty for a site without identities.
    """
    machine = {name: os.environ[name] for name in OF_THIS_MACHINE if name in os.environ}
    platform = {
        "PYTHONPATH": str(PROJECT),
        "WEBSITE_SITE_NAME": site.name,
        "WEBSITE_HOSTNAME": site.host,
        "WEBSITE_INSTANCE_ID": uuid.uuid4().hex,
        "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
        "SSL_CERT_FILE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
    }
    return machine | without_storage(site.settings) | platform | dict(identity)
