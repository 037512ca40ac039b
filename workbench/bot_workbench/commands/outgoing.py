"""The files that may go out: the app's that .funcignore accepts, checked before anything is built.

Refused are keys, by their form or by the file's name, and links, which other tools than this one
follow. Of .funcignore it is refused what would upload everything.
"""

import base64
import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from bot_workbench.app_folder import BOT
from bot_workbench.emulator.functions.storage.connection_string import DEVELOPMENT_STORAGE
from bot_workbench.funcignore import FuncIgnore

FUNCIGNORE = ".funcignore"

_LEFT_OUT = {".git", ".venv", "node_modules", "venv"}
_NO_SECRET = re.compile(r"#\s*no secret:\s*(.+)")
_CLOSED = "/*"
"""The line without which .funcignore allows what it does not name."""
_FOLDERS_AGAIN = re.compile(r"!/([^/]+)/")
"""A line that takes folders of the root back in, for tools that follow git's rules."""

_KEY_NAME = re.compile(
    r"\.env(\..*)?|.*\.(env|pem|pfx|p12|key)|\.git.*|local\.settings\.json"
    r"|secrets?\.(json|ya?ml|xml|txt|csv)",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(rb"-{4,5} ?BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)? ?-{4,5}")
"""RFC 7468, and the forms of OpenSSL, OpenSSH, OpenPGP and of SSH2 (RFC 4716)."""
_ACCOUNT_KEY = re.compile(
    # As in `AccountKey=...;`, `"account_key": "..."`, `ACCOUNT_KEY: Final[str] = "..."`, `b"..."`,
    # `&quot;...`, `<AccountKey>...`, `"AccountKey=" + "..."` and
    # `<add key="AccountKey" value="..." />`.
    rb"(?P<name>account[ _-]?key|shared[ _-]?access[ _-]?key)[0-9]?"
    rb"[^a-z0-9/]{1,40}"
    rb"(?:(?:value|quot|final|optional|none|str|bytes|[bfru])[^a-z0-9/]{1,20}){0,3}"
    rb"(?P<key>[a-z0-9+/]{43,})",
    re.IGNORECASE,
)
_CONNECTION_KEY = re.compile(
    # After another part of a connection string, or alone in quotes: no placeholder such as <key>,
    # {key}, $KEY, your-key or x, and no argument of a call.
    rb"(?<=[;\"'=>])(?P<name>account ?key|shared ?access ?key)="
    rb"(?P<key>[a-z0-9+/]{4,})={0,2}(?![\w(.-])",
    re.IGNORECASE,
)
_ESCAPED = re.compile(rb"\\+u00([2-7][0-9a-f])|%([2-7][0-9a-f])|\\+/", re.IGNORECASE)
"""The forms in which JSON, within JSON too, and addresses write a character that a key or a header
may have."""
_KEY_BYTES = 32
"""The size of the smallest key: Service Bus' have 32 bytes, a storage account's 64."""


class PackageError(Exception):
    """The package cannot be built; the message says what to do."""


@dataclass(frozen=True)
class Outgoing:
    """The app's files, each path relative to the app's folder, and sorted.

    Attributes:
        files: what is uploaded.
        left_out: folders of tools in the deployed ones.
        unknown: the bot's files that are not uploaded, because .funcignore has no lines for their
            kind.
    """

    files: Sequence[Path]
    left_out: Sequence[Path]
    unknown: Sequence[Path]


def outgoing(source: Path) -> Outgoing:
    """Select what is uploaded of the app in a folder.

    Raises:
        PackageError: a file may not be uploaded, or .funcignore would upload everything. The
            message lists every fault.
    """
    text = _ignore_text(source)
    # What func uploads; its walk takes a link for a file.
    accepted = set(FuncIgnore(text).files(source))
    files, links, tools = _walk(source)
    deployed = {path.parts[0] for path in accepted if len(path.parts) > 1}

    def is_deployed(path: Path) -> bool:
        return len(path.parts) > 1 and path.parts[0] in deployed

    again = [found[1] for found in map(_FOLDERS_AGAIN.fullmatch, _lines(text)) if found]

    def is_followed(link: Path) -> bool:
        """By a tool that uploads this folder, be it this one or another."""
        if is_deployed(link) or link in accepted:
            return True
        at_root = len(link.parts) == 1 and not (source / link).is_file()
        return at_root and any(fnmatch.fnmatchcase(link.name, each) for each in again)

    uploaded = [path for path in files if path in accepted]
    harmless = {found[1] for found in map(_NO_SECRET.fullmatch, _lines(text)) if found}
    faults = [
        f"{link.as_posix()} is a symbolic link, which tools follow out of the project: put a copy"
        " in its place, or delete it"
        for link in filter(is_followed, links)
    ]
    for path in uploaded:
        if path.as_posix() not in harmless:
            faults += (
                f"{fault}; if it is no secret, add this line to {FUNCIGNORE}:"
                f" # no secret: {path.as_posix()}"
                for fault in _secrets(source, path)
            )
    if faults:
        raise PackageError("\n".join(["Nothing was built, because this may not go out:", *faults]))
    return Outgoing(
        uploaded,
        [
            path
            for path in tools
            if is_deployed(path) or any(each.is_relative_to(path) for each in accepted)
        ],
        [
            path
            for path in files
            if path.parts[0] == BOT and path not in accepted and path.suffix != ".pyc"
        ],
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def _ignore_text(source: Path) -> str:
    """The text of .funcignore.

    Raises:
        PackageError: by it, everything would be uploaded.
    """
    restore = f"restore it: git checkout -- {FUNCIGNORE}"
    try:
        text = (source / FUNCIGNORE).read_text("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise PackageError(
            f"{FUNCIGNORE} is missing, so everything would be uploaded: {restore}"
        ) from error
    if "\0" in text:
        raise PackageError(
            f"{FUNCIGNORE} is not UTF-8, so everything would be uploaded: save it as UTF-8, which >"
            " and >> of Windows PowerShell do not do"
        )
    lines = _lines(text)
    if not any(line and not line.startswith("#") for line in lines):
        raise PackageError(f"{FUNCIGNORE} is empty, so everything would be uploaded: {restore}")
    if _CLOSED not in lines:
        raise PackageError(
            f"{FUNCIGNORE} has no line {_CLOSED}, so whatever it does not name would be uploaded:"
            " put that line before the others"
        )
    return text


def _walk(source: Path) -> tuple[Sequence[Path], Sequence[Path], Sequence[Path]]:
    """A folder's files, its links, none of which is followed, and its folders of tools."""
    files, links, tools = [], [], []
    for root, folders, names in source.walk():
        at = root.relative_to(source)
        for name in sorted({*folders, *names}):
            # A junction is what Windows lets everybody make in place of a link to a folder.
            if (root / name).is_symlink() or (root / name).is_junction():
                links.append(at / name)
            elif name in names:
                files.append(at / name)
            elif name.lower() in _LEFT_OUT or (root / name / "pyvenv.cfg").is_file():
                tools.append(at / name)
            else:
                continue
            if name in folders:
                folders.remove(name)
    return sorted(files), sorted(links), sorted(tools)


def _secrets(source: Path, path: PurePath) -> Iterator[str]:
    """The keys in a file, or in its name: where, what, and the cure."""
    shown = path.as_posix()
    cure = (
        "to leave it out, keep it out of the deployed folders, for example in the project's root,"
        " and let the app read what it needs from its settings"
    )
    if _KEY_NAME.fullmatch(path.name):
        yield f"{shown} has the name of a file with secrets: {cure}"
    content = _plain((source / path).read_bytes())
    for found in _PRIVATE_KEY.finditer(content):
        yield f"{shown}:{_line(content, found)} has a private key: {cure}"
    keys = [found for found in _ACCOUNT_KEY.finditer(content) if _is_key(found["key"])]
    keys += [found for found in _CONNECTION_KEY.finditer(content) if found["key"] != _AZURITE_TEXT]
    for found in {found.start(): found for found in keys}.values():
        name = found["name"].decode()
        yield f"{shown}:{_line(content, found)} has a key as its {name}: {cure}"


def _line(content: bytes, found: re.Match[bytes]) -> int:
    return content.count(b"\n", 0, found.start()) + 1


def _plain(content: bytes) -> bytes:
    """The text without escapes; of UTF-16 the ASCII characters, which have a zero beside them."""

    def character(found: re.Match[bytes]) -> bytes:
        code = found[1] or found[2]
        return bytes.fromhex(code.decode()) if code else b"/"

    return _ESCAPED.sub(character, content.replace(b"\0", b""))


def _decoded(text: bytes) -> bytes:
    """The bytes of a key in base64, whose padding may be missing."""
    return base64.b64decode(text + b"=" * (-len(text) % 4))


_AZURITE_TEXT = DEVELOPMENT_STORAGE.partition("AccountKey=")[2].partition("=")[0].encode()
_AZURITE = _decoded(_AZURITE_TEXT)


def _is_key(text: bytes) -> bool:
    """Whether it is of a key's size, and not the key that everybody knows."""
    try:
        key = _decoded(text)
    except ValueError:
        return False
    is_random = text != text.lower() and text != text.upper()  # a path or a hash is not
    return is_random and len(key) >= _KEY_BYTES and key != _AZURITE
