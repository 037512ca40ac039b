"""Secrecy: takes tokens, keys and passwords out of what the feed carries."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot_workbench.emulator.feed.secret_forms import HIDDEN, is_secret_name, without_secrets

MIN_SECRET_CHARACTERS = 12
"""The value of a shorter setting is not looked for in texts: hiding it would hide words."""

_SECRET_SETTING = re.compile(r"(?i)key|secret|passw|pwd|token|identity_header|bot_feed")
_SHOWN_SETTING = re.compile(
    r"(?i).*(?:name|ur[il]|id|path|file|dir|folder|endpoint|scopes?)"
    r"|(?:old)?pwd"  # a shell's working folder, in which the bot's code may be
)
_SECRETS_IN_VALUE = (
    re.compile(r"(?i)(?:key|secret|signature|password|pwd)=([^;,\s]+)"),  # a connection string
    re.compile(r"://[^\s/:@]*:([^\s/@]+)@"),  # a URL with a user and a password
)


class Secrecy:
    """Makes the feed's lines.

    Args:
        settings: the process's environment. Values that may be secrets are not shown.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        found = {json.dumps(each)[1:-1] for each in _secrets_in(settings)}
        self._secrets = sorted(found, key=len, reverse=True)

    def line(self, event: Mapping[str, Any]) -> bytes:
        """An event as a line of JSON. Values that are not JSON become their text.

        Raises:
            ValueError, RecursionError: it contains itself, or nests too deeply.
        """
        text = without_secrets(json.dumps(_without_named(event), default=str))
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text.encode() + b"\n"


def _without_named(value: Any, *, is_secret: bool = False) -> Any:
    """JSON without the texts under secret names, however deep they are."""
    if isinstance(value, str):
        return HIDDEN if is_secret and value else value
    if isinstance(value, Mapping):
        return {
            name: _without_named(each, is_secret=is_secret or is_secret_name(str(name)))
            for name, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_without_named(each, is_secret=is_secret) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # Python reads and writes it, but it is no JSON
    return value


def _secrets_in(settings: Mapping[str, str]) -> Iterator[str]:
    for name, value in settings.items():
        found = {each for secret in _SECRETS_IN_VALUE for each in secret.findall(value)}
        is_url = value.startswith(("http://", "https://"))
        if _SECRET_SETTING.search(name) and not _SHOWN_SETTING.fullmatch(name) and not is_url:
            found |= {value, *value.split(":")}  # BOT_FEED has a port before the secret
        yield from (each for each in found if len(each) >= MIN_SECRET_CHARACTERS)
