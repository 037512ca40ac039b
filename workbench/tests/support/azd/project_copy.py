"""A copy of the project in which azd's hooks run: its package is made in no time."""

import shutil
from pathlib import Path

from tests.support.project import ROOT

CODE = "function_app.py"
"""What the copy's package has in it."""

_BUILDER = """
import hashlib, shutil, sys, zipfile
from pathlib import Path

target = Path(sys.argv[sys.argv.index("--to") + 1])
shutil.rmtree(target, ignore_errors=True)
code = Path("function_app.py").read_bytes()
files = {
    "function_app.py": code,
    "__pycache__/function_app.cpython-313.pyc": code,
    ".python_packages/lib/site-packages/__pycache__/six.cpython-313.pyc": b"",
}
files["package.sha256"] = hashlib.sha256(code).hexdigest().encode() + b"\\n"
target.mkdir(parents=True)
with zipfile.ZipFile(f"{target}.zip", "w") as zipped:
    for name, content in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
        zipped.writestr(name, content)
(target / ".funcignore").write_text("# azd keeps compiled files only with this file.\\n")
print("Built", target)
"""


def project_copy(folder: Path, builder: str = _BUILDER) -> Path:
    """Copy what hooks need of the project; returns the copy's folder.

    Args:
        folder: is made.
        builder: the program in place of `bot`, which would build the package; it needs no uv.
    """
    ignored = shutil.ignore_patterns("__pycache__", "hooks_env", "third_party")
    for name in ("auth", "infra/hooks", "workbench/bot_workbench"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("azure.yaml", "host.json", "infra/app-settings.json"):
        shutil.copyfile(ROOT / name, folder / name)
    (folder / CODE).write_text("first\n", "utf-8")
    (folder / "workbench" / "uv.py").touch()
    (folder / "workbench" / "bot_workbench" / "__main__.py").write_text(builder, "utf-8")
    return folder
