"""The package of an app whose bot adds the telemetry packages."""

import sysconfig
from contextlib import closing
from importlib.metadata import distributions
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.app_folder import BOT
from bot_workbench.commands import package
from bot_workbench.commands.imports import SITE_PACKAGES
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.loopback import SHORT_LOOPBACK
from tests.maintenance.test_constraints import pins
from tests.runs.package.test_package import AZURE, NO_SITE_PACKAGES, WORKER_PACKAGES
from tests.support.bots.app_folder import host_alone, uploaded_app
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.telemetry.collector import Collector
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended


def test_one_line_switches_telemetry_on(tmp_path: Path, logs: Path) -> None:
    """With that line, the package alone exports a turn, from versions that are all pinned."""
    source = uploaded_app(tmp_path / "source")
    (source / BOT / "requirements.txt").write_text("-r ../requirements-telemetry.txt\n")
    package.build(source, tmp_path / "package")
    installed = {
        f"{each.name}=={each.version}".lower().replace("_", "-")
        for each in distributions(path=[str(tmp_path / "package" / SITE_PACKAGES)])
    }
    wanted = {*pins("requirements.txt"), *pins("requirements-telemetry.txt")}
    assert installed == wanted | set(pins("constraints.txt"))

    site = Path(sysconfig.get_path("platlib"))
    host = host_alone(tmp_path / "host", {name: site / name for name in WORKER_PACKAGES})
    options = ("--specialize", "--read-only")
    with CloudThread(Cloud(tmp_path)) as thread, Collector() as collector:
        settings = thread.cloud.settings() | AZURE | host | collector.settings
        log = logs / "telemetry package.log"
        with (
            BotProcess(settings, log, tmp_path / "package", options, NO_SITE_PACKAGES) as process,
            closing(Caller(process.url)) as caller,
        ):
            user = User(thread.cloud, caller, host=SHORT_LOOPBACK)
            assert user.says("hello") == 200
            until(lambda: any(span.name == "agents.adapter.process" for span in collector.spans))
            assert collector.resource["service.name"] == AZURE["WEBSITE_SITE_NAME"]
    assert process.returncode == 0, "something was written into the package"
