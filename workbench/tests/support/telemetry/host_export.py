"""Whether the Functions host exports the app's log lines: it asks Azure's own worker library.

Source: azure-functions-host 4.1037, OpenTelemetryConfigurationExtensions: in the telemetryMode
OpenTelemetry, the host leaves the lines of the category `Function.*` to a worker that announces
WorkerOpenTelemetryEnabled. In every other mode it exports them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from cloud_adapter.telemetry.export_settings import MODE_SETTING
from tests.support.project import ROOT

ASK = """
import asyncio, json, os, sys, tempfile
import azure_functions_runtime as runtime
from azure_functions_runtime.otel import otel_manager
from bot_workbench.emulator.functions.workers.protocol import PROPERTIES, Message

init = Message(capabilities={}, function_app_directory=tempfile.gettempdir() + "/none")
request = Message(request=Message(worker_init_request=init), properties=PROPERTIES)
found = []
for environ in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(environ)
    otel_manager.set_otel_libs_available(False)
    answer = asyncio.run(runtime.worker_init_request(request))
    found.append(answer.capabilities.get("WorkerOpenTelemetryEnabled") == "true")
print(json.dumps(found))
"""


def announcements(environs: Sequence[Mapping[str, str]]) -> list[bool]:
    """For each environment, whether the worker announces that the app exports its log lines."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps([dict(each) for each in environs]),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[bool] = json.loads(done.stdout)
    return found


def exports_log_lines(environ: Mapping[str, str]) -> bool:
    """Whether the host exports the app's log lines itself."""
    return environ.get(MODE_SETTING) != "OpenTelemetry" or announcements([environ]) == [False]
