"""What is left of the way back after `delete-secret`."""

from tests.admin.migrate.delete_secret.deletion import Deletion
from tests.admin.migrate.migration import BOT, OLD_ENDPOINT

BACK = ("back", "--bot", BOT, "--json")


def test_the_way_back_needs_a_new_secret(deletion: Deletion) -> None:
    """The old endpoint stays remembered: `back` refuses until the bot has a new secret."""
    with deletion.conversation():
        assert deletion.run("--timeout", "60").status == 0
    endpoint = deletion.migration.endpoint
    assert deletion.migration.tags()["previousEndpoint"] == OLD_ENDPOINT
    refused = deletion.migration.run(*BACK)
    assert refused.status == 1
    assert "give the old app a new secret first" in refused.json["reason"]
    assert deletion.migration.endpoint == endpoint
    deletion.call(deletion.azure.directory.add_secret, deletion.registration)
    ended = deletion.migration.run(*BACK)
    assert ended.status == 0, ended.output + ended.errors
    assert deletion.migration.endpoint == OLD_ENDPOINT
