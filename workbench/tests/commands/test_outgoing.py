"""What may go out: decoys are refused by name, look-alikes are uploaded, links are not followed."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot_workbench.commands.outgoing import PackageError, outgoing
from bot_workbench.emulator.functions.storage.connection_string import DEVELOPMENT_STORAGE
from tests.support.project import ROOT

KEY = base64.b64encode(bytes(range(191, 255))).decode()
"""A made-up key of a storage account: 64 bytes, with + and / in its text."""
BUS_KEY = base64.b64encode(bytes(range(32))).decode()
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=mine;AccountKey={KEY}"
SHORT = "DefaultEndpointsProtocol=https;AccountName=mine;AccountKey=abc123==;EndpointSuffix=x.net"

IGNORE = (ROOT / ".funcignore").read_text("utf-8")
APP = {
    "function_app.py": "",
    "composition.py": "",
    "host.json": "{}",
    "bot_logic/__init__.py": "",
    "bot_logic/bot.py": "",
    "auth/clouds.py": "",
}


def pem(kind: str) -> str:
    """The lines around a private key, without one."""
    return f"-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n"


def app(folder: Path, files: Mapping[str, str | bytes], ignore: str = IGNORE) -> Path:
    """An app with more files, by path."""
    for name, content in {".funcignore": ignore, **APP, **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


PRIVATE, NAMED = "has a private key", "has the name of a file with secrets"
ACCOUNT, BUS = "has a key as its AccountKey", "has a key as its SharedAccessKey"

DECOYS: Mapping[str, tuple[str | bytes, str]] = {
    "bot_logic/pk.txt": (pem("PRIVATE KEY"), f":1 {PRIVATE}"),
    "auth/key.py": (f'X = """\n{pem("RSA PRIVATE KEY")}"""', f":2 {PRIVATE}"),
    "bot_logic/ec.md": (pem("EC PRIVATE KEY"), PRIVATE),
    "bot_logic/a/b/ssh.csv": (pem("OPENSSH PRIVATE KEY"), PRIVATE),
    "bot_logic/protected.html": (pem("ENCRYPTED PRIVATE KEY"), PRIVATE),
    "bot_logic/mail.tsv": (pem("PGP PRIVATE KEY BLOCK"), PRIVATE),
    "bot_logic/ssh2.txt": ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", PRIVATE),
    "bot_logic/account.json": (json.dumps({"key": pem("PRIVATE KEY")}), PRIVATE),
    "bot_logic/of_windows.txt": (pem("PRIVATE KEY").encode("utf-16"), PRIVATE),
    "bot_logic/big_endian.txt": (pem("PRIVATE KEY").encode("utf-16-be"), PRIVATE),
    "bot_logic/behind.txt": (b"\xff\xfe\n" + pem("DSA PRIVATE KEY").encode(), f":2 {PRIVATE}"),
    "bot_logic/conn.json": (json.dumps({"storage": f"{CONNECTION};EndpointSuffix=x"}), ACCOUNT),
    "bot_logic/cards/storage.json": (json.dumps({"type": "TextBlock", "text": SHORT}), ACCOUNT),
    "bot_logic/a.yaml": (
        "a:\n  b: AccountName=mine;AccountKey=0123456789abcdef\n",
        f":2 {ACCOUNT}",
    ),
    "bot_logic/b.yml": ("SharedAccessKeyName=Root;SharedAccessKey=AAAABBBB=", BUS),
    "bot_logic/order.txt": (f"EndpointSuffix=x;AccountKey={KEY};AccountName=y", ACCOUNT),
    "bot_logic/case.txt": (CONNECTION.replace("AccountKey", "ACCOUNTKEY"), "as its ACCOUNTKEY"),
    "bot_logic/keys.json": (json.dumps({"AccountKey": KEY}), ACCOUNT),
    "bot_logic/nested.json": (json.dumps(json.dumps({"AccountKey": KEY})), ACCOUNT),
    "bot_logic/dot_net.json": (
        json.dumps({"AccountKey": KEY}).replace("+", "\\u002B").replace("/", "\\/"),
        ACCOUNT,
    ),
    "bot_logic/wide.json": (json.dumps({"AccountKey": KEY}).encode("utf-16"), ACCOUNT),
    "bot_logic/keys.yaml": (f"storage:\n  accountKey: {KEY}\n", ":2 has a key as its accountKey"),
    "bot_logic/folded.yml": (f"AccountKey: >-\n  {KEY}\n", ACCOUNT),
    "bot_logic/keys.xml": (f"<AccountKey>{KEY}</AccountKey>", ACCOUNT),
    "bot_logic/web.xml": (f'<add key="AccountKey" value="{KEY}" />', ACCOUNT),
    "bot_logic/storage.py": (f'ACCOUNT_KEY: str = "{KEY}"', "as its ACCOUNT_KEY"),
    "bot_logic/page.html": (f"<p>AccountKey&quot;: &quot;{KEY}&quot;</p>", ACCOUNT),
    "bot_logic/bytes.py": (f'account_key: bytes = b"{KEY}"', "as its account_key"),
    "bot_logic/final.py": (f'account_key: Final[str] = "{KEY}"', "as its account_key"),
    "bot_logic/union.py": (f'account_key: str | None = "{KEY}"', "as its account_key"),
    "bot_logic/second.py": (f'AccountKey2="{KEY}"', ACCOUNT),
    "cloud_adapter/two.py": (f'"AccountKey="\n"{KEY}"', ACCOUNT),
    "cloud_adapter/sum.py": (f'"AccountKey=" + "{KEY}"', ACCOUNT),
    "bot_logic/bus.py": (f"x = 'SharedAccessKeyName=Root;SharedAccessKey={BUS_KEY}'", BUS),
    "bot_logic/link.html": (
        f"?c=AccountKey%3D{KEY.replace('+', '%2B').replace('/', '%2F').replace('=', '%3D')}",
        ACCOUNT,
    ),
    "bot_logic/secrets.json": ("{}", NAMED),
    "bot_logic/deep/Secret.yml": ("", NAMED),
}
"""Contents by path, and what is said."""

LOOK_ALIKES: Mapping[str, str | bytes] = {
    "bot_logic/help.yaml": "AccountKey=<key>; AccountKey={key}; AccountKey=$KEY; AccountKey=my-key",
    "bot_logic/join.py": 'text = "AccountKey=" + key + f"AccountKey={key};SharedAccessKey=%s"',
    "bot_logic/call.py": "connect(AccountKey=accountKey, SharedAccessKey=sharedKey)",
    "bot_logic/b.json": '{"c": "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=x"}',
    "bot_logic/venv.py": "",
    "bot_logic/tests/__init__.py": "",
    "bot_logic/tests/test_bot.py": "import pytest",
    "bot_logic/help.md": f"{pem('CERTIFICATE')}{pem('PUBLIC KEY')}A private key begins with BEGIN.",
    "bot_logic/azurite.txt": DEVELOPMENT_STORAGE,
    "bot_logic/azurite.json": json.dumps({"AccountKey": DEVELOPMENT_STORAGE[37:125]}),
    "bot_logic/wide.json": json.dumps({"c": DEVELOPMENT_STORAGE}).encode("utf-16"),
    "bot_logic/settings.py": 'account_key = environ["AccountKey"]\nKEYS = ("AccountKey", "X" * 60)',
    "bot_logic/texts.json": f'{{"AccountKey": "{"word " * 20}", "checksum": "{KEY}"}}',
    "bot_logic/next.json": json.dumps({"AccountKey": "x", "sha": "0123456789abcdef" * 4}),
    "bot_logic/path.py": 'account_key = "secrets/production/storage/account/primary/key/current"',
    "bot_logic/secrets.py": "",
    "bot_logic/secret_santa.json": "{}",
    "bot_logic/environment/env.py": "",
    "bot_logic/images/logo.png": b"\x89PNG\r\n\x1a\n",
    "auth/private_key.py": 'HEADER = "BEGIN PRIVATE KEY"',
}


@pytest.mark.parametrize("path", DECOYS)
def test_decoys_are_refused(path: str, tmp_path: Path) -> None:
    """The message names the file, the reason, the cure and the way out; never the key."""
    content, reason = DECOYS[path]
    with pytest.raises(PackageError) as caught:
        outgoing(app(tmp_path, {path: content}))
    message = str(caught.value)
    assert f"{path}{reason if reason[0] == ':' else ''}" in message
    assert reason in message
    assert "keep it out of the deployed folders" in message
    assert message.endswith(f"add this line to .funcignore: # no secret: {path}")
    assert message.count("\n") == 1
    assert KEY not in message
    assert BUS_KEY not in message


@pytest.mark.parametrize(
    "name",
    [".env", "prod.env", ".env.local", "a.PEM", "a.pfx", "a.p12", "a.key", "a.json.key"],
)
def test_names_of_keys_are_refused(name: str, tmp_path: Path) -> None:
    """Even if a line of .funcignore takes the file in."""
    source = app(tmp_path, {f"auth/{name}": ""}, f"{IGNORE}\n!/auth/*\n")
    with pytest.raises(PackageError, match=f"auth/{name} {NAMED}"):
        outgoing(source)
    (source / "auth" / name).rename(source / name)
    assert {path.as_posix() for path in outgoing(source).files} == {*APP}


def test_look_alikes_are_uploaded(tmp_path: Path) -> None:
    """All of them, and the app."""
    uploaded = {path.as_posix() for path in outgoing(app(tmp_path, LOOK_ALIKES)).files}
    assert uploaded == {*APP, *LOOK_ALIKES}


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Each decoy has a line; one of .funcignore for each lets all out."""
    source = app(tmp_path, {path: content for path, (content, _) in DECOYS.items()})
    with pytest.raises(PackageError) as caught:
        outgoing(source)
    assert len(str(caught.value).splitlines()) == 1 + len(DECOYS)
    way_out = "".join(f"# no secret: {path}\n" for path in DECOYS)
    (source / ".funcignore").write_text(f"{IGNORE}\n{way_out}")
    assert {*DECOYS} <= {path.as_posix() for path in outgoing(source).files}


@pytest.mark.parametrize("to", ["outside", "outside/id_rsa", "nowhere"])
@pytest.mark.parametrize(
    "link",
    [
        *("bot_logic/passwords.json", "bot_logic/data", "bot_logic/.#bot.py", "bot_logic/notes.db"),
        *("bot_logic/.venv", "auth/sub/deep.py", "composition.py"),
    ],
)
def test_links_are_refused(link: str, to: str, tmp_path: Path) -> None:
    """Links to a folder, to a file and to nothing, in the deployed folders and in their place.

    There is no way out by a comment, because other tools do not know it.
    """
    with pytest.raises(PackageError, match=rf"{link} is a symbolic link, .* put a copy in its"):
        outgoing(with_link(link, to, tmp_path))


def test_links_of_the_root_are_refused(tmp_path: Path) -> None:
    """A link to a folder, which the last lines of .funcignore take in again for other tools."""
    with pytest.raises(PackageError, match="\nlib is a symbolic link"):
        outgoing(with_link("lib", "outside", tmp_path))


def with_link(link: str, to: str, folder: Path) -> Path:
    """An app with a link to what is beside it, which .funcignore calls harmless."""
    (folder / "outside").mkdir()
    (folder / "outside" / "id_rsa").write_text("a key")
    source = app(folder / "app", {}, f"{IGNORE}\n# no secret: {link}\n")
    (source / link).unlink(missing_ok=True)
    (source / link).parent.mkdir(exist_ok=True)
    (source / link).symlink_to(folder / to)
    return source


def test_junctions_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is a link to a folder on Windows, and no symbolic link."""
    source = app(tmp_path, {"bot_logic/linked/a.json": "{}"})
    monkeypatch.setattr(Path, "is_junction", lambda path: path.name == "linked")
    with pytest.raises(PackageError, match="bot_logic/linked is a symbolic link"):
        outgoing(source)


def test_links_that_nothing_follows(tmp_path: Path) -> None:
    """A virtual environment that is a link, and files of the root that are not uploaded."""
    source = app(tmp_path / "app", {})
    (source / ".venv").symlink_to(tmp_path)
    (source / ".#README.md").symlink_to(tmp_path / "nowhere")
    (source / "README.md").symlink_to(ROOT / "README.md")
    assert {path.as_posix() for path in outgoing(source).files} == {*APP}


def test_folders_of_tools_are_left_out(tmp_path: Path) -> None:
    """At any depth, and by what is in them; those that no line takes in are not named."""
    tools = {
        "bot_logic/venv/lib/x.py": pem("PRIVATE KEY"),
        "bot_logic/a/.venv/y.py": "",
        "bot_logic/my_python/pyvenv.cfg": "",
        "bot_logic/my_python/z.py": "",
        "auth/node_modules/a/b.py": "",
        "bot_logic/.git/config.json": "{}",
        "web/index.js": "",
        "web/node_modules/c.js": "",
        ".venv/lib/d.py": "",
        "venv/e.py": "",
    }
    found = outgoing(app(tmp_path, tools, f"{IGNORE}\n!/web/*.js\n!/web/**/*.js\n"))
    assert {path.as_posix() for path in found.files} == {*APP, "web/index.js"}
    assert [path.as_posix() for path in found.left_out] == [
        *("auth/node_modules", "bot_logic/.git", "bot_logic/a/.venv", "bot_logic/my_python"),
        *("bot_logic/venv", "web/node_modules"),
    ]
    assert found.unknown == []


def test_what_the_bot_leaves_behind(tmp_path: Path) -> None:
    """Files of the bot whose kind .funcignore does not know are named, compiled ones are not."""
    files = ("bot_logic/a.onnx", "bot_logic/x.pyc", "auth/b.onnx", "c.onnx")
    source = app(tmp_path, dict.fromkeys(files, ""))
    assert outgoing(source).unknown == [Path("bot_logic/a.onnx")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, r"is missing, .* git checkout -- \.funcignore"),
        (b"", r"is empty, .* git checkout -- \.funcignore"),
        (b"# nothing but\n\n  # comments\n", "is empty"),
        (IGNORE.encode("utf-16"), "is not UTF-8, .*: save it as UTF-8"),
        (IGNORE.encode("utf-16-le"), "is not UTF-8"),
        (IGNORE.replace("/*\n", "", 1).encode(), r"has no line /\*, .*: put that line before"),
    ],
)
def test_funcignore_that_uploads_everything(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    """It is refused before any file is looked at."""
    source = app(tmp_path, {})
    (source / ".funcignore").unlink()
    if content is not None:
        (source / ".funcignore").write_bytes(content)
    with pytest.raises(PackageError, match=rf"^\.funcignore {reason}"):
        outgoing(source)


def test_a_mark_before_funcignore(tmp_path: Path) -> None:
    """What Notepad may put before the first line is none of its characters."""
    source = app(tmp_path, {}, f"\ufeff{IGNORE.partition('\n\n')[2]}")
    assert {path.as_posix() for path in outgoing(source).files} == {*APP}
