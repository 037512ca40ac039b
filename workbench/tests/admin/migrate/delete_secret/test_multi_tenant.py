"""`delete-secret` for a multi-tenant bot: it signs in where the directory's reports see nothing."""

import pytest

from bot_workbench.admin.migrate.delete_secret.secret_holders import PASSWORD
from bot_workbench.emulator.entra.registration import CHANNEL_TENANT
from tests.admin.migrate.delete_secret.deletion import Deletion
from tests.admin.migrate.migration import BOT, Migration

ELSEWHERE = "https://elsewhere.contoso.com/api/messages"
NO_PROOF = "a MultiTenant bot signs in in the tenant botframework.com"


@pytest.fixture
def app_type() -> str:
    """The old bot's type."""
    return "MultiTenant"


@pytest.fixture
def multi_tenant(migration: Migration) -> Deletion:
    """The same with a multi-tenant bot, for `app_type`: its app has a certificate."""
    deletion = Deletion(migration)
    deletion.switch(deletion.use_certificate)
    return deletion


@pytest.mark.parametrize("is_old", [False, True])
def test_an_empty_report_proves_nothing(multi_tenant: Deletion, is_old: bool) -> None:
    """No report has the sign-in of the program that uses the secret, and a note says so; a bot that
    is older than the property `msaAppType` is multi-tenant."""
    if is_old:
        multi_tenant.call(multi_tenant.migration.bot().properties.pop, "msaAppType")
    multi_tenant.switched(minutes_ago=10)
    multi_tenant.record_sign_in(tenant_id=CHANNEL_TENANT)
    with multi_tenant.conversation():
        ended = multi_tenant.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    said = " ".join(ended.output.split())
    assert f"who else signs in with the secret is not known, because {NO_PROOF}" in said
    assert "search the pipelines, programs and machines that may have the secret" in said


def test_a_sign_in_of_the_own_tenant_counts(multi_tenant: Deletion) -> None:
    """A pipeline that signs in with the secret in the bot's own tenant is in the report."""
    multi_tenant.switched(minutes_ago=10)
    multi_tenant.record_sign_in()
    ended = multi_tenant.run("--json", "--timeout", "5")
    assert ended.status == 1
    assert "was used to sign in at" in ended.json["reason"]


def old_app_elsewhere(deletion: Deletion) -> None:
    """The replaced bot's app is not in Azure, and signs in."""
    deletion.call(deletion.migration.bot().properties.update, {"endpoint": ELSEWHERE})
    settings = deletion.settings_of(deletion.migration.old.site)
    settings.pop(PASSWORD)
    deletion.call(deletion.azure.group.set_app_settings, deletion.migration.old.site, settings)


def test_a_replaced_bot_is_not_taken_for_unused(replaced: Deletion) -> None:
    """Its app, which the account does not see, may sign in without being in a report."""
    old_app_elsewhere(replaced)
    replaced.record_sign_in(tenant_id=CHANNEL_TENANT)
    before = replaced.state()
    ended = replaced.run("--json", "--timeout", "5")
    assert ended.status == 1, ended.output + ended.errors
    said = ended.json["reason"].splitlines()
    assert f"whether {BOT} is still used is not known" in said[0]
    assert NO_PROOF in said[0]
    assert "empty the endpoint of the Azure Bot" in said[1]
    assert replaced.state() == before


def test_a_replaced_bot_that_nobody_needs(replaced: Deletion) -> None:
    """The option passes over an app that the account does not see."""
    old_app_elsewhere(replaced)
    with replaced.conversation():
        ended = replaced.run("--ignore-other-use", "--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert f"ignored, as you said: whether {BOT} is still used" in " ".join(ended.output.split())
    assert replaced.key_ids == []
