"""Measures what the largest responses cost a bot: peak memory, and the event loop's longest stall.

    .venv/bin/python -m tests.support.load.large_responses [ROW ...]

Each row is one call in a process of its own, which this program answers. docs/security.md has the
limits, and what it printed.
"""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import uvloop
from azure.core.pipeline.transport import AsyncHttpResponse
from azure.core.rest import HttpRequest
from botbuilder.schema import Activity, ConversationAccount

from auth.bot_framework import BotCredentials, BotCredentialsFactory
from auth.certificates.key_vault import CertificateVault, ExportedCertificate
from auth.errors import BotError
from auth.inbound.bearer_token import SigningKeys
from auth.outbound.azure_sdk import AzureSdkCredential, PoolTransport
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.msal_http import MsalHttp
from auth.outbound.token_provider import TokenProvider
from bot_workbench.emulator.loopback import LOOPBACK
from cloud_adapter.connector.client import (
    ConnectorClient,
    ConnectorSession,
    Service,
    UserTokenClient,
)
from cloud_adapter.connector.skills import SkillClient
from http_client.pool import HttpPool
from tests.support.load.stall_probe import Heartbeat

K, M = 1024, 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
MEMBER = (
    '{"id":"29:%065d","objectId":"%036d","aadObjectId":"%036d","tenantId":"%036d","role":"user",'
    '"name":"José 😀 Müller","givenName":"José","surname":"Müller","userRole":"user",'
    '"email":"jose.mueller.%d@contoso.com","userPrincipalName":"jose.mueller.%d@contoso.com"}'
).encode()
KEYS = b'{"jwks_uri":"http://127.0.0.1:PORT5","keys":['
TOKEN = b'{"access_token":"a","expires_in":"9","expires_on":"9999999999","resource":"x","x":['

Bytes = Iterable[bytes]


def body(items: Iterable[bytes], start: bytes = b"[", end: bytes = b"]", head: bytes = OK) -> Bytes:
    """A response with a list of items."""
    content = start + b",".join(items) + end
    return [head + b"Content-Length: %d\r\n\r\n" % len(content) + content]


def endless(start: bytes, piece: bytes) -> Bytes:
    """A response without an end."""
    return chain([start], repeat(piece * (64 * K // len(piece))))


def fill(size: int, item: bytes = b"{}") -> list[bytes]:
    """As many of an item as fit into a list of `size` bytes."""
    return [item] * ((size - K) // (len(item) + 1))


# The most that the check before parsing lets pass: items that take 800 bytes by its estimate.
COSTLY = [b'{"a":1}'] * 97_000
# Names that all differ: one in each object takes the most memory, all in one the most time.
NAMES = [b'"k%d":1' % number for number in range(356_000)]
NAMED = [b"{%b}" % name for name in NAMES[:96_000]]
IN_PAGE, IN_LIST = (b'{"members":[', b"]}"), (b'{"conversations":[', b"]}")
REFUSAL = b"HTTP/1.1 400 Bad Request\r\n"

ROWS: dict[str, tuple[str, Callable[[], Bytes]]] = {
    "a head without an end": ("document", lambda: endless(OK + b"A: ", b"a")),
    "interim responses": ("document", lambda: endless(b"", b"HTTP/1.1 103 X\r\nA: b\r\n\r\n")),
    "trailers without an end": ("document", lambda: endless(CHUNKED + b"0\r\n", b"A: b\r\n")),
    "a chunk's extension": ("document", lambda: endless(CHUNKED + b"1;", b"a")),
    "sent": ("sent", lambda: body(COSTLY, b'{"id":"1","x":[', b"]}")),
    "Entra": ("Entra", lambda: body(fill(M), TOKEN, b"]}")),
    "token service": ("token service", lambda: body(COSTLY)),
    "signing keys": ("keys", lambda: body(fill(M), KEYS, b"]}")),
    "identity's endpoint": ("identity", lambda: body(fill(M), TOKEN, b"]}")),
    "vault": ("vault", lambda: body(fill(M, b'{"attributes":{}}'), b'{"value":[', b"]}")),
    "10,000 members": (
        "page",
        lambda: body([MEMBER % ((n,) * 6) for n in range(10_000)], *IN_PAGE),
    ),
    "members": ("members", lambda: body(NAMED)),
    "members in pages": ("page", lambda: body(NAMED, *IN_PAGE)),
    "members, names": ("members", lambda: body(NAMES, b"[{", b"}]")),
    "members in pages, names": ("page", lambda: body(NAMES, b'{"members":[{', b"}]}")),
    "members, 16 MB of {}": ("members", lambda: body(fill(16 * M))),
    "members, 60 MB of {}": ("members", lambda: body(fill(60 * M))),
    "members, an error of 16 MB": ("members", lambda: body(fill(16 * M), head=REFUSAL)),
    "conversations": ("conversations", lambda: body([b'{"members":[{}]}'] * 39_000, *IN_LIST)),
    "conversations, names": ("conversations", lambda: body(NAMES, b'{"conversations":[{', b"}]}")),
    "a skill's answer, names": ("skill", lambda: body(NAMES, b"{", b"}")),
    "a skill's answer": ("skill", lambda: body(fill(16 * M, b"1" * 1000))),
    "an attachment": ("attachment", lambda: body(fill(64 * M))),
}


class WithoutTls(PoolTransport):
    """Sends in the clear what the SDK sends with TLS only."""

    async def send(self, request: HttpRequest, **_: Any) -> AsyncHttpResponse:
        """Send a request, and return the response."""
        request.url = f"http{request.url[5:]}"
        return await super().send(request)


def calls(pool: HttpPool, url: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    """The calls by name."""
    session, no_token = ConnectorSession(pool), BotCredentials("", None, "x")
    client = ConnectorClient(session, Service(url, no_token, 0.0))
    users = UserTokenClient(session, Service(url, no_token, 0.0))
    identity = ManagedIdentityCredential("", "x", PoolTransport(pool))
    sdk_credential = AzureSdkCredential(TokenProvider(identity))
    vault = CertificateVault(f"https{url[4:]}", "bot", sdk_credential, WithoutTls(pool))
    skill = SkillClient(pool, BotCredentialsFactory("", None), "x", loopback=True)
    activity = Activity(type="message", conversation=ConversationAccount(id="c"))
    msal = MsalHttp(pool, asyncio.get_running_loop())

    async def attachment() -> Any:
        return [part async for part in await client.attachments.get_attachment("a", "original")]

    return {
        "document": lambda: pool.get_document(url),
        "sent": lambda: client.conversations.send_to_conversation("c", activity),
        "Entra": lambda: asyncio.to_thread(lambda: json.loads(msal.post(url).text)),  # as MSAL does
        "token service": lambda: users.get_token_status("u", "c", None),
        "keys": lambda: SigningKeys(url, pool.get_document).find("1"),
        "identity": lambda: identity.request_token("x"),
        "vault": ExportedCertificate(vault).versions,
        "members": lambda: client.conversations.get_conversation_members("c"),
        "page": lambda: client.conversations.get_teams_conversation_paged_members("c"),
        "conversations": client.conversations.get_conversations,
        "skill": lambda: skill.post_activity("", "s", url, url, "c", activity),
        "attachment": attachment,
    }


async def measure(name: str, url: str) -> str:
    """The cost of one call for this process."""
    pool, heart = HttpPool(), Heartbeat()
    beating = asyncio.create_task(heart.beat())
    call = calls(pool, url)[name]
    await asyncio.gather(pool.request("GET", f"{url}/small"), return_exceptions=True)  # warm-up
    before, heart.worst = peak_memory(), 0.0
    outcome: object = "read"
    try:
        await call()
    except (BotError, OSError) as error:
        outcome = error
    await asyncio.sleep(0.01)
    beating.cancel()
    cost = f"{(peak_memory() - before) / 1024:6.1f} MB, {1e3 * heart.worst:5.0f} ms"
    return f"{cost}, {outcome}"


def peak_memory() -> int:
    """The most memory that this process has had, in KB (Linux)."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def serve(listener: socket.socket, pieces: Bytes) -> None:
    """Answer each request with the pieces, one connection after the other."""
    while True:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(ConnectionError):
            while request := peer.recv(M):
                small = b" /small " in request
                for piece in [OK + b"Content-Length: 0\r\n\r\n"] if small else pieces:
                    peer.sendall(piece)


def main(names: list[str]) -> None:
    """Measure rows, and print a line for each."""
    for name in names or ROWS:
        call, pieces = ROWS[name]
        with socket.create_server((LOOPBACK, 0)) as listener:
            port = listener.getsockname()[1]
            url, answer = f"http://{LOOPBACK}:{port}", pieces()
            if isinstance(answer, list):
                answer = [piece.replace(b"PORT5", b"%05d" % port) for piece in answer]
            threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
            program = [sys.executable, "-m", "tests.support.load.large_responses", "--", call, url]
            environ = os.environ | {"IDENTITY_ENDPOINT": url, "IDENTITY_HEADER": "x"}
            found = subprocess.check_output(program, text=True, env=environ)
            print(f"{name:27}{found[:100].strip()}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--"]:
        print(uvloop.run(measure(*sys.argv[2:])))
    else:
        main(sys.argv[1:])
