"""A stand-in for `func start`, which runs the worker in the way that Core Tools do.

What was read, and is done here in the same way:

- azure-functions-core-tools, PythonHelpers.cs: it runs `python3 --version` and `python --version`
  in its own environment, then takes the first `python` on PATH.
- azure-functions-host, RpcWorkerProcess and RpcWorkerChannel: the worker's command is `python
  -X no_debug_ranges .../python/3.13/LINUX/X64/worker.py --host 127.0.0.1 --port N --workerId ID
  --requestId ID --grpcMaxMessageLength N`, in the app's folder, with the host's environment and
  AzureWebJobsScriptRoot; a change of a `.py` file below that folder ends it 300 ms later, and
  starts another one.
- azure-functions-python-worker, workers/python/proxyV4/worker.py and proxy_worker: see
  worker_program.py.

The real host talks gRPC to the worker, and answers HTTP itself. Here the worker answers HTTP.
"""

import argparse
import os
import subprocess
import time
import uuid
from pathlib import Path

WORKER = Path(__file__).with_name("worker_program.py")
DEBOUNCE_SECONDS = 0.3
EVERY = 0.05


def main() -> None:
    """Run workers until this program is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["start"])
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    app = Path.cwd()
    for python in ("python3", "python"):
        subprocess.run([python, "--version"], check=True, stdout=subprocess.DEVNULL)
        # Others of its programs run code.
        subprocess.run([python, "-c", "import platform"], check=True)
    worker = started(app, options.port)
    seen = changes(app)
    try:
        while True:
            time.sleep(EVERY)
            if changes(app) != seen:
                time.sleep(DEBOUNCE_SECONDS)  # a save may be several changes
                seen = changes(app)
                worker.kill()
                worker.wait()
                worker = started(app, options.port)
    finally:
        worker.kill()
        worker.wait()


def started(app: Path, port: int) -> subprocess.Popen[bytes]:
    """A worker's process. Its program lies in a folder of the layout that Core Tools have."""
    folder = Path(os.environ["STAND_IN_FOLDER"]) / "workers" / "python" / "3.13" / "LINUX" / "X64"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "worker.py"
    program.write_text(WORKER.read_text())
    command = ["python", "-X", "no_debug_ranges", str(program), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workerId", str(uuid.uuid4())]
    command += ["--requestId", str(uuid.uuid4()), "--grpcMaxMessageLength", "2147483647"]
    environ = {**os.environ, "AzureWebJobsScriptRoot": str(app)}
    return subprocess.Popen(command, cwd=app, env=environ)


def changes(app: Path) -> dict[str, int]:
    """When each `.py` file was changed."""
    found = {}
    for folder, _, names in os.walk(app, followlinks=True):
        for name in names:
            if name.endswith(".py"):
                path = Path(folder) / name
                found[str(path)] = path.stat().st_mtime_ns
    return found


if __name__ == "__main__":
    main()
