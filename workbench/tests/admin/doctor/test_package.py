"""The doctor shows which version and package answer, as the app names them."""

import json

import pytest

from tests.admin.doctor.examined_bot import ExaminedBot
from tests.admin.doctor.harms import app_answers
from tests.admin.migrate.migration import BOT

HASH = "0a" * 32


@pytest.mark.parametrize(
    ("fact", "shown"),
    [
        ({"package": HASH}, HASH),
        ({"package": "built in Azure"}, "built in Azure"),
        ({}, "code without a package's hash"),
    ],
    ids=["hash", "built", "older"],
)
def test_the_package_is_shown(bot: ExaminedBot, fact: dict[str, str], shown: str) -> None:
    """For people, and whole in --json."""
    facts = json.dumps({"appId": bot.app_id, "kind": "ManagedIdentity", **fact})
    app_answers("/api/identity", 200, facts)(bot)
    assert bot.run("--bot", BOT, "--json").json["facts"]["package"] == shown
    assert shown in bot.run("--bot", BOT).output


def test_the_version_is_shown(bot: ExaminedBot) -> None:
    """As the app names it; `unknown` for an app that names none."""
    for fact, shown in (({"version": "1.2.3"}, "1.2.3"), ({}, "unknown")):
        facts = json.dumps({"appId": bot.app_id, "kind": "ManagedIdentity", **fact})
        app_answers("/api/identity", 200, facts)(bot)
        assert f"\n  version: {shown}\n" in bot.run("--bot", BOT).output
