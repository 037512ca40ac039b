"""SharedKey: what it signs is what the Azure SDKs sign, over generated requests on the wire."""

import base64
import random
import string
from typing import Any

import pytest
from aiohttp import web
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy as BlobPolicy
from azure.storage.queue._shared.authentication import SharedKeyCredentialPolicy as QueuePolicy

from auth.settings import StorageSource
from bot_workbench.emulator.server import Server
from cloud_adapter.storage.account import StorageAccount, StorageRequest
from http_client.pool import HttpPool

KEY = base64.b64encode(bytes(range(64))).decode()
POLICIES: dict[str, Any] = {"blob": BlobPolicy, "queue": QueuePolicy}
ROUNDS = 1500
"""Requests for each service and each form of its URL."""

UNRESERVED = string.ascii_letters + string.digits + "-_~"
ANYTHING = UNRESERVED + " %+&=#?:;,'\"!()[]{}|\\^`<>@*$é…😀"
METADATA = string.ascii_lowercase + string.digits
VALUES = string.ascii_letters + string.digits + "+/= ,;:\"'%"
PARAMETERS = ("comp", "restype", "prefix", "marker", "popreceipt", "messagettl", "include", "a-b")


def sdk_authorization(service: str, request: web.Request) -> Any:
    """What the SDK's client would send with a request."""
    names = {name: text for name, text in request.headers.items() if name != "Authorization"}
    signed = HttpRequest(request.method, f"http://{request.host}{request.raw_path}", headers=names)
    pipeline_request = PipelineRequest(signed, PipelineContext(None))
    POLICIES[service]("account1", KEY).on_request(pipeline_request)
    return signed.headers["Authorization"]


def random_request(rng: random.Random, service: str) -> StorageRequest:
    """A request with every part that may be encoded or signed."""

    def text(alphabet: str, most: int) -> str:
        return "".join(rng.choices(alphabet, k=rng.randint(1, most)))

    segments = [text(rng.choice([UNRESERVED, ANYTHING]), 20) for _ in range(rng.randint(1, 4))]
    query = {
        name: rng.choice(["", text(ANYTHING, 30)])
        for name in rng.sample(PARAMETERS, rng.randint(0, 4))
    }
    headers = {f"x-ms-meta-{text(METADATA, 6)}": text(VALUES, 9).strip() for _ in "12345"}
    for name in rng.sample(["if-match", "if-none-match", "x-ms-lease-id", "x-ms-range"], 2):
        headers[name] = rng.choice(['"0x8DC"', "*", "bytes=0-5"])
    headers["x-ms-blob-type"] = "BlockBlob"
    method = rng.choice(["GET", "PUT", "POST", "DELETE"])
    body = rng.randbytes(rng.choice([0, 0, 1, 300]))
    return StorageRequest(service, method, "/".join(segments), query, headers, body)


@pytest.mark.parametrize("service_name", ["blob", "queue"])
@pytest.mark.parametrize("base", ["", "/account1"])
async def test_generated_requests(pool: HttpPool, service_name: str, base: str) -> None:
    """Signature, path, query and headers arrive as they were meant, each encoded once."""
    rng = random.Random(f"{service_name}{base}")  # noqa: S311  # the same requests in each run
    received: list[tuple[str, dict[str, str], bytes]] = []

    async def checked(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == sdk_authorization(service_name, request)
        received.append((request.path, dict(request.query), await request.read()))
        return web.Response(headers={"x-ms-request-id": "1"})

    async with Server("storage", [web.route("*", "/{tail:.*}", checked)]) as server:
        url = f"{server.url}{base}"
        text = f"AccountName=account1;AccountKey={KEY};BlobEndpoint={url};QueueEndpoint={url}/"
        account = StorageAccount(StorageSource(text), pool, max_retry_pause=0)
        for _ in range(ROUNDS):
            request = random_request(rng, service_name)
            await account.call(request)
            assert received[-1] == (f"{base}/{request.path}", request.query, request.body)
