"""The command with which a shell delivers an activity to the bot, as the channel does."""

import json
from urllib.parse import quote

from bot_workbench.emulator.inspector.turns.turn_details import JsonObject

END = "ACTIVITY"
"""Ends the command's input. No line of JSON is this word."""


def curl_command(activity: JsonObject, bot_endpoint: str, pages_url: str) -> str:
    """A command for bash and zsh.

    It has no token: it requests one of this run's channel when it is run. The activity is its
    standard input, because a command line is limited to 128 KB, and so that quotes need no
    escaping.

    Args:
        activity: what is delivered.
        bot_endpoint: the bot's messaging endpoint (URL).
        pages_url: base URL of the server with the inspector's routes.
    """
    service_url = quote(str(activity.get("serviceUrl") or ""), safe="")
    token = f"curl -sS -X POST '{pages_url}/api/inspector/token?service_url={service_url}'"
    return (
        f"curl -sS -i -X POST {_quoted(bot_endpoint)} \\\n"
        f'  -H "Authorization: Bearer $({token})" \\\n'
        "  -H 'Content-Type: application/json; charset=utf-8' \\\n"
        f"  --data-binary @- <<'{END}'\n"
        f"{_json(activity)}\n"
        f"{END}\n"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"


def _json(activity: JsonObject) -> str:
    text = json.dumps(activity, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 does not have
        return json.dumps(activity, indent=2)
    return text
