"""No token, key or secret is in the feed's lines, wherever it stands."""

import json

import pytest

from bot_workbench.emulator.feed.secrecy import Secrecy
from bot_workbench.emulator.feed.secret_forms import HIDDEN

WORD = "unmistakable"
"""Part of each secret."""

JWT = f"eyJhbGciOiJSUzI1NiJ9.eyJ{WORD}.{WORD}-{WORD}"
ACCOUNT_KEY = f"{WORD}+/AbC=="

TEXTS = {
    "a token": f"before {JWT} after",
    "a header": f"Authorization: Bearer {WORD}.~+/0==",
    "a shared key": f"SharedKey account:{WORD}/+=",
    "a connection string": f"AccountName=a;AccountKey={ACCOUNT_KEY};EndpointSuffix=x",
    "an account key in a sentence": f"connected with AccountKey={WORD}/+ now",
    "a signature": f"https://a.example/c?sv=1&sig={WORD}%3D&se=2",
    "a connection string with a signature": f"SharedAccessSignature=sv=1&sig={WORD};BlobEndpoint=x",
    "a function key": f"https://a.example/api/identity?code={WORD}==",
    "a private key": f"-----BEGIN RSA PRIVATE KEY-----\n{WORD}\n-----END RSA PRIVATE KEY-----\n",
    "a setting": f"the value is setting-{WORD}-value",
    "a setting with colons": f"the value is a:colons-{WORD}:b",
    "a part of a setting with colons": f"the value is colons-{WORD}",
    "a part of a connection string": f"the value is bus-{WORD}=",
    "a password in a setting's URL": f"the value is database-{WORD}",
    "a key of an AI service": f"Incorrect key: sk-proj-{WORD}-0123456789.",
    "an encrypted token": f"eyJhbGciOiJkaXIifQ..{WORD}.{WORD}.{WORD}",
    "a token that was cut": f"eyJhbGciOiJkaXIifQ.eyJ{WORD}",
    "a token on a line of its own": f"sent\nBearer {WORD}",
    "a basic authorization": f"Authorization: Basic {WORD}==",
    "a bus's connection string": f"SharedAccessKeyName=Root;SharedAccessKey={WORD}=",
    "a database's connection string": f"Server=tcp:x;User ID=me;Password={WORD};Encrypt=true",
    "a cache's connection string": f"x.example:6380,password={WORD},ssl=True",
    "a password in a URL": f"https://me:{WORD}@api.example/x",
    "a signature in JSON of .NET": f"https://a.example/c?sv=1\\u0026sig={WORD}",
    "a signature in a URL in a URL": f"https://a.example/?to=https%3A%2F%2Fb%3Fsig%3D{WORD}%253D",
    "a function key in JSON of .NET": f"https://a.example/api?a=1\\u0026code={WORD}",
    "a key in a query": f"Max retries exceeded with url: /v1?api_key={WORD}&q=1",
    "another key in a query": f"GET https://maps.example/?q=1&key={WORD}",
    "a form": f"grant_type=client_credentials&client_secret={WORD}&scope=x",
    "a form's start": f"client_assertion={WORD}&scope=x",
    "a pair in a log line": f"level=info client_secret={WORD}1 user=x",
    "a cookie": f"Set-Cookie: session={WORD}; Path=/; HttpOnly",
    "cookies": f"Cookie: a=1; session={WORD}",
    "a header with a key": f"Ocp-Apim-Subscription-Key: {WORD}",
    "headers of Python": repr({"x-api-key": WORD, "Accept": "*/*"}),
    "headers of aiohttp": f"<CIMultiDictProxy('Set-Cookie': 'a={WORD}; Path=/', 'Server': 'x')>",
    "an authorization of Python": repr({"Authorization": f"Basic {WORD}="}),
    "bytes of Python": repr({"password": WORD.encode()}),
    "an argument of Python": f"login(user='me', password='{WORD}')",
    "JSON": json.dumps({"access_token": f"x{WORD}", "expires_in": 5}),
    "JSON in JSON": json.dumps({"body": json.dumps({"refresh_token": f"x{WORD}"})}),
    "a private key in JSON": json.dumps({"k": f"-----BEGIN PRIVATE KEY-----\n{WORD}/+\n"}),
    "a private key of SSH": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{WORD}\n",
    "a private key of PGP": f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{WORD}\n=AbCd\n",
}
"""Texts with a secret: what is around it stays."""

NAMES = (
    "token",
    "access_token",
    "accessToken",
    "refresh_token",
    "id_token",
    "client_assertion",
    "clientSecret",
    "client_secret",
    "password",
    "Authorization",
    "Cookie",
    "x-functions-key",
    "x-ms-token-aad-id-token",
    "accountKey",
    "account_key",
    "private_key",
    "connectionString",
    "signature",
    "sig",
    "secretText",
    "code_verifier",
    "x-api-key",
    "Ocp-Apim-Subscription-Key",
    "sharedAccessKey",
    "secret_access_key",
    "Set-Cookie",
    "pwd",
    "jwt",
    "tokens",
)
"""Names in JSON whose values are secrets."""

SETTINGS = {
    "SOME_API_KEY": f"setting-{WORD}-value",
    "COLONS_SECRET": f"a:colons-{WORD}:b",
    "BUS": f"Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=bus-{WORD}=",
    "DATABASE": f"postgres://me:database-{WORD}@db.example/x",
    "OAuthUrl": "https://token.example",
    "TOKEN_SERVICE": "https://login.example/x",
    "KEY_FILE": "/etc/keys/file",
    "SHORT_TOKEN": "word",
}
"""None of the secrets is the word alone, which would hide it wherever it stands."""


@pytest.fixture
def secrecy() -> Secrecy:
    """Of a process with a secret among its settings."""
    return Secrecy(SETTINGS)


@pytest.mark.parametrize("name", TEXTS)
def test_texts(secrecy: Secrecy, name: str) -> None:
    """A secret in a text is hidden, in JSON as deep as it may be."""
    line = secrecy.line({"event": "log", "text": TEXTS[name], "deep": [{"a": TEXTS[name]}]})
    assert WORD not in line.decode()
    assert json.loads(line)["text"].count(HIDDEN) == 1


@pytest.mark.parametrize("name", NAMES)
def test_named_values(secrecy: Secrecy, name: str) -> None:
    """The text of a secret name is hidden."""
    line = secrecy.line({"event": "state", "after": {"a": [{name: f"x{WORD}"}]}})
    assert json.loads(line)["after"] == {"a": [{name: HIDDEN}]}


def test_values_below_named_ones(secrecy: Secrecy) -> None:
    """What is within a secret's JSON is hidden, too."""
    after = {"Set-Cookie": [WORD], "tokens": {"graph": [WORD], "count": 1}, "token": {"a": WORD}}
    shown = {"Set-Cookie": [HIDDEN], "tokens": {"graph": [HIDDEN], "count": 1}}
    line = secrecy.line({"event": "state", "after": after})
    assert json.loads(line)["after"] == shown | {"token": {"a": HIDDEN}}


@pytest.mark.parametrize("level", [1, 2, 3])
def test_lines_stay_json(secrecy: Secrecy, level: int) -> None:
    """What surrounds a hidden value is complete, however often its quotes are escaped."""
    text = json.dumps({"token": f'{WORD}"\\', "n": 1})
    for _ in range(level):
        text = json.dumps([text, "token: '"])
    found = json.loads(secrecy.line({"event": "x", "text": text, "last": "token='", "n": 2}))
    assert WORD not in str(found)
    assert (found["last"], found["n"]) == ("token='", 2)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["://a:", "token", "token='", "eyJ", "cookie:", "a_token="])
def test_repeated_starts_of_secrets(secrecy: Secrecy, part: str) -> None:
    """A text with the start of a secret, over and over, is not searched from each to the end."""
    line = secrecy.line({"event": "x", "text": part * (300_000 // len(part)), "n": 1})
    assert json.loads(line)["n"] == 1


def test_what_is_no_secret(secrecy: Secrecy) -> None:
    """Names and texts that are like secrets but are none are shown."""
    event = {
        "event": "x",
        "tokens": 5,
        "continuationToken": "page-2",
        "tokenExchangeResource": {"uri": "api://x"},
        "signatures": ["a"],
        "text": "The bearer of this message has no token; design= signal multisig=two",
        "page": "GET /v3/conversations?continuationToken=page-2",
        "source": "client = Client(token=token, password=self._password)",
        "english": "unexpected token: comma; the key: value pairs; /etc/keys/file is a word",
        "slug": "task-a-list-of-small-things and sk-short",
        "address": "http://localhost:3978/api/messages of me@example.com",
        "url": "https://token.example and https://login.example/x",
    }
    assert json.loads(secrecy.line(event)) == event


def test_the_working_folder() -> None:
    """A shell's PWD is no password: the bot's files are named in its traces."""
    folder = "/home/ada/canteen-bot"
    secrecy = Secrecy({"PWD": folder, "OLDPWD": folder, "DB_PWD": f"{WORD}-value"})
    line = secrecy.line({"text": f"{folder}/bot.py {WORD}-value"})
    assert json.loads(line) == {"text": f"{folder}/bot.py {HIDDEN}"}


def test_numbers_that_are_no_json(secrecy: Secrecy) -> None:
    """Browsers can read every line."""
    line = secrecy.line({"event": "x", "a": [float("inf"), float("nan")]})
    assert json.loads(line, parse_constant=pytest.fail) == {"event": "x", "a": ["inf", "nan"]}
