"""`delete-secret`, against the local Azure."""

from admin.migrate.delete_secret.evidence.secret_users import PASSWORD
from tests.admin.migrate.delete_secret.deletion import Deletion


def test_the_secret_goes(deletion: Deletion) -> None:
    """The settings lose it first; the restarted app proves its sign-in; then it is deleted."""
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert deletion.key_ids == []
    assert PASSWORD not in deletion.new_settings
    assert PASSWORD not in deletion.settings_of(deletion.migration.old.site)
