"""How the commands sign in from a job of GitHub Actions."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.azure.errors import NotSignedIn
from bot_workbench.admin.azure.sign_in import BEARER, URL
from bot_workbench.emulator.entra.credentials import EXCHANGE_AUDIENCE
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.support.azure.azure_thread import AzureThread


@dataclass(frozen=True)
class Job:
    """A job: GitHub's token service, the token that it gives, and the directory that trusts it."""

    github: ScriptedService
    token: str
    thread: AzureThread


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """The environment of a job with the permission `id-token: write`, in front of LocalAzure."""
    with AzureThread(tmp_path) as thread, ScriptedService() as github:
        thread.set_environment(monkeypatch)
        token = Path(os.environ["AZURE_FEDERATED_TOKEN_FILE"]).read_text("utf-8")
        monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
        monkeypatch.setenv(URL, f"{github.url}/token?api-version=2.0")
        monkeypatch.setenv(BEARER, "job-bearer")
        yield Job(github, token, thread)


def test_each_sign_in_requests_a_new_token(job: Job) -> None:
    """A job's token lives for minutes, so none is kept for the next service."""
    job.github.answers.extend([Answer(body={"value": job.token})] * 2)
    with AzureClients(PUBLIC) as azure:
        assert list(azure.arm.pages("/subscriptions?api-version=2022-12-01"))
        assert azure.caller.object_id == job.thread.azure.pipeline.object_id
        assert azure.graph.application(os.environ["AZURE_CLIENT_ID"])
    assert len(job.github.asked) == 2
    for asked in job.github.asked:
        assert asked.headers["Authorization"] == "Bearer job-bearer"
        query = parse_qs(urlsplit(asked.path).query)
        assert query == {"api-version": ["2.0"], "audience": [EXCHANGE_AUDIENCE]}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(403, "no"), "GitHub answers 403"),
        (Answer(200, "a page"), "GitHub gives no token"),
        (Answer(200, {"other": 1}), "GitHub gives no token"),
        (Answer(200, ["a list"]), "GitHub gives no token"),
    ],
)
def test_a_job_without_the_permission_reads_its_cure(job: Job, answer: Answer, text: str) -> None:
    """GitHub's answer and the permission to add are in one line, and the token is in none."""
    job.github.answers.append(answer)
    with AzureClients(PUBLIC) as azure, pytest.raises(NotSignedIn, match=text) as caught:
        azure.arm.get("/subscriptions")
    assert "`id-token: write`" in str(caught.value)
    assert "job-bearer" not in str(caught.value)


def test_a_foreign_job_is_refused(job: Job) -> None:
    """Entra compares issuer and subject with the federated credential."""
    job.thread.call(job.thread.azure.pipeline.registration.federated_credentials.clear)
    job.github.answers.append(Answer(body={"value": job.token}))
    with AzureClients(PUBLIC) as azure, pytest.raises(NotSignedIn, match="subject and audience"):
        azure.arm.get("/subscriptions")
