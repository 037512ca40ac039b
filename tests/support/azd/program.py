"""A stand-in for azd: the few commands that hooks run, with azd's rules for their arguments.

Source of the rules: the usage texts in the repository of azd (cli/azd/cmd/testdata), August 2026.
"""

import argparse
import datetime
import json
import os
import signal
import sys
from pathlib import Path

VALUES, TOKEN = "AZD_STAND_IN_VALUES", "AZD_STAND_IN_TOKEN"
"""Environment variables: the file with the values (JSON), and the token of who is signed in."""

TENANT = "AZD_STAND_IN_TENANT"
"""Environment variable: the tenant (GUID) that the account is signed in to; empty: in any."""

KILL = "AZD_STAND_IN_KILL"
"""Environment variable: the name of a value; once it is set, the program that asked is killed."""


def parser() -> argparse.ArgumentParser:
    """The command line of azd, as far as it goes. A flag that azd does not have is refused."""
    main = argparse.ArgumentParser("azd", allow_abbrev=False)
    groups = main.add_subparsers(dest="group", required=True)
    env = groups.add_parser("env", allow_abbrev=False).add_subparsers(dest="verb", required=True)
    _flags(get := env.add_parser("get-value", allow_abbrev=False))
    get.add_argument("key")
    _flags(change := env.add_parser("set", allow_abbrev=False))
    change.add_argument("key")
    change.add_argument("value")
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
    if given.group == "auth":
        return _token(given.tenant_id)
    file = Path(os.environ[VALUES])
    stored = json.loads(file.read_text("utf-8"))
    if given.environment not in stored:
        print(f"ERROR: environment '{given.environment}' does not exist", file=sys.stderr)
        return 1
    values = stored[given.environment]
    if given.verb == "set":
        values[given.key] = given.value
        file.write_text(json.dumps(stored), "utf-8")
        if os.environ.get(KILL) == given.key:
            os.kill(os.getppid(), signal.SIGKILL)
    elif given.key in values:
        print(values[given.key])
    else:
        print(f"ERROR: key not found in the environment: '{given.key}'", file=sys.stderr)
        return 1
    return 0


def _token(tenant: str | None) -> int:
    found = os.environ.get(TOKEN)
    if not found or os.environ.get(TENANT, tenant) != tenant:
        print("ERROR: not logged in, run `azd auth login` to login", file=sys.stderr)
        return 1
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    print(json.dumps({"token": found, "expiresOn": f"{expires:%Y-%m-%dT%H:%M:%SZ}"}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
