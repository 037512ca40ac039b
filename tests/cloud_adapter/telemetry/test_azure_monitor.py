"""What Application Insights gets, from whom, and how the app's spans look there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.telemetry.collector import Collector
from tests.support.telemetry.exporting_process import ExportingProcess
from tests.support.telemetry.ingestion import AUDIENCE, INSTRUMENTATION_KEY, Ingestion
from tests.support.timing.condition import until

pytestmark = pytest.mark.extended

REQUEST, DEPENDENCY, METRIC = "RequestData", "RemoteDependencyData", "MetricData"
"""Kinds of envelopes, which become AppRequests, AppDependencies and AppMetrics."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose identity endpoint knows the app's identity."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"))) as thread:
        yield thread.cloud


@pytest.fixture
def ingestion(cloud: Cloud) -> Iterator[Ingestion]:
    """Application Insights' endpoint."""
    with Ingestion(cloud.authority.server_context()) as receiver:
        yield receiver


@pytest.fixture
def settings(cloud: Cloud, ingestion: Ingestion) -> dict[str, str]:
    """The variables of an app that exports there with its identity."""
    trust = {"REQUESTS_CA_BUNDLE": str(cloud.authority.path)}
    identity = cloud.identity.settings()
    return {**ingestion.settings(cloud.registration.app_id), **identity, **trust}


def test_it_signs_in(
    cloud: Cloud, settings: dict[str, str], ingestion: Ingestion, tmp_path: Path
) -> None:
    """Each request has a token of the app's managed identity for Azure Monitor."""
    with ExportingProcess(settings, tmp_path / "log") as process:
        process.does("span first")
        process.does("turns 2")
        until(lambda: bool(ingestion.items(DEPENDENCY) and ingestion.items(METRIC)))
        assert {each["aud"] for each in ingestion.tokens} == {AUDIENCE}
        assert {each["appid"] for each in ingestion.tokens} == {cloud.registration.app_id}
        assert {each.path for each in ingestion.posted} == {"/v2.1/track"}
        assert ingestion.refused == 0
        assert process.logged == []
        metrics = {
            metric["name"]
            for item in ingestion.items(METRIC)
            for metric in item["data"]["baseData"]["metrics"]
        }
        assert metrics == {"agents.turn.count", "agents.turn.duration"}


def test_a_key_alone_is_refused(
    settings: dict[str, str], ingestion: Ingestion, tmp_path: Path
) -> None:
    """Without APPLICATIONINSIGHTS_AUTHENTICATION_STRING nothing arrives, and the log says so."""
    del settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    with ExportingProcess(settings, tmp_path / "log") as process:
        process.does("span first")
        until(lambda: bool(process.logged))
        assert ingestion.refused == len(ingestion.posted) > 0
        assert "Exporting telemetry" in process.logged[0]
        assert "token credential" in process.logged[0]


def test_how_spans_look(settings: dict[str, str], ingestion: Ingestion, tmp_path: Path) -> None:
    """SERVER and CONSUMER spans become requests, the others dependencies of the same operation."""
    site = {"WEBSITE_SITE_NAME": "my-bot-0815"}
    with ExportingProcess({**settings, **site}, tmp_path / "log") as process:
        process.does("span first SERVER")
        until(lambda: bool(ingestion.items(REQUEST)))
        until(lambda: bool(ingestion.items(DEPENDENCY)))
        [request], [dependency] = (
            ingestion.items(REQUEST),
            ingestion.items(DEPENDENCY),
        )
        assert request["data"]["baseData"]["name"] == "first"
        assert dependency["data"]["baseData"]["name"] == "first child"
        assert dependency["tags"]["ai.operation.parentId"] == request["data"]["baseData"]["id"]
        assert dependency["tags"]["ai.operation.id"] == request["tags"]["ai.operation.id"]
        assert request["tags"]["ai.cloud.role"] == "my-bot-0815"
        assert request["iKey"] == INSTRUMENTATION_KEY


def test_five_traces_a_second(
    settings: dict[str, str], ingestion: Ingestion, tmp_path: Path
) -> None:
    """Of many traces few are sent, each whole, with the number of traces that it stands for."""

    def extrapolated() -> bool:
        process.does("spans 20")
        return any(item.get("sampleRate", 100) < 100 for item in ingestion.items(DEPENDENCY))

    with ExportingProcess(settings, tmp_path / "log") as process:
        process.does("spans 500")
        until(extrapolated)
        process.kill()
    parents, children = (
        {item["tags"]["ai.operation.id"]: item.get("sampleRate") for item in found}
        for found in (named(ingestion, "many"), named(ingestion, "many child"))
    )
    assert parents == children
    assert len(parents) < 100


def named(ingestion: Ingestion, name: str) -> list[dict[str, Any]]:
    """The dependencies of this name."""
    found = ingestion.items(DEPENDENCY)
    return [item for item in found if item["data"]["baseData"]["name"] == name]


@pytest.mark.parametrize(
    "value",
    [
        "InstrumentationKey=not a GUID",
        "IngestionEndpoint=https://localhost:1/",
        "nonsense",
    ],
)
def test_a_wrong_connection_string(value: str, tmp_path: Path) -> None:
    """It costs one line of the log, no trace is taken, and the app works."""
    settings = {"APPLICATIONINSIGHTS_CONNECTION_STRING": value}
    with ExportingProcess(settings, tmp_path / "log") as process:
        process.does("span first")
        until(lambda: bool(process.logged))
        assert process.does("span second") == "sampled False"
        [line] = process.logged
        assert "Nothing is exported to Application Insights" in line


def test_a_wrong_connection_string_beside_a_collector(tmp_path: Path) -> None:
    """The collector gets all traces: there is no limit of Application Insights."""
    settings = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "nonsense"}
    with (
        Collector() as collector,
        ExportingProcess({**settings, **collector.settings}, tmp_path / "log") as process,
    ):
        process.does("span first")
        until(lambda: len(collector.spans) == 2)
        process.does("spans 100")
        until(lambda: len(collector.spans) == 202)


def test_nothing_calls_home(settings: dict[str, str], ingestion: Ingestion, tmp_path: Path) -> None:
    """The exporter connects to the configured endpoint and the identity's, and nowhere else."""
    with ExportingProcess(settings, tmp_path / "log") as process:
        process.does("span first")
        process.does("connections")
        until(lambda: bool(ingestion.items(DEPENDENCY)))
        hosts = process.does("connections").split()
        assert set(hosts) <= {"localhost", "127.0.0.1", "::1"}
        assert hosts


def test_both_destinations(settings: dict[str, str], ingestion: Ingestion, tmp_path: Path) -> None:
    """A collector can get the same spans as Application Insights."""
    with (
        Collector() as collector,
        ExportingProcess({**settings, **collector.settings}, tmp_path / "log") as process,
    ):
        process.does("span first")
        until(lambda: len(collector.spans) == len(ingestion.items(DEPENDENCY)) == 2)


def test_the_context_of_tls_is_checked(
    settings: dict[str, str], ingestion: Ingestion, tmp_path: Path
) -> None:
    """Nothing is sent to an endpoint whose certificate is not trusted."""
    del settings["REQUESTS_CA_BUNDLE"]
    with ExportingProcess(settings, tmp_path / "log") as process:
        process.does("span first")
        until(lambda: bool(process.logged))
        assert ingestion.posted == []
