"""The account in memory as a process: `python -m benchmarks.state.storage.in_memory`."""

import argparse

import uvloop

from benchmarks.state.storage.in_memory.blob_service import BlobService
from benchmarks.state.storage.in_memory.queue_service import QueueService
from benchmarks.state.storage.in_memory.server import serve
from bot_workbench.commands.shutdown import until_asked_to_stop


async def _serve(blob_port: int, queue_port: int) -> None:
    servers = [
        await serve(BlobService().handle, blob_port),
        await serve(QueueService().handle, queue_port),
    ]
    await until_asked_to_stop()
    for server in servers:
        server.close()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="A storage account in memory.")
    parser.add_argument("--blob-port", type=int, required=True)
    parser.add_argument("--queue-port", type=int, required=True)
    options = parser.parse_args()
    uvloop.run(_serve(options.blob_port, options.queue_port))


if __name__ == "__main__":
    main()
