"""Secrecy: takes tokens, keys and signatures out of what the recorder reports."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

HIDDEN = "(not shown)"

MIN_SECRET_CHARACTERS = 16
"""The value of a shorter setting is no secret; hiding it would hide words."""

_SECRET_NAMES = re.compile(
    r"(?i).*(?:token|secret|password|passphrase|assertion|account_?key|private_?key|api_?key"
    r"|connection_?string|signature)|(?:proxy-)?authorization|(?:set-)?cookie|sig"
    r"|x-functions-key|x-ms-token.*|code_?verifier|magic_?code"
)
"""Names in JSON whose texts are not shown."""

_SHOWN_NAMES = frozenset({"continuationtoken", "nexttoken"})

_SECRETS = (
    ("eyj", re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")),  # a JWT
    ("bearer ", re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}")),
    ("sharedkey ", re.compile(r"(?i)(?<=sharedkey )[\w:+/=-]+")),
    ("accountkey=", re.compile(r"(?i)(?<=accountkey=)[\w+/=%-]+")),
    ("sharedaccesssignature=", re.compile(r"(?i)(?<=sharedaccesssignature=)[^\s\"';\\]+")),
    ("sig=", re.compile(r"(?i)(?<=\bsig=)[^\s\"'&;\\]+")),
    ("code=", re.compile(r"(?i)(?<=[?&]code=)[^\s\"'&\\]+")),
    ("private key", re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?PRIVATE KEY-----")),
)
"""What is a secret wherever it stands; before each, lower-case text that shows that it may be."""

_SECRET_SETTING = re.compile(r"(?i)key|secret|password|token|identity_header|bot_feed")
_KEY = re.compile(r"(?i)(?:AccountKey|SharedAccessSignature)=([^;]+)")


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
        text = json.dumps(_without_named(event), default=str)
        lower = text.lower()
        for sign, secret in _SECRETS:
            if sign in lower:
                text = secret.sub(HIDDEN, text)
        for setting in self._secrets:
            text = text.replace(setting, HIDDEN)
        return text.encode() + b"\n"


def _without_named(value: Any) -> Any:
    """JSON without the texts of secret names."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _is_secret(name, each) else _without_named(each)
            for name, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_without_named(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # Python reads and writes it, but it is no JSON
    return value


def _is_secret(name: object, value: object) -> bool:
    if not isinstance(name, str) or not isinstance(value, str) or not value:
        return False
    return bool(_SECRET_NAMES.fullmatch(name)) and name.lower() not in _SHOWN_NAMES


def _secrets_in(settings: Mapping[str, str]) -> Iterator[str]:
    for name, value in settings.items():
        yield from _KEY.findall(value)
        if _SECRET_SETTING.search(name) and not value.startswith(("http://", "https://")):
            yield from (each for each in value.split(":") if len(each) >= MIN_SECRET_CHARACTERS)
