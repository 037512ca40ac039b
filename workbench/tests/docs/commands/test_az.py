"""The documentation's commands: each page is pasted into a shell whose `az` only writes down its
arguments, so what is checked is what a reader would run, variables filled in.
"""

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import self_signed
from tests.docs.commands.compiler import write_compiler
from tests.docs.runbooks.page import PAGES, Block, blocks
from tests.support.project import ROOT

# `az` where a command may stand: at a line's start, after an operator, a keyword or `$(`.
AZ = re.compile(r"(?:^|[|;&(]|\b(?:do|then|else|if|until|while))[ \t]*az[ \t]+(?=[a-z])", re.M)

# Set by the platform, or read by it: no setting of the app.
PLATFORM_SETTINGS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
}
# Flex Consumption keeps these in functionAppConfig; as app settings they break the deployment.
FLEX_FORBIDDEN = {
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE",
}

# What the CLI says once it has taken all arguments; the bot commands hide their reason.
SIGNED_OUT = re.compile("az login|Unknown error during execution|Unable to prompt for confirm")

SYSTEM = ("cat", "mkdir")
"""What the recording shell has beside `az`: it writes the files that commands read."""

# Answers what the pages keep in variables: a resource id where one is asked for, else a GUID.
RECORDER = r"""#!{bash}
printf '%s\0' "$@" $'\x1e' >> "$CALLS"
guid=00000000-0000-4000-8000-000000000000
case "$1 $*" in
  "ad "* | "account "*) echo "$guid" ;;
  *"--query id "*) echo "/subscriptions/$guid/resourceGroups/g/providers/Microsoft.Web/sites/s" ;;
  *) echo "$guid" ;;
esac
"""


@dataclass(frozen=True)
class Pasted:
    """The effects of a page in the recording shell.

    Attributes:
        folder: the shell's working folder, with the files that the page wrote.
        calls: the arguments of each `az`, in order.
        errors: the shell's standard error.
    """

    folder: Path
    calls: list[list[str]]
    errors: str


def script(page: Path) -> str:
    """All of the page's blocks as one script that stops at a variable nobody assigned."""
    return "set -u\n" + "".join(block.text for block in blocks(page))


def paste(page: Path, folder: Path) -> Pasted:
    """Run a page's blocks in order. Only `az`, a recorder, and SYSTEM can be found."""
    bash, programs, record = str(shutil.which("bash")), folder / ".programs", folder / ".calls"
    programs.mkdir()
    record.touch()
    (programs / "az").write_text(RECORDER.replace("{bash}", bash))
    (programs / "az").chmod(0o755)
    for name in SYSTEM:
        (programs / name).symlink_to(str(shutil.which(name)))
    (folder / "infra").symlink_to(ROOT / "infra")
    shell = subprocess.run(
        [bash, "--norc", "-c", script(page)],
        cwd=folder,
        env={"PATH": str(programs), "HOME": str(folder), "CALLS": str(record)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,  # a page's last command may be one that is not found here
    )
    calls = [call.split("\0")[:-1] for call in record.read_text().split("\x1e\0") if call]
    return Pasted(folder, calls, shell.stderr)


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Pasted]:
    with_az = [page for page in PAGES if AZ.search(script(page))]
    return {page: paste(page, tmp_path_factory.mktemp(page.stem)) for page in with_az}


@pytest.fixture(scope="module")
def calls(pasted: dict[Path, Pasted]) -> list[list[str]]:
    return [call for page in pasted.values() for call in page.calls]


def settings_set(calls: list[list[str]]) -> list[tuple[str, str]]:
    """The (name, value) of every app setting that the commands set."""
    values: list[str] = []
    for call in calls:
        if "appsettings" in call and "set" in call:
            start = call.index("--settings") + 1
            values += [value for value in call[start:] if "=" in value or value.startswith("@")]
    return [(name, value) for name, _, value in (text.partition("=") for text in values)]


@pytest.mark.parametrize("block", [b for page in PAGES for b in blocks(page)], ids=str)
def test_a_block_is_bash(block: Block) -> None:
    """Each block parses: no unclosed quote, no lost line continuation."""
    shell = subprocess.run(
        [str(shutil.which("bash")), "-n"],
        input=block.text,
        capture_output=True,
        text=True,
        check=False,  # the message is the assertion
    )
    assert shell.returncode == 0, shell.stderr
    assert not re.search(r"\\[ \t]+$", block.text, re.M), "a space after a line's last backslash"


def test_a_page_can_be_pasted_from_top_to_bottom(pasted: dict[Path, Pasted]) -> None:
    """Each variable is assigned before it is used, and no `az` command escapes these checks."""
    for page, result in pasted.items():
        assert "unbound variable" not in result.errors, f"{page.name}: {result.errors}"
        written = len(AZ.findall(re.sub(r"^\s*#.*$", "", script(page), flags=re.M)))
        # A loop that waits says the same again and again.
        said = len([call for call, _ in groupby(result.calls)])
        assert said == written, f"{page.name}: {result.errors}"


def test_a_credential_is_only_ever_added(calls: list[list[str]]) -> None:
    """Without --append a reset deletes what signs the bot in; without --cert it makes a secret."""
    resets = [call for call in calls if call[:4] == ["ad", "app", "credential", "reset"]]
    for reset in resets:
        assert "--append" in reset, reset
        assert "--cert" in reset, reset
    for page in PAGES:
        for mention in re.findall(r"`(az ad app credential reset -[^`]*)`", page.read_text()):
            assert "--append" in mention, f"{page.name}: {mention}"


def test_no_command_takes_or_shows_a_secret(calls: list[list[str]]) -> None:
    """No option of any command names a password or a secret, and none is set as an app setting."""
    for call in calls:
        options = [text for text in call if re.match(r"--?[a-z]", text)]
        assert not [o for o in options if re.search("pass|secret", o) or o == "-p"], call
    assert not [n for n, _ in settings_set(calls) if re.search("password|secret", n, re.I)]
    for page in PAGES:
        assert "MicrosoftAppPassword=" not in page.read_text(), page.name


def test_settings_are_known(calls: list[list[str]]) -> None:
    """A setting that the pages set stands in local.settings.json.example, letter for letter."""
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    unknown = {name for name, _ in settings_set(calls)} - set(example) - PLATFORM_SETTINGS
    assert not unknown


def test_settings_that_flex_consumption_forbids_are_never_set(calls: list[list[str]]) -> None:
    """The plan's own configuration holds them."""
    assert not {name for name, _ in settings_set(calls)} & FLEX_FORBIDDEN


@pytest.mark.az
@pytest.mark.timeout(900)
def test_az_accepts_every_argument(pasted: dict[Path, Pasted], tmp_path: Path, az: Path) -> None:
    """The real CLI, signed out and offline, takes each command and stops where it wants a login.

    workbench/tests/docs/runbooks runs them; this includes the few that it leaves out.
    """
    write_certificates(pasted)
    environ = environ_of_nobody(tmp_path)
    asked = {
        (*call,): (call, page.folder)
        for page in pasted.values()
        for call in page.calls
        if call[0] != "login"  # the one command that would go and do it
    }.values()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        answers = pool.map(lambda item: ask_az(str(az), item[0], item[1], environ), asked)
    refused = [
        f"az {' '.join(call)}\n{answer}"
        for (call, _), answer in zip(asked, answers, strict=True)
        if not SIGNED_OUT.search(answer)
    ]
    assert not refused, "\n\n".join(refused)


def write_certificates(pasted: dict[Path, Pasted]) -> None:
    """Make the public certificates that the pages download, for the commands that read them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = self_signed("bot", key).public_bytes(serialization.Encoding.PEM)
    for page in pasted.values():
        for call in page.calls:
            if call[:3] == ["keyvault", "certificate", "download"]:
                (page.folder / call[call.index("--file") + 1]).write_bytes(pem)


def environ_of_nobody(profile: Path) -> dict[str, str]:
    """The environment of somebody who is not signed in, and has no network.

    Args:
        profile: an empty folder.
    """
    compiler = write_compiler(profile)
    return {
        **compiler,
        "PATH": f"{compiler['PATH']}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(profile),
        "AZURE_CONFIG_DIR": str(profile),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "HTTPS_PROXY": "http://127.0.0.1:9",  # a closed port: nothing leaves the machine
    }


def ask_az(az: str, call: list[str], folder: Path, environ: dict[str, str]) -> str:
    """The answer's standard error."""
    answer = subprocess.run(
        [az, *call],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,  # signed out, every command fails; the message says where
    )
    return answer.stderr


@pytest.mark.az
@pytest.mark.parametrize(
    "command",
    [
        "deployment sub create --location l --template-file infra/main.bicep --parameters nope=1",
        "deployment sub create --location l --template-file infra/main.bicep --parameters"
        " environmentName=e",
        "deployment sub create --locations l --template-file infra/main.bicep",
        "storage message peeks --account-name a --auth-mode login --queue-name q",
        "functionapp scale config always-ready set --resource-group g --name a --setting-names x",
        "monitor log-analytics query --workspace w --analytics-query q",
        "storage account blob-service-properties update --account-name a --container-retention 1",
        "lock create --name n --lock-type Forever --resource r",
    ],
)
def test_az_refuses_a_wrong_argument(command: str, tmp_path: Path, az: Path) -> None:
    """A wrong command, option, choice or template parameter is noticed before the login."""
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    answer = ask_az(str(az), command.split(), tmp_path, environ_of_nobody(tmp_path))
    assert not SIGNED_OUT.search(answer), answer
