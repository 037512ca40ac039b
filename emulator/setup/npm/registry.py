"""npm's registry: how npm calls it, and downloads for machines without npm."""

import os
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path

REGISTRY = "https://registry.npmjs.org"
TIMEOUT_SECONDS = 60.0
MAX_BYTES = 64 * 1024 * 1024

RETRIES = ("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
"""npm's options: without them it takes 70 seconds to notice that there is no network."""


def registry(environ: Mapping[str, str], home: Path) -> str:
    """The URL of the registry that npm would use, without a slash at the end.

    Args:
        environ: may have npm's setting `npm_config_registry`.
        home: the user's folder, whose `.npmrc` may name one.
    """
    named = environ.get("npm_config_registry") or environ.get("NPM_CONFIG_REGISTRY")
    if not named:
        file = home / ".npmrc"
        lines = file.read_text("utf-8") if file.is_file() else ""
        found = re.search(r"^registry *= *(\S+)", lines, re.MULTILINE)
        named = found[1] if found else REGISTRY
    return named.rstrip("/")


def download(spec: str) -> bytes:
    """A package's tarball; its caller checks the digest.

    Args:
        spec: name and version, such as `@scope/name@1.2.3`.

    Raises:
        OSError: the registry cannot be reached, or does not have the package.
    """
    name, _, version = spec.rpartition("@")
    file = f"{name.rpartition('/')[2]}-{version}.tgz"
    url = f"{registry(os.environ, Path.home())}/{name}/-/{file}"
    if not url.startswith(("https://", "http://")):
        raise OSError(f"{url} is not a registry's URL: correct `registry` in .npmrc")
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310  # checked
        content: bytes = response.read(MAX_BYTES)
    return content
