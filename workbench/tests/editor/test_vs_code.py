"""What VS Code and devcontainers find in the repository: it starts what there is."""

import importlib.util
import json
import re
import shlex
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot_workbench.command_line import imported, with_options
from bot_workbench.commands.options import BOT_PORT, CHAT_PORT, DEBUG_PORT
from bot_workbench.funcignore import FuncIgnore
from maintenance.targets import TABLE
from tests.support.project import ROOT

DEVCONTAINER_KEYS = {
    "customizations",
    "features",
    "forwardPorts",
    "image",
    "name",
    "otherPortsAttributes",
    "portsAttributes",
    "postCreateCommand",
}
"""Of containers.dev's schema, those that the file uses."""


def read(name: str) -> Any:
    """A file of the repository; strict JSON, without comments."""
    return json.loads((ROOT / name).read_text("utf-8"))


LAUNCH = {each["name"]: each for each in read(".vscode/launch.json")["configurations"]}
TASKS = {each["label"]: each for each in read(".vscode/tasks.json")["tasks"]}
CONTAINER = read(".devcontainer/devcontainer.json")


@pytest.mark.parametrize("name", LAUNCH)
def test_each_configuration_starts_what_there_is(name: str) -> None:
    """Modules can be run, tasks exist, and the debugger connects to the port of `make run`."""
    configuration = LAUNCH[name]
    assert configuration["type"] == "debugpy"
    for task in ("preLaunchTask", "postDebugTask"):
        assert configuration.get(task, "stop") in TASKS
    if configuration["request"] == "launch":
        assert importlib.util.find_spec(configuration["module"])
        return
    port = DEBUG_PORT + 1 if "skill" in name else DEBUG_PORT
    assert configuration["connect"] == {"host": "127.0.0.1", "port": port}


def test_a_pair_has_a_debugger_each() -> None:
    """The compound attaches to both, at ports of their own."""
    [compound] = read(".vscode/launch.json")["compounds"]
    ports = {LAUNCH[name]["connect"]["port"] for name in compound["configurations"]}
    assert len(ports) == 2
    assert compound["preLaunchTask"] in TASKS


def test_the_editor_sees_when_it_can_attach() -> None:
    """The line that a task waits for is the one that the run prints."""
    patterns = {
        name: task["problemMatcher"]["background"]["endsPattern"]
        for name, task in TASKS.items()
        if task.get("isBackground")
    }
    assert re.search(patterns["run for the debugger"], "Waiting for a debugger at port 5678 ...")
    assert re.search(patterns["run the pair for the debugger"], "Chat:      http://localhost:3979/")
    assert read(".vscode/tasks.json")["inputs"][0]["args"] in TASKS


@pytest.mark.parametrize("name", TASKS)
def test_each_task_is_a_command(name: str) -> None:
    """On Windows it is `py`, which finds the Python that is installed."""
    task = TASKS[name]
    if name in {"stop", "deploy"}:
        return
    script, target, *words = task["args"]
    assert (task["command"], task["windows"]["command"], script) == ("python3", "py", "run.py")
    command = imported(target, TABLE)
    command.make_context(target, [*with_options(command, words)])


@pytest.mark.parametrize(
    ("file", "key", "ours"), [("launch", "configurations", LAUNCH), ("tasks", "tasks", TASKS)]
)
def test_an_author_has_the_same(file: str, key: str, ours: dict[str, Any]) -> None:
    """All but what is for the pair of a bot and its skill, which is one of the examples."""
    theirs = read(f"workbench/author/.vscode/{file}.json")
    assert theirs[key] == [each for name, each in ours.items() if not re.search("skill|pair", name)]


def test_the_code_is_deployed_as_azd_does() -> None:
    """VS Code's own button lets Azure build the code, which nothing has checked then."""
    task = TASKS["deploy"]
    azure = YAML(typ="safe").load((ROOT / "azure.yaml").read_text("utf-8"))
    assert [task["command"], *task["args"]] == ["azd", "deploy", *azure["services"]]


def test_the_devcontainer_sets_everything_up() -> None:
    """Its Python is new enough; its ports are those of `make run`; its commands exist."""
    assert CONTAINER.keys() == DEVCONTAINER_KEYS
    assert CONTAINER["image"].endswith(":3.13")
    assert any("/node:" in feature for feature in CONTAINER["features"])
    for command in CONTAINER["postCreateCommand"].split("&&"):
        _, script, target = shlex.split(command)
        assert script == "run.py"
        assert target in TABLE
    assert CONTAINER["forwardPorts"] == [CHAT_PORT, BOT_PORT]
    assert CONTAINER["portsAttributes"].keys() == {str(each) for each in CONTAINER["forwardPorts"]}


def test_the_extensions_are_the_same_everywhere() -> None:
    """A machine and a container have the same ones."""
    recommended = read(".vscode/extensions.json")["recommendations"]
    assert CONTAINER["customizations"]["vscode"]["extensions"] == recommended


def test_nothing_of_it_is_deployed() -> None:
    """No file of an editor or a container is uploaded, nor run.py."""
    deployed = FuncIgnore((ROOT / ".funcignore").read_text("utf-8"))
    files = [*ROOT.glob(".vscode/*"), *ROOT.glob(".devcontainer/*"), ROOT / "run.py"]
    assert len(files) > 5
    assert not [each for each in files if deployed.accepts(each.relative_to(ROOT).as_posix())]
