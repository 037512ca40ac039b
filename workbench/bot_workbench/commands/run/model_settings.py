"""The settings of a real language model, which a developer may use in a local run."""

import os
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from bot_workbench.commands.run.errors import StartError
from bot_workbench.emulator.functions.configuration import apply_settings
from bot_workbench.emulator.functions.errors import HostError

ENDPOINT, DEPLOYMENT = "AzureOpenAIEndpoint", "AzureOpenAIDeployment"
TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""The variables that name the authorities: for requests, and for most other clients."""


def model_of_the_developer(app: Path, authority: Path) -> dict[str, str]:
    """The app's settings for a model that the environment or local.settings.json names.

    Such a model's certificate is a public authority's. The local cloud has one of its own, and
    several clients trust no others once it is named. The developer's own are kept, if files name
    them: a folder, or a file that is missing, is left out.

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
    own = {Path(named[each]) for each in TRUST if named.get(each)}
    files = [each for each in own if each.is_file()] or [Path(DEFAULT_CA_BUNDLE_PATH)]
    all_of_them = authority.with_name("authorities.pem")
    all_of_them.write_bytes(b"\n".join(each.read_bytes() for each in (authority, *files)))
    model = {ENDPOINT: named[ENDPOINT], DEPLOYMENT: named.get(DEPLOYMENT, "")}
    return model | dict.fromkeys(TRUST, str(all_of_them))
