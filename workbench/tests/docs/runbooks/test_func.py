"""The runbooks' `func`: it refuses what Core Tools refuse, and packs what .funcignore allows."""

import copy
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_workbench.emulator.resource_manager.resource import JsonObject
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.publisher import APP, PACKAGE, SCM, Publisher
from tests.support.func.func import call_func
from tests.support.func.program import archive

STORAGE = {"AzureWebJobsStorage__accountName": "contoso"}


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    """A Function App, which a test changes and leaves as it was."""
    with AzureThread(tmp_path_factory.mktemp("azure")) as thread:
        yield Publisher(thread, thread.call(thread.azure.add_function_app, APP).site)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small app."""
    for name, text in PACKAGE.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("body", "settings", "reason"),
    [
        ({"kind": "functionapp"}, STORAGE, "only supported for Linux FunctionApps"),
        ({"properties": {"sku": "Dynamic"}}, STORAGE, "only publishing to Flex Consumption"),
        (
            {"properties": {"functionAppConfig": {"runtime": {"name": "node"}}}},
            STORAGE,
            "'FUNCTIONS_WORKER_RUNTIME' set to 'node'",
        ),
        ({}, {"BotTurns": "Inline"}, "is missing host storage configuration"),
        ({}, STORAGE | {"WEBSITE_RUN_FROM_PACKAGE": "1"}, "do not support"),
    ],
)
def test_an_app_is_refused(
    publisher: Publisher, project: Path, body: JsonObject, settings: dict[str, str], reason: str
) -> None:
    """Another system, plan or runtime, and wrong settings: nothing is uploaded."""
    site = publisher.site
    kept = copy.deepcopy(site.body), copy.deepcopy(site.hidden)
    site.properties.update(body.get("properties", {}))
    site.body.update({name: text for name, text in body.items() if name != "properties"})
    site.hidden["appSettings"] = settings
    try:
        done = call_func(publisher, "publish", APP, "--python", folder=project)
    finally:
        site.body, site.hidden = kept
    assert done.returncode == 1
    assert reason in done.stderr
    assert publisher.ask("GET", f"{SCM}/api/deployments").json() == []


def test_an_app_that_is_not_found(publisher: Publisher, project: Path) -> None:
    """Core Tools say so of an unknown name, and of any error while they look for it."""
    for words in (("nobody",), (APP, "--subscription", "11111111-1111-1111-1111-111111111111")):
        done = call_func(publisher, "publish", *words, folder=project)
        assert done.returncode == 1
        assert f'Can\'t find app with name "{words[0]}"' in done.stderr


def test_a_folder_without_host_json(publisher: Publisher, tmp_path: Path) -> None:
    """It is no project."""
    done = call_func(publisher, "publish", APP, folder=tmp_path)
    assert done.returncode == 1
    assert "Unable to find project root" in done.stderr


def test_a_deployment_that_fails(publisher: Publisher, project: Path) -> None:
    """Its log is shown, and the exit status is 1."""
    (project / ".funcignore").write_text("host.json\n")
    done = call_func(publisher, "publish", APP, "--no-build", folder=project)
    assert done.returncode == 1
    assert "Cannot find required host.json" in done.stdout
    assert "The deployment failed" in done.stderr


def test_what_is_packed(project: Path) -> None:
    """What .funcignore allows; what Core Tools never upload is left out without it, too."""
    (project / "local.settings.json").write_text("{}")
    (project / ".git").mkdir()
    (project / ".git" / "config").touch()
    assert set(zipfile.ZipFile(io.BytesIO(archive(project))).namelist()) == set(PACKAGE)
    (project / ".funcignore").write_text("/*\n!/host.json\n")
    assert zipfile.ZipFile(io.BytesIO(archive(project))).namelist() == ["host.json"]
