"""`deployment prove` waits for the package that was sent: azd's success alone proves nothing."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import SITES as SITES_NAME
from tests.admin.deployment.conftest import Run
from tests.support.azd.deployment_stage import SITES, DeploymentStage
from tests.support.light_sites.light_site import LightSite

OLD, NEW = "0a" * 32, "1b" * 32
TITLE = "Package that answers"


def code(stage: DeploymentStage) -> LightSite:
    """What answers in place of the app."""
    found = stage.thread.azure.sites.code(stage.one(SITES).name)
    assert isinstance(found, LightSite)
    return found


def pack(package: Path, digest: str) -> None:
    """Write the zip of a package."""
    with ZipFile(package, "w") as file:
        file.writestr("function_app.py", "")
        file.writestr("package.sha256", f"{digest}\n")


def test_the_package_that_was_sent_answers(
    deployed: DeploymentStage, run: Run, package: Path
) -> None:
    """Also if its code has not changed: it is proved at once."""
    pack(package, NEW)
    code(deployed).package = NEW
    ended = run("prove", "--azd", "--json")
    assert ended.status == 0
    assert ended.json["steps"][0]["title"] == TITLE
    assert NEW[:12] in str(ended.json["steps"][0]["found"])


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (OLD, f"package {OLD[:12]} answers"),
        ("built in Azure", "code that was built in Azure answers"),
        ("", "code without a package's hash answers"),
    ],
)
def test_a_lost_publish_is_not_proved(
    deployed: DeploymentStage, run: Run, package: Path, answers: str, text: str
) -> None:
    """azd has reported success, and the old code is healthy."""
    pack(package, NEW)
    code(deployed).package = answers
    ended = run("prove", "--azd", "--timeout", "60")
    assert ended.status == 1
    assert f"{text}, but package {NEW[:12]} was sent" in ended.output
    assert "run `azd deploy`" in ended.output


def test_a_new_package_is_waited_for(deployed: DeploymentStage, run: Run, package: Path) -> None:
    """The app may not answer at first, and the old code may answer for a while."""
    pack(package, NEW)
    site, left = code(deployed), [(503, OLD), (200, OLD), (200, NEW)]

    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/api/identity" and left:
            status, site.package = left.pop(0)
            if status != 200:
                return web.Response(status=status)
        return await handler(request)

    deployed.thread.azure.servers[SITES_NAME].around = around
    assert run("prove", "--azd").status == 0
    assert left == []


@pytest.mark.parametrize(
    ("status", "text"), [(404, "deploy this project's code to it"), (503, "its log says why")]
)
def test_an_app_that_does_not_answer_is_explained(
    deployed: DeploymentStage, run: Run, package: Path, status: int, text: str
) -> None:
    """The first publish was lost, or the code cannot sign in."""
    pack(package, NEW)
    deployed.thread.azure.servers[SITES_NAME].faults.set(path="/api/identity", status=status)
    ended = run("prove", "--azd", "--timeout", "60")
    assert ended.status == 1
    assert "does not say yet which package answers" in ended.output
    assert text in ended.output


@pytest.mark.usefixtures("deployed")
def test_without_a_hash_nothing_is_compared(run: Run, package: Path) -> None:
    """Which the command says, and proves the rest."""
    ended = run("prove", "--azd")
    assert ended.status == 0
    assert f"not compared with what was sent: {package} is missing" in ended.output
    with ZipFile(package, "w") as file:
        file.writestr("function_app.py", "")
    ended = run("prove", "--azd")
    assert ended.status == 0
    assert "has no package.sha256" in ended.output


def test_without_azd_the_command_line_names_the_package(
    deployed: DeploymentStage, run: Run, package: Path, tmp_path: Path
) -> None:
    """And azd's file is not looked at: nothing says that it was sent."""
    pack(package, OLD)
    code(deployed).package = NEW
    assert TITLE not in run("prove").output
    other = tmp_path / "other.zip"
    pack(other, NEW)
    assert run("prove", "--package", str(other)).status == 0
    ended = run("prove", "--package", str(package), "--timeout", "60")
    assert ended.status == 1
    assert f"publish {package} again" in ended.output
    assert f"--package {package}" in ended.output  # the line that goes on


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is missing"),
        (b"no zip", "cannot be read"),
        ({"function_app.py": ""}, "has no package.sha256"),
        ({"package.sha256": "latest"}, "is not a SHA-256 hash"),
    ],
)
@pytest.mark.usefixtures("deployed")
def test_a_named_package_must_have_a_hash(
    run: Run, package: Path, content: dict[str, str] | bytes | None, reason: str
) -> None:
    """What was asked for cannot be compared, with or without azd."""
    if isinstance(content, bytes):
        package.write_bytes(content)
    elif content is not None:
        with ZipFile(package, "w") as file:
            for name, text in content.items():
                file.writestr(name, text)
    for words in ((), ("--azd",)):
        ended = run("prove", *words, "--package", str(package))
        assert ended.status == 1
        assert reason in ended.output + ended.errors
        assert "as `make package` has built it" in ended.output + ended.errors


def test_the_dry_run_waits_for_the_hash(deployed: DeploymentStage, run: Run, package: Path) -> None:
    """Its script asks the app until it answers with the hash."""
    pack(package, NEW)
    code(deployed).package = OLD
    ended = run("prove", "--azd", "--dry-run")
    assert ended.status == 0
    assert f"grep {NEW}" in ended.output


def test_what_its_build_had_to_say_is_shown(
    deployed: DeploymentStage, run: Run, package: Path
) -> None:
    """azd does not show it; of another build than the zip's it is not said."""
    pack(package, NEW)
    code(deployed).package = NEW
    notes = package.with_suffix(".notes")
    notes.write_text(f"{NEW}\nbot_logic/venv is not in the package.\n", "utf-8")
    assert "bot_logic/venv is not in the package." in run("prove", "--azd").output
    notes.write_text(f"{OLD}\nbot_logic/venv is not in the package.\n", "utf-8")
    assert "bot_logic/venv" not in run("prove", "--azd").output
