"""What the host makes of local.settings.json and host.json."""

import sys
from pathlib import Path

import pytest

from bot_workbench.emulator.functions import configuration
from bot_workbench.emulator.functions.configuration import HostConfiguration, apply_settings
from bot_workbench.emulator.functions.errors import HostError


def test_settings_are_added_to_the_environment(tmp_path: Path) -> None:
    """The environment's values win; texts stay texts, others become JSON; CONTAINER_NAME goes."""
    values = '{"Text": "file", "Both": "file", "Number": 3, "CONTAINER_NAME": "file"}'
    (tmp_path / "local.settings.json").write_text(f'{{"IsEncrypted": false, "Values": {values}}}')
    environ = {"Both": "environment"}
    apply_settings(tmp_path, environ)
    assert environ == {
        "Text": "file",
        "Both": "environment",
        "Number": "3",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    }


def test_environment_of_the_app_is_not_replaced(tmp_path: Path) -> None:
    """AZURE_FUNCTIONS_ENVIRONMENT is only set if it has no value."""
    environ = {"AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}
    apply_settings(tmp_path, environ)
    assert environ == {"AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}


def test_encrypted_settings_are_refused(tmp_path: Path) -> None:
    """Encrypted settings are of no use as values: the error names the command that decrypts."""
    (tmp_path / "local.settings.json").write_text('{"IsEncrypted": true, "Values": {"A": "x"}}')
    environ: dict[str, str] = {}
    with pytest.raises(HostError, match="func settings decrypt"):
        apply_settings(tmp_path, environ)
    assert environ == {}


@pytest.mark.parametrize(
    ("content", "prefix"),
    [
        (None, "api"),
        ('{"version": "2.0"}', "api"),
        ('{"extensions": {"http": {"routePrefix": ""}}}', ""),
        ('\ufeff{"extensions": {"http": {"routePrefix": "v1"}}}', "v1"),
    ],
)
def test_route_prefix_is_host_jsons(tmp_path: Path, content: str | None, prefix: str) -> None:
    """The prefix is `api` unless host.json has another one."""
    if content is not None:
        (tmp_path / "host.json").write_text(content, "utf-8")
    assert HostConfiguration.read(tmp_path, {}).route_prefix == prefix


def test_queues_are_host_jsons(tmp_path: Path) -> None:
    """The section for queues is read."""
    (tmp_path / "host.json").write_text('{"extensions": {"queues": {"batchSize": 7}}}')
    assert HostConfiguration.read(tmp_path, {}).queues.batch_size == 7


def test_settings_override_host_json(tmp_path: Path) -> None:
    """A setting whose name is a path in host.json wins, whatever the case of its name."""
    (tmp_path / "host.json").write_text('{"extensions": {"queues": {"batchSize": 7}}}')
    environ = {
        "AzureFunctionsJobHost__extensions__queues__BATCHSIZE": "9",
        "azurefunctionsjobhost__extensions__queues__maxPollingInterval": "00:00:30",
        "AzureFunctionsJobHost__extensions__http__routePrefix": "v1",
        "AzureFunctionsJobHost": "unrelated",
        "Other__extensions__queues__batchSize": "11",
    }
    configuration = HostConfiguration.read(tmp_path, environ)
    assert configuration.route_prefix == "v1"
    assert configuration.queues.batch_size == 9
    assert configuration.queues.max_polling_interval == 30.0


@pytest.mark.parametrize(
    ("content", "environ", "seconds"),
    [
        ("{}", {}, 1800.0),
        ('{"functionTimeout": "00:10:00"}', {}, 600.0),
        ('{"functionTimeout": "-1"}', {}, None),
        ("{}", {"AzureFunctionsJobHost__functionTimeout": "-1"}, None),
        (
            '{"functionTimeout": "00:10:00"}',
            {"AzureFunctionsJobHost__functionTimeout": "01:00:01"},
            3601.0,
        ),
    ],
)
def test_function_timeout(
    tmp_path: Path, content: str, environ: dict[str, str], seconds: float | None
) -> None:
    """It is half an hour, as on Flex Consumption, unless host.json or a setting says otherwise."""
    (tmp_path / "host.json").write_text(content)
    assert HostConfiguration.read(tmp_path, environ).function_timeout == seconds


@pytest.mark.parametrize("value", ['"10"', '"00:00:00"', "600", '"ten minutes"'])
def test_invalid_function_timeout(tmp_path: Path, value: str) -> None:
    """A value that is no time span is named."""
    (tmp_path / "host.json").write_text(f'{{"functionTimeout": {value}}}')
    with pytest.raises(HostError, match="functionTimeout is "):
        HostConfiguration.read(tmp_path, {})


def test_broken_host_json_is_named(tmp_path: Path) -> None:
    """A file that is not JSON is named."""
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(HostError, match=r"host\.json is not JSON"):
        HostConfiguration.read(tmp_path, {})


@pytest.mark.parametrize(("files", "stays"), [(["pyproject.toml"], False), ([], True)])
def test_installed_packages_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], stays: bool
) -> None:
    """The project's folder leaves the import path; the folder of an installed wheel does not."""
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.setattr(configuration, "WORKBENCH", tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(Path.cwd()), *sys.path])
    configuration.hide_project()
    assert (str(tmp_path) in sys.path) is stays
    assert str(Path.cwd()) not in sys.path
