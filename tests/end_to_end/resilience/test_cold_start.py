"""A bot that has just started: it is ready before the first caller, and signs in once for all."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from auth.credential_kinds import CERTIFICATE, FEDERATED, KINDS, MANAGED_IDENTITY, SIGN_IN_VAULT
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.certificates import private_key_pem
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from bot_workbench.emulator.server import Server
from tests.support.bots.app_folder import app_with, host_alone
from tests.support.bots.bot_process import APP, BotProcess
from tests.support.bots.user import User
from tests.support.extended import credentials
from tests.support.load.turn_load import TurnLoad, replies_at, reply_to
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

CALLERS = 50

LATENCY = 0.2
"""Seconds that each endpoint takes, so that all callers are there before its first answer."""

IDENTITY_PATH = "/msi/token"
TOKEN_PATH = "/oauth2/v2.0/token"
KEYS_PATH = "/v1/.well-known/keys"

VAULT_OPERATIONS: dict[str, dict[str, int]] = {
    MANAGED_IDENTITY: {},
    CERTIFICATE: {"secrets/list": 1, "secrets/get": 1},
    SIGN_IN_VAULT: {"certificates/list": 1, "certificates/get": 1, "keys/sign": 1},
    FEDERATED: {},
}
"""What the vault does for one sign-in, by credential."""

FAILURES = [
    (MANAGED_IDENTITY, "identity", IDENTITY_PATH, 2),
    (CERTIFICATE, "entra", TOKEN_PATH, 2),
    (CERTIFICATE, "identity", IDENTITY_PATH, 2),
    # Azure's SDK begins without a token, to learn from the 401 which one the vault wants.
    (SIGN_IN_VAULT, "vault", "/sign", 3),
    (FEDERATED, "entra", TOKEN_PATH, 2),
    (FEDERATED, "identity", IDENTITY_PATH, 2),
]
"""Credential, the part whose first answer to a path is 503, that path, and the requests for it."""

EARLY = credentials(
    "tests/auth/outbound/test_token_provider.py", "tests/end_to_end/security/test_sign_in.py"
)


def slow(cloud: Cloud) -> None:
    """Let every endpoint on the way to a token take its time."""
    for part in (cloud.entra, cloud.identity, cloud.vault, cloud.channel):
        part.server.faults.set(latency=LATENCY)


async def all_call(cloud: Cloud, endpoint: str) -> None:
    """As many turns at once: each is answered 200, and gets its reply once."""
    texts = [f"cold {number}" for number in range(CALLERS)]
    async with TurnLoad(cloud, endpoint) as load:
        await asyncio.gather(*map(load.deliver, texts))
    assert [turn.status for turn in load.turns] == [200] * CALLERS
    assert replies_at(cloud.connector) == Counter(map(reply_to, texts))
    assert all(call.verified for call in cloud.connector.calls)


def asked(server: Server, path: str) -> int:
    """Requests so far whose path ends like this."""
    return sum(count for name, count in server.requests.items() if name.endswith(path))


@pytest.mark.extended(
    covered_by=[
        "tests/auth/outbound/test_credentials.py",
        "tests/auth/inbound/test_signing_keys.py",
    ]
)
@pytest.mark.parametrize("credential", list(KINDS))
def test_one_sign_in_for_all(credential: str, tmp_path: Path, logs: Path) -> None:
    """Fifty cold callers cost one request for each token, and one fetch of the channel's keys."""
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        slow(cloud)
        with BotProcess(cloud.settings(), logs / f"cold {credential}.log") as bot:
            asyncio.run(all_call(cloud, bot.messages))
        assert asked(cloud.identity.server, IDENTITY_PATH) == 1
        assert asked(cloud.entra.server, TOKEN_PATH) == (credential != MANAGED_IDENTITY)
        assert cloud.vault.operations == VAULT_OPERATIONS[credential]
        assert asked(cloud.channel.server, KEYS_PATH) == 1


@pytest.mark.extended(
    covered_by=[
        "tests/auth/outbound/test_credentials.py",
        "tests/auth/outbound/test_token_retries.py",
    ]
)
@pytest.mark.parametrize(("credential", "part", "path", "requests"), FAILURES)
def test_a_failure_in_passing(
    credential: str, part: str, path: str, requests: int, tmp_path: Path, logs: Path
) -> None:
    """When the first attempt fails, one more is made, and all fifty are answered."""
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud = thread.cloud
        slow(cloud)
        server = cloud.servers[part]
        server.faults.set(latency=LATENCY, status=503, remaining=1, path=path)
        log = logs / f"cold {credential} {part}.log"
        with BotProcess(cloud.settings(), log) as bot:
            asyncio.run(all_call(cloud, bot.messages))
        assert server.faults.remaining == 0
        assert asked(server, path) == requests


@pytest.mark.parametrize("credential", EARLY)
def test_before_the_first_caller(credential: str, tmp_path: Path, logs: Path) -> None:
    """Keys and token are there before anybody calls; the first turn asks for nothing more."""
    with CloudThread(Cloud(tmp_path, credential)) as thread:
        cloud, log = thread.cloud, logs / f"early {credential}.log"
        way_to_token = (cloud.entra, cloud.identity, cloud.vault)
        with BotProcess(cloud.settings(), log) as bot:
            until(lambda: asked(cloud.channel.server, KEYS_PATH) == 1)
            issued = cloud.identity if credential == MANAGED_IDENTITY else cloud.entra
            path = IDENTITY_PATH if credential == MANAGED_IDENTITY else TOKEN_PATH
            until(lambda: asked(issued.server, path) == 1)
            before = [part.server.requests.total() for part in way_to_token]
            with closing(Caller(bot.url)) as caller:
                assert User(cloud, caller).says("hello") == 200
            assert [part.server.requests.total() for part in way_to_token] == before
        assert asked(cloud.channel.server, KEYS_PATH) == 1


@pytest.mark.extended(
    covered_by=[
        "tests/auth/outbound/test_token_provider.py",
        "tests/auth/inbound/test_fetch_limits.py",
    ]
)
def test_an_early_failure_is_forgotten(tmp_path: Path, logs: Path) -> None:
    """Early requests that fail leave the first caller no pause to wait out, and no failure."""
    with CloudThread(Cloud(tmp_path)) as thread:
        cloud, log = thread.cloud, logs / "early failure.log"
        cloud.identity.server.faults.set(status=400, remaining=1)
        cloud.channel.server.faults.set(status=503, remaining=2)
        with BotProcess(cloud.settings(), log) as bot:
            until(lambda: cloud.identity.server.faults.remaining == 0)
            until(lambda: cloud.channel.server.faults.remaining == 1)
            with closing(Caller(bot.url)) as caller:
                # A call without a token asks for nothing; it brings what the bot has noted so far.
                until(lambda: caller.deliver({}, None).status == 401 and both_failed(log))
                user = User(cloud, caller)
                # The keys' endpoint fails once more; the next caller tries at once all the same.
                assert user.says("hello") == 503
                assert user.says("hello") == 200
        assert asked(cloud.identity.server, IDENTITY_PATH) == 2
        said = log.read_text()
        assert said.count("No first token yet") == 1
        assert said.count("keys could not be fetched") == 2
        assert "exception was never retrieved" not in said


def both_failed(log: Path) -> bool:
    """Whether the bot has noticed that neither its token nor the keys came."""
    said = log.read_text()
    return "No first token yet" in said and "keys could not be fetched" in said


@pytest.mark.extended(covered_by=["tests/cloud_adapter/authentication/test_outbound.py"])
def test_nothing_to_ask_for(tmp_path: Path, logs: Path) -> None:
    """A bot without authentication asks for neither keys nor token."""
    with CloudThread(Cloud(tmp_path)) as thread:
        cloud = thread.cloud
        settings = cloud.settings() | {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true"}
        with (
            BotProcess(settings, logs / "early none.log") as bot,
            closing(Caller(bot.url)) as caller,
        ):
            assert User(cloud, caller).says("hello") == 200
        assert cloud.channel.server.requests.total() == 0
        assert cloud.identity.server.requests.total() == 0


@pytest.mark.extended(covered_by=["tests/end_to_end/turns/test_messages.py"])
def test_wrong_settings(tmp_path: Path, logs: Path) -> None:
    """Each call logs them, and nothing else is in the log."""
    with CloudThread(Cloud(tmp_path)) as thread:
        log = logs / "early settings.log"
        settings = thread.cloud.settings() | {"MicrosoftAppId": "mine"}
        with BotProcess(settings, log) as bot, closing(Caller(bot.url)) as caller:
            for path in ("/api/health", "/api/identity", "/api/health"):
                assert caller.send("GET", path, []).status == 503
        assert thread.cloud.channel.server.requests.total() == 0
    assert log.read_text().count("MicrosoftAppId: 'mine' is not a GUID") == 3
    assert "Traceback" not in log.read_text()


@pytest.mark.extended(covered_by=["workbench/tests/runs/bots/test_bot_folder.py"])
def test_a_bot_that_cannot_be_imported(tmp_path: Path, logs: Path) -> None:
    """The log of the first call has the traceback, once; turns and health are answered 503."""
    log = logs / "early import.log"
    broken = {
        "bot_logic/__init__.py": "from . import cards\n",
        "bot_logic/cards.py": "import a_package_that_nobody_has\n",
    }
    app = app_with(tmp_path / "app", broken)
    with CloudThread(Cloud(tmp_path)) as thread:
        settings = thread.cloud.settings() | host_alone(tmp_path / "host")
        with BotProcess(settings, log, app=app) as bot, closing(Caller(bot.url)) as caller:
            health = caller.send("GET", "/api/health", [])
            assert (health.status, health.headers["retry-after"]) == (503, "60")
            assert User(thread.cloud, caller).says("hello") == 503
            assert caller.send("GET", "/api/health", []).status == 503
        said = log.read_text()
    assert said.count("Traceback") == 1
    assert "bot_logic/cards.py" in said
    why = "the app cannot be put together; caused by ModuleNotFoundError: No module named 'a_pack"
    assert said.count(why) == 3


SDKS = ("azure.core", "azure.identity", "azure.keyvault", "botbuilder", "msrest", "aiohttp")

FILE = "CertificatePath"
NO_TURN_NEEDS = (
    "oauthlib.oauth2",
    "requests_oauthlib",
    "azure.storage",
    "aiohttp",
    "yarl",
    "botbuilder.dialogs",
    "botbuilder.core.inspection",
    "botbuilder.core.skills",
    "cloud_adapter.message_stream",
    "cloud_adapter.reply",
    "cloud_adapter.skills",
    "httpx2",
    "openai",
    "pydantic",
    "recognizers_text",
)

NOT_IMPORTED: dict[str, tuple[str, ...]] = {
    MANAGED_IDENTITY: (
        "azure.keyvault",
        "auth.outbound.entra",
        "auth.certificates.certificate",
    ),
    CERTIFICATE: ("azure.keyvault.keys", "azure.keyvault.certificates"),
    SIGN_IN_VAULT: ("azure.keyvault.secrets", "auth.certificates.private_key"),
    FEDERATED: ("azure.keyvault", "auth.certificates.versions"),
    FILE: ("azure.identity", "azure.keyvault"),
}
"""By credential: packages and modules that a first turn does not need, beside NO_TURN_NEEDS. If an
SDK's new version imports one of them, every cold start becomes slower."""

LIST_MODULES = """
import json
import sys


@app.route("modules")
async def modules(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(list(sys.modules)))
"""
"""One more function of the app: it returns the modules that the process has imported."""


def under(names: tuple[str, ...], modules: set[str]) -> set[str]:
    """The modules that are, or are in, one of these."""
    return {found for found in modules if any(f"{found}.".startswith(f"{name}.") for name in names)}


@pytest.mark.parametrize("credential", NOT_IMPORTED)
def test_a_first_turn_imports_its_own(credential: str, tmp_path: Path, logs: Path) -> None:
    """After its first turn a bot has imported what its way to sign in needs, and no more."""
    function_app = (APP / "function_app.py").read_text() + LIST_MODULES
    app = app_with(tmp_path / "app", {"function_app.py": function_app})
    with CloudThread(Cloud(tmp_path, CERTIFICATE if credential == FILE else credential)) as thread:
        settings = thread.cloud.settings() | host_alone(tmp_path / "host")
        if credential == FILE:
            settings |= {"CertificateVaultUrl": "", "CertificateName": ""}
            settings[FILE] = str(certificate_file(thread.cloud, tmp_path))
        log = logs / f"imports {credential}.log"
        with BotProcess(settings, log, app=app) as bot, closing(Caller(bot.url)) as caller:
            assert User(thread.cloud, caller).says("hello") == 200
            modules = set(caller.send("GET", "/api/modules", []).json())
    assert "bot_logic.bot" in modules
    assert not under((*NO_TURN_NEEDS, *NOT_IMPORTED[credential]), modules)


def certificate_file(cloud: Cloud, folder: Path) -> Path:
    """A PEM file with the bot's certificate and its private key."""
    version = cloud.vault.inventory.versions[CERTIFICATE_NAME][-1]
    public = version.certificate.public_bytes(Encoding.PEM)
    file = folder / "bot.pem"
    file.write_bytes(private_key_pem(version.private_key) + public)
    return file


def test_indexing_imports_no_sdk() -> None:
    """The host has its list of functions before anything heavy is imported."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, sys, function_app; print(json.dumps(list(sys.modules)))",
        ],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(APP)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not under(SDKS, set(json.loads(done.stdout)))
