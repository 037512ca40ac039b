"""The settings of a real language model, which a developer may use in a local run."""

import os
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from bot_workbench.commands.run.errors import StartError
from bot_workbench.emulator.functions.configuration import apply_settings
from bot_workbench.emulator.functions.errors import HostError

ENDPOINT, DEPLOYMENT = "AzureOpenAIEndpoint", "AzureOpenAIDeployment"


def model_of_the_developer(app: Path, authority: Path) -> dict[str, str]:
    """The app's settings for a model that the environment or local.settings.json names.

    Such a model's certificate is a public authority's. The local cloud has one of its own, and
    several clients trust no others once it is named.

    Args:
        app: the folder with local.settings.json.
        authority: a PEM file with the local cloud's authority; another file is written beside it.

    Returns:
        Settings that replace the local cloud's; none if no endpoint is named.

    Raises:
        StartError: local.settings.json cannot be read.
    """
    named = dict(os.environ)
    try:
        apply_settings(app, named)
    except HostError as error:
        raise StartError(str(error)) from error
    if not named.get(ENDPOINT):
        return {}
    own = named.get("REQUESTS_CA_BUNDLE") or named.get("SSL_CERT_FILE")
    both = authority.with_name("authorities.pem")
    both.write_bytes(authority.read_bytes() + Path(own or DEFAULT_CA_BUNDLE_PATH).read_bytes())
    trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(both))
    return trust | {ENDPOINT: named[ENDPOINT], DEPLOYMENT: named.get(DEPLOYMENT, "")}
