"""A stand-in for azd: the few commands that hooks run, with azd's rules for their arguments.

Source of the rules: in the repository of azd, August 2026, the usage texts (cli/azd/cmd/testdata),
`envSetAction` and `envGetValueAction` (cli/azd/cmd/env.go) and `auth token` (cmd/auth_token.go).
"""

import argparse
import datetime
import json
import os
import signal
import sys
from pathlib import Path

VALUES, TOKENS = "AZD_STAND_IN_VALUES", "AZD_STAND_IN_TOKENS"
"""Environment variables: the file with the values (JSON), and the tokens of who is signed in, by
their scopes (JSON)."""

TENANT = "AZD_STAND_IN_TENANT"
"""Environment variable: the tenant (GUID) that the account is signed in to; empty: in any."""

KILL = "AZD_STAND_IN_KILL"
"""Environment variable: the name of a value; once it is set, the program that asked is killed."""

CALLS = ".calls"
"""Suffix of the file beside the values that has the words of each call, as a line of JSON."""


def parser() -> argparse.ArgumentParser:
    """The command line of azd, as far as it goes. A flag that azd does not have is refused."""
    main = argparse.ArgumentParser("azd", allow_abbrev=False)
    groups = main.add_subparsers(dest="group", required=True)
    env = groups.add_parser("env", allow_abbrev=False).add_subparsers(dest="verb", required=True)
    _flags(get := env.add_parser("get-value", allow_abbrev=False))
    get.add_argument("key")
    _flags(change := env.add_parser("set", allow_abbrev=False))
    change.add_argument("words", nargs="*")
    auth = groups.add_parser("auth", allow_abbrev=False).add_subparsers(dest="verb", required=True)
    _flags(token := auth.add_parser("token", allow_abbrev=False))
    token.add_argument("--scope", action="append")
    token.add_argument("--tenant-id")
    token.add_argument("--claims")
    token.add_argument("--output", choices=["json", "none"])
    return main


def _flags(command: argparse.ArgumentParser) -> None:
    """The flags of every command of these."""
    command.add_argument("-e", "--environment")
    command.add_argument("-C", "--cwd")
    command.add_argument("--debug", action="store_true")
    command.add_argument("--no-prompt", action="store_true")


def main(words: list[str]) -> int:
    """Run one command; returns its exit status."""
    given = parser().parse_args(words)
    if VALUES in os.environ:
        with Path(os.environ[VALUES]).with_suffix(CALLS).open("a", encoding="utf-8") as calls:
            calls.write(f"{json.dumps(words)}\n")
    if given.group == "auth":
        return _token(*given.scope, tenant=given.tenant_id)
    file = Path(os.environ[VALUES])
    if not file.exists():
        print("ERROR: no project exists; to create a new project, run `azd init`", file=sys.stderr)
        return 1
    stored: dict[str, dict[str, str]] = json.loads(file.read_text("utf-8"))
    if given.verb == "set":
        values = _pairs(given.words)
        if not values:
            print("ERROR: no environment values provided", file=sys.stderr)
            return 1
        # Without a terminal, azd makes an environment that does not exist.
        stored[given.environment] = stored.get(given.environment, {}) | values
        file.write_text(json.dumps(stored), "utf-8")
        if os.environ.get(KILL) in values:
            os.kill(os.getppid(), signal.SIGKILL)
        return 0
    if given.environment not in stored:
        print(f"ERROR: environment '{given.environment}' does not exist")
        return 1
    if given.key not in stored[given.environment]:
        # On standard output, where a value would be.
        print(f"ERROR: key not found in environment values: '{given.key}'")
        return 1
    print(stored[given.environment][given.key])
    return 0


def _pairs(words: list[str]) -> dict[str, str]:
    """KEY VALUE, or KEY=VALUE once or more; empty: azd refuses the words."""
    if len(words) == 2 and "=" not in words[0]:
        return {words[0]: words[1]}
    if not all("=" in word for word in words):
        return {}
    return dict(word.split("=", 1) for word in words)


def _token(scope: str, *, tenant: str | None) -> int:
    found = json.loads(os.environ.get(TOKENS, "{}")).get(scope)
    if not found or os.environ.get(TENANT, tenant) != tenant:
        text = "\nERROR: not logged in, run `azd auth login` to login\n"
        message = {"type": "consoleMessage", "data": {"message": text}}
        print(json.dumps(message), file=sys.stderr)
        return 1
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    print(json.dumps({"token": found, "expiresOn": f"{expires:%Y-%m-%dT%H:%M:%SZ}"}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
