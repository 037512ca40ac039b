"""The files of `make constraints`: the bots' constraints, the base's, and the list of azd's hooks.

The list, which pipelines install, too, is complete, for every system, and has the hash of each
file: what somebody puts into an index later is not installed.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bot_workbench.app_folder import BOT, bots_below
from bot_workbench.commands.constraints import (
    OPTIONAL,
    pin_bots,
    pins_of,
    resolve,
    text_of,
    write,
)
from bot_workbench.commands.site_packages import InstallError
from bot_workbench.setup.requirements import CONSTRAINTS, REQUIREMENTS, read

BASE_HEADER = f"""\
# The transitive dependencies of {REQUIREMENTS} and {OPTIONAL}, pinned.
# In the base's own repository, `make constraints` writes this file.
"""

HOOKS = f"infra/hooks/{REQUIREMENTS}"
HOOKS_INPUT = f"infra/hooks/{Path(REQUIREMENTS).stem}.in"
"""Names without versions: those are the project's."""

TOOLS = "requirements-dev.txt"
"""Has the versions of what the hooks, the packaging and the doctor need."""

HOOKS_HEADER = f"""\
# What {HOOKS_INPUT} names, with all that it needs. azd installs it for its hooks, into
# a virtual environment of their own, and pipelines for the doctor. An older Python gets nothing, so
# that the hooks can say what they need, where pip would only find no versions for it.
# In the base's own repository, `make constraints` writes this file.
"""

_HOOKS_PYTHON = "3.13"
_ANY_PYTHON = "3.9"
"""Older than what the hooks need: uv leaves out the markers that every Python fits."""


def write_all(root: Path, *, upgrade: bool = False) -> None:
    """Write the constraints of the base, of the bot and of the examples, and the hooks' list.

    Args:
        root: the repository's folder.
        upgrade: take the newest versions, whatever was pinned.

    Raises:
        RequirementsError: a requirements file is missing, or a bot's does not fit the base's.
        InstallError: uv failed; nothing was written.
    """
    base = base_pins(root, upgrade=upgrade)
    text = text_of(BASE_HEADER, base)
    bots = [root / BOT, *bots_below("examples", root)]
    texts = {root / CONSTRAINTS: text, **pin_bots(root, bots, base, upgrade=upgrade)}
    texts[root / HOOKS] = hooks_list(root, text, upgrade=upgrade)
    write(texts, root)


def base_pins(root: Path, *, upgrade: bool = False) -> list[str]:
    """The lines of the base's constraints.txt.

    A version that is pinned stays as long as it fits.

    Args:
        root: the repository's folder.
        upgrade: take the newest versions, whatever was pinned.

    Raises:
        RequirementsError: a requirements file is missing.
        InstallError: uv failed, for example because no set of versions is compatible.
    """
    lines = read([root / REQUIREMENTS, root / OPTIONAL], [], root)
    required = [line for line in lines if not line.is_constraint]
    versions = resolve(required, [], root / CONSTRAINTS, upgrade=upgrade)
    return pins_of(versions, {line.name for line in required})


def hooks_list(root: Path, pins: str, *, upgrade: bool = False) -> str:
    """The list that azd's hooks should have.

    A version that is listed stays as long as it fits.

    Args:
        root: the repository's folder.
        pins: the text of constraints.txt.
        upgrade: take the newest versions of what the project does not pin.

    Raises:
        RequirementsError: a requirements file is missing.
        InstallError: uv failed.
    """
    marker = f'; python_version >= "{_HOOKS_PYTHON}"'
    names = [line.text for line in read([root / HOOKS_INPUT], [], root)]
    tools = read([root / TOOLS], [], root)
    fixed = [line.text for line in tools if line.version and not line.is_constraint]
    with tempfile.TemporaryDirectory() as scratch:
        wanted, versions = Path(scratch) / "wanted.in", Path(scratch) / CONSTRAINTS
        listed = Path(scratch) / REQUIREMENTS
        wanted.write_text("\n".join(f"{name} {marker}" for name in names), "utf-8")
        versions.write_text("\n".join([pins, *fixed]), "utf-8")
        if (root / HOOKS).exists():
            shutil.copyfile(root / HOOKS, listed)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", str(wanted)),
                *("--constraints", str(versions), "--output-file", str(listed)),
                *("--universal", "--python-version", _ANY_PYTHON, "--generate-hashes"),
                *("--no-build", "--no-header", "--no-annotate", *["--upgrade"] * upgrade),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise InstallError(done.stderr.strip())
        return HOOKS_HEADER + listed.read_text("utf-8")
