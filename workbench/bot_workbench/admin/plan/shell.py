"""Shell lines for people to paste: `az` commands with their arguments quoted for bash."""

import re
import shlex
from collections.abc import Iterable, Mapping

from bot_workbench.admin.console import shown

MAX_LINE = 110
_CONTINUED = " \\\n  "

VARIABLES = (
    "IDENTITY_PRINCIPAL_ID",
    "IDENTITY_CLIENT_ID",
    "IDENTITY_TENANT_ID",
    "THUMBPRINT",
    "END_DATE",
    "PUBLIC_KEY",
    "SINCE",
    "BOT_APP_ID",
    "BOT_PRINCIPAL_ID",
)
"""The shell variables that the printed lines assign. A `$` before any other name is the user's,
such as in a tag, and means itself."""

VARIABLE = re.compile(rf"\$({'|'.join(VARIABLES)})\b")
"""One of them in a text; its group is the name."""


_SPECIAL = re.compile(r'([\\"`$])')
"""The characters that mean something in a double-quoted word for bash."""


def quoted(text: str) -> str:
    """One word for bash; VARIABLES in it are replaced by their values.

    Args:
        text: such as "AZURE_CLIENT_ID=$IDENTITY_CLIENT_ID".
    """
    parts = list(enumerate(VARIABLE.split(text)))  # every second one is a variable's name
    if text != shown(text):
        # A control character that is pasted acts on the terminal, whatever the quotes around it.
        return "".join(f'"${part}"' if place % 2 else _escaped(part) for place, part in parts)
    if len(parts) == 1:
        return shlex.quote(text)
    escaped = (f"${part}" if place % 2 else _SPECIAL.sub(r"\\\1", part) for place, part in parts)
    return f'"{"".join(escaped)}"'


def _escaped(text: str) -> str:
    """A text as `$'...'`, in which bash reads each byte of its UTF-8 that is no printable ASCII as
    an escape. (The bash of macOS has no escapes for Unicode.)"""
    encoded = text.encode("utf-8", "surrogatepass")
    words = (
        f"\\x{byte:02x}" if byte < 0x20 or byte >= 0x7F else re.sub(r"(['\\])", r"\\\1", chr(byte))
        for byte in encoded
    )
    return f"$'{''.join(words)}'" if text else ""


def az(command: str, options: Mapping[str, str | None]) -> str:
    """One command for `az` that prints nothing if it succeeds, on one line or several.

    Args:
        command: its words, such as "role assignment create".
        options: their values by name; None: an option without a value.
    """
    words = [
        name if value is None else f"{name} {quoted(value)}" for name, value in options.items()
    ]
    *first, last = [f"az {command}", *words]
    return wrapped([*first, f"{last} --output none"])


def on_one_line(command: str) -> str:
    """A command as one line, which PowerShell understands, too: it continues lines differently."""
    return command.replace(_CONTINUED, " ")


def wrapped(words: Iterable[str]) -> str:
    """A command line, continued on further lines where it is too long to read.

    Args:
        words: the parts between which it may be broken.
    """
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(longer) > MAX_LINE:
            lines.append(word)
        else:
            lines[-1] = longer
    return _CONTINUED.join(lines)
