"""The package contains only what runs in Azure, with compiled files that stay valid."""

import importlib.util
import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path
from textwrap import indent
from types import CodeType

import pytest
from packaging.requirements import Requirement

from emulator.commands import package
from emulator.commands.funcignore import FuncIgnore
from emulator.commands.package import SITE_PACKAGES, PackageError, contents
from emulator.commands.site_packages import InstallError
from emulator.setup.requirements import RequirementsError
from tests.cloud_adapter.bot.wrong_functions import GOOD, WRONG
from tests.emulator.commands.test_constraints import needed, pins
from tests.support.project import ROOT

UNCHECKED_HASH = 0b01
"""The flags of a .pyc file that Python never checks against its source (PEP 552)."""


def sources(folder: Path) -> Iterator[Path]:
    """The Python files of a package."""
    return (path for path in contents(folder) if path.suffix == ".py")


def file_names(code: CodeType) -> set[str]:
    """The file names in a code object and in those nested in it."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return {code.co_filename}.union(*map(file_names, inner))


def test_the_app_and_its_packages(uploaded: Path, packed: Path) -> None:
    """It contains the files that .funcignore allows and every pinned package, and no others."""
    allowed = set(FuncIgnore((uploaded / ".funcignore").read_text()).files(uploaded))
    files = {path.relative_to(packed) for path in contents(packed)}
    own = {path for path in files if path.parts[0] != SITE_PACKAGES.parts[0]}
    assert {path for path in own if path.suffix != ".pyc"} == allowed
    found = {
        f"{each.name}=={each.version}" for each in distributions(path=[str(packed / SITE_PACKAGES)])
    }
    normal = {each.lower().replace("_", "-") for each in found}
    direct = set(pins("requirements.txt"))
    assert direct <= normal
    assert {each.partition("==")[0] for each in normal} == needed([*map(Requirement, direct)])
    assert normal - direct <= set(pins("constraints.txt"))
    assert not (packed / SITE_PACKAGES / "bin").exists()


def test_all_of_it_is_compiled(packed: Path) -> None:
    """Each source has a .pyc file that is used unchecked and holds no path of this machine."""
    for source in sources(packed):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        content = compiled.read_bytes()
        assert content[:4] == importlib.util.MAGIC_NUMBER, source
        assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH, source
        code = marshal.loads(content[16:])  # noqa: S302  # compiled by this test run
        assert file_names(code) == {str(source.relative_to(packed))}


def test_the_zip_is_the_folder(packed: Path) -> None:
    """Both hold the same files; times and permissions in the zip are fixed."""
    with zipfile.ZipFile(packed.with_name("package.zip")) as archive:
        files = {entry.filename: entry for entry in archive.infolist()}
        assert list(files) == [path.relative_to(packed).as_posix() for path in contents(packed)]
        assert {entry.date_time for entry in files.values()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in files.values()} == {0o100644}
        name = "auth/clouds.py"
        assert archive.read(name) == (packed / name).read_bytes()


def test_times_do_not_matter(packed: Path) -> None:
    """The compiled file is used whatever the modification time of its source."""
    for name in ("auth/clouds.py", str(SITE_PACKAGES / "msrest" / "version.py")):
        os.utime(packed / name, (1, 1))
    output = subprocess.run(
        [sys.executable, "-P", "-S", "-v", "-c", "import auth.clouds, msrest.version"],
        env={"PYTHONPATH": os.pathsep.join((str(packed / SITE_PACKAGES), str(packed)))},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    for name in ("auth/__pycache__/clouds.", "msrest/__pycache__/version."):
        used = [
            line
            for line in output.splitlines()
            if line.startswith("# code object") and name in line
        ]
        assert len(used) == 1


def source_of(folder: Path, contents: Mapping[str, str]) -> Path:
    """A project whose .funcignore allows all of these files, by path."""
    source = folder / "source"
    for name, content in {".funcignore": "/*/*.onnx\n/*/*.pyc", **contents}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)
    return source


@pytest.mark.parametrize("kind", ["", "RSA ", "ENCRYPTED "])
def test_private_key_in_a_resource_is_refused(kind: str, tmp_path: Path) -> None:
    """A private key is found by its form in any file, whatever its name."""
    content = f'{{"key": "-----BEGIN {kind}PRIVATE KEY-----"}}'
    source = source_of(tmp_path, {"bot_logic/account.json": content, "bot_logic/x.py": ""})
    with pytest.raises(PackageError, match=r": bot_logic/account\.json$"):
        package.build(source, tmp_path / "package")


def test_what_the_bot_leaves_behind(tmp_path: Path) -> None:
    """Files of the bot whose kind .funcignore does not know are named, compiled ones are not."""
    files = ("bot_logic/bot.py", "bot_logic/a.onnx", "bot_logic/x.pyc", "auth/b.onnx", "c.onnx")
    source = source_of(tmp_path, dict.fromkeys(files, ""))
    assert package.left_out(source) == [Path("bot_logic/a.onnx")]


@pytest.mark.parametrize(
    "name",
    [
        *(".env", "prod.env", ".env.local", "a.PEM", "a.pfx", "a.p12", "a.key", "a.json.key"),
        *("secrets.json", "secret.yml", "Secrets.TXT"),
    ],
)
def test_key_material_is_refused(name: str, tmp_path: Path) -> None:
    """A package that would hold key material is not built, whatever .funcignore says."""
    source = source_of(tmp_path, {f"auth/{name}": "", "auth/keys.py": "", "auth/secrets.py": ""})
    with pytest.raises(PackageError, match=f": auth/{name}$"):
        package.build(source, tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_another_python(tmp_path: Path) -> None:
    """Another Python version builds nothing: its compiled files would be of no use in Azure."""
    with pytest.raises(PackageError, match=r"run this with Python 3\.13"):
        package.build(ROOT, tmp_path / "package", python_version=(3, 14))
    assert not (tmp_path / "package").exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If the package cannot be built, the reason is shown and the exit status is 1."""

    def install(_requirements: Path, _target: Path) -> None:
        raise InstallError("no matching distribution")

    assert package.main(["--to", str(tmp_path / "package")], install) == 1
    assert "no matching distribution" in capsys.readouterr().err


def test_packages_that_do_not_fit_are_refused(uploaded: Path, tmp_path: Path) -> None:
    """The bot's requirements are compared with the base's before pip runs."""
    source = tmp_path / "source"
    shutil.copytree(uploaded, source)
    requirements = source / "bot_logic" / "requirements.txt"
    requirements.write_text("# from before\nbotbuilder-core==4.17.0\n")
    with pytest.raises(PackageError, match=r"bot_logic/requirements\.txt:2: botbuilder-core"):
        package.build(source, tmp_path / "package", install=not_reached)
    requirements.unlink()
    with pytest.raises(RequirementsError, match=r"bot_logic/requirements\.txt is missing"):
        package.build(source, tmp_path / "package", install=not_reached)


def test_import_times(packed: Path) -> None:
    """In the package alone, function_app's import is measured, then all that a first turn needs."""
    indexed, composed = package.import_times(packed, runs=1)
    assert 0 < indexed < composed


def test_wrong_functions_are_refused(uploaded: Path, tmp_path: Path) -> None:
    """Functions that the app would leave out are named, also those that need storage."""
    source = tmp_path / "source"
    shutil.copytree(uploaded, source)
    body = "".join(
        WRONG[case][0] for case in ("a name of a function that is off", "the route a//b")
    )
    routes = source / "bot_logic" / "routes.py"
    routes.write_text(
        "import azure.functions as func\n\n\ndef create_routes(ready):\n"
        f"    routes = func.Blueprint()\n{indent(GOOD + body, '    ')}    return routes\n"
    )
    with pytest.raises(PackageError, match=r"(?s)function turns: .*function wrong: .*a//b"):
        package.build(source, tmp_path / "package", install=not_reached)
    for code, fault in (
        ("raise LookupError('a fault of its own')", "LookupError: a fault of its own"),
        ("import atexit\natexit.register(print, 'bye')\nprint('hi', end='')", "no attribute"),
        ("import os\nos._exit(0)", "cannot be imported"),
    ):
        routes.write_text(code)
        with pytest.raises(PackageError, match=fault):
            package.build(source, tmp_path / "package", install=not_reached)


def not_reached(_requirements: Path, _target: Path) -> None:
    """Stands for the installation, before which the package is refused."""
    raise AssertionError
