"""Finding resources by name, against the local Azure."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_workbench.admin.azure.arm_client import IDENTITY, SITE, ArmClient
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.azure.errors import Ambiguous, Forbidden, NotFound
from bot_workbench.admin.azure.resources import find_resource, find_resources
from bot_workbench.emulator.resource_manager.resource_type import Subscription
from bot_workbench.emulator.seeds import ResourceGroup
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.admin.moved_clock import MovedClock
from tests.support.azure.azure_thread import AzureThread

OTHER = Subscription("00000000-0000-4000-8000-000000000007", "Contoso test")


@pytest.fixture
def thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureThread]:
    """A local Azure with an identity of one name in two groups, and a second subscription."""
    with AzureThread(tmp_path) as running:
        running.set_environment(monkeypatch)
        azure = running.azure
        running.call(azure.group.identity, "contoso-identity")
        other = ResourceGroup(azure.resource_manager, "contoso-other")
        running.call(other.identity, "contoso-identity")
        running.call(azure.resource_manager.tenant.subscriptions.append, OTHER)
        running.call(azure.add_function_app, "contoso-functions")
        yield running


@pytest.fixture
def azure(thread: AzureThread) -> Iterator[AzureClients]:  # noqa: ARG001  # sets the environment
    """Clients that sign in as its pipeline."""
    with AzureClients(PUBLIC) as clients:
        yield clients


def test_a_resource_is_found_in_any_subscription(azure: AzureClients) -> None:
    """A name is enough, in any case."""
    found = find_resource(azure.arm, SITE, "CONTOSO-Functions")
    assert found.name == "contoso-functions"
    assert found.resource_group == "contoso-bots"
    assert found.location
    assert found in find_resources(azure.arm, SITE)


def test_an_ambiguous_name_lists_the_candidates(azure: AzureClients) -> None:
    """The ids that tell the two apart can be pasted."""
    with pytest.raises(Ambiguous) as caught:
        find_resource(azure.arm, IDENTITY, "contoso-identity")
    text = str(caught.value)
    assert "resourcegroups/contoso-bots/" in text
    assert "resourcegroups/contoso-other/" in text
    found = find_resource(azure.arm, IDENTITY, "contoso-identity", "Contoso-Other")
    assert found.resource_group == "contoso-other"


def test_a_subscription_is_named_or_numbered(azure: AzureClients) -> None:
    """The other subscription has nothing of this name."""
    for subscription in (OTHER.id, OTHER.name.upper()):
        with pytest.raises(NotFound, match="no app has the name"):
            find_resource(azure.arm, SITE, "contoso-functions", subscription=subscription)


def test_an_unknown_subscription_is_named(azure: AzureClients) -> None:
    """A typing error in --subscription is not taken for a missing bot."""
    with pytest.raises(NotFound, match="no subscription 'Contoso tset'"):
        find_resource(azure.arm, SITE, "contoso-functions", subscription="Contoso tset")


def test_a_quote_in_a_name_is_part_of_it(azure: AzureClients) -> None:
    """OData doubles it; no resource has such a name."""
    with pytest.raises(NotFound, match="no app has the name"):
        find_resource(azure.arm, SITE, "contoso' or name eq 'contoso-functions")


def test_all_requests_reach_the_public_names_only(thread: AzureThread, azure: AzureClients) -> None:
    """The clients know no other address than Azure's."""
    find_resources(azure.arm, SITE)
    assert thread.azure.proxy.tunnels.keys() == {
        "login.microsoftonline.com",
        "management.azure.com",
    }
    assert not thread.azure.proxy.refused


SUBSCRIPTIONS = Answer(
    body={"value": [{"subscriptionId": name, "displayName": name} for name in ("1", "2")]}
)
LISTED = Answer(body={"value": [{"id": "/subscriptions/2/resourceGroups/g/x/s", "name": "s"}]})


@pytest.mark.parametrize("status", [403, 404])
def test_an_unreadable_subscription_is_skipped(
    service: ScriptedService, clock: MovedClock, status: int
) -> None:
    """One that is disabled does not hide what the others have."""
    arm = ArmClient(service.url, "Azure Resource Manager", None, "", Deadline(clock), "request-1")
    service.answers += [SUBSCRIPTIONS, Answer(status), LISTED]
    assert [one.name for one in find_resources(arm, SITE)] == ["s"]
    service.answers += [SUBSCRIPTIONS, Answer(status), Answer(status)]
    unreadable: list[str] = []
    assert find_resources(arm, SITE, unreadable=unreadable) == []
    assert unreadable == ["subscription 1", "subscription 2"]
    arm.close()


def test_what_another_group_has_does_not_answer_for_an_unreadable_subscription(
    service: ScriptedService, clock: MovedClock
) -> None:
    """The resource that is wanted may be in the subscription that was skipped."""
    arm = ArmClient(service.url, "Azure Resource Manager", None, "", Deadline(clock), "request-1")
    service.answers += [SUBSCRIPTIONS, Answer(403), LISTED]
    with pytest.raises(Forbidden):
        find_resources(arm, SITE, "s", "another-group")
    arm.close()


def test_nothing_in_unreadable_subscriptions_is_no_answer(
    service: ScriptedService, clock: MovedClock
) -> None:
    """What nobody could read is not missing."""
    arm = ArmClient(service.url, "Azure Resource Manager", None, "", Deadline(clock), "request-1")
    service.answers += [SUBSCRIPTIONS, Answer(403), Answer(body={"value": []})]
    with pytest.raises(Forbidden):
        find_resources(arm, SITE)
    arm.close()
