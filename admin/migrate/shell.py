"""Shell lines for people to paste: `az` commands with their arguments quoted for bash."""

import re
import shlex
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*")


def quoted(text: str) -> str:
    """One word for bash; shell variables in capitals in it are replaced by their values.

    Args:
        text: such as "AZURE_CLIENT_ID=$IDENTITY_CLIENT_ID".
    """
    if not _VARIABLE.search(text):
        return shlex.quote(text)
    parts = _VARIABLE.split(text)
    names = _VARIABLE.findall(text)
    escaped = [re.sub(r'([\\"`$])', r"\\\1", part) for part in parts]
    return f'"{"".join(a + b for a, b in zip(escaped, [*names, ""], strict=True))}"'


def az(command: str, options: Mapping[str, str | None]) -> str:
    """One line for `az` that prints nothing if it succeeds.

    Args:
        command: its words, such as "role assignment create".
        options: their values by name; None: an option without a value.
    """
    words = [
        name if value is None else f"{name} {quoted(value)}" for name, value in options.items()
    ]
    return " ".join(["az", command, *words, "--output none"])
