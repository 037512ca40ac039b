"""GraphClient: what it makes of Microsoft Graph's answers."""

import pytest

from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.services import GraphClient
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.admin.moved_clock import MovedClock

APP_ID = "11111111-aaaa-4aaa-8aaa-111111111111"


def row(key_id: str, when: str | None, app_id: str = APP_ID) -> dict[str, object]:
    """A line of the report."""
    activity = {"lastSignInDateTime": when} if when else None
    return {"appId": app_id, "keyId": key_id, "signInActivity": activity}


def test_the_last_sign_in_of_each_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several lines for a key, the latest counts, on whatever page; other apps' do not."""
    monkeypatch.setenv("NO_PROXY", "*")
    with ScriptedService() as service:
        first = [row("AB", "2027-01-16T08:00:00Z"), row("ef", None), row("cd", "2027-01-01T00:00Z")]
        last = [row("ab", "2027-01-15T08:00:00Z"), row("cd", "2028-01-01T00:00Z", "another")]
        next_link = f"{service.url}/beta/more"
        service.answers += [
            Answer(body={"value": first, "@odata.nextLink": next_link}),
            Answer(body={"value": last}),
        ]
        graph = GraphClient(service.url, "Microsoft Graph", None, "", Deadline(MovedClock()), "1")
        found = graph.last_sign_ins(APP_ID.upper())
        graph.close()
        assert service.asked[0].path.startswith("/beta/reports/appCredentialSignInActivities?")
    assert found == {"ab": "2027-01-16T08:00:00Z", "cd": "2027-01-01T00:00Z"}


def test_the_oldest_registration_comes_first(service: ScriptedService) -> None:
    """Graph lists applications in any order."""
    days = {"b": "2027-01-16T08:00:00Z", "c": "2027-01-17T08:00:00Z", "a": "2027-01-15T08:00:00Z"}
    listed = [{"appId": name, "createdDateTime": when} for name, when in days.items()]
    service.answers.append(Answer(body={"value": listed}))
    graph = GraphClient(service.url, "Microsoft Graph", None, "", Deadline(MovedClock()), "1")
    found = graph.tagged_applications("azd-env:1/contoso-bot")
    graph.close()
    assert [each["appId"] for each in found] == ["a", "b", "c"]
