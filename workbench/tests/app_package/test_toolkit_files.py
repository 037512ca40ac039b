"""m365agents*.yml and env/: the Agents Toolkit's schema takes them, and they fit the project."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from auth.settings import Settings
from bot_workbench.admin.app_package.filled_manifest import FilledManifest, named_features
from bot_workbench.admin.migrate.managed_identity.developer_files import EnvFile
from maintenance.targets import TABLE
from maintenance.tools import TEST_FILES
from tests.app_package.conftest import BOT_ID, MANIFEST
from tests.app_package.local_file import local_settings
from tests.docs.commands.command_tables import AZD, fault
from tests.support.project import ROOT

VERSION = "v1.13"
FILES = ["m365agents.yml", "m365agents.local.yml", "m365agents.playground.yml"]
ENVIRONMENTS = {"dev": FILES[0], "local": FILES[1], "playground": FILES[2]}
STAGES = ("provision", "deploy", "publish")
VARIABLE = re.compile(r"\$\{\{(\w+)\}\}")

Json = Any


def parsed(name: str) -> Json:
    """One of the Toolkit's files."""
    return YAML(typ="safe").load((ROOT / name).read_text("utf-8"))


def steps(name: str) -> Iterator[tuple[str, Json]]:
    """The steps of a file, each with its stage, in their order."""
    content = parsed(name)
    for stage in STAGES:
        yield from ((stage, step) for step in content.get(stage, []))


def step(content: Json, uses: str) -> Json:
    """The first step of a parsed file with an action."""
    found = [each for stage in STAGES for each in content.get(stage, []) if each["uses"] == uses]
    return found[0]


@pytest.fixture(scope="session")
def schema() -> Path:
    """The Toolkit's own schema of the version that the files name."""
    if not TEST_FILES.is_done():
        pytest.skip("`make test ALL=1` installs it, with npm")
    return TEST_FILES.folder / "m365agents.schema.json"


def test_the_toolkits_schema_accepts_them(schema: Path) -> None:
    """The files are valid, as check-jsonschema reads them."""
    paths = [str(ROOT / name) for name in FILES]
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_editors_find_the_schema(name: str) -> None:
    """The first line names the schema of the version that the file has."""
    first = (ROOT / name).read_text("utf-8").splitlines()[0]
    assert first.endswith(f"=https://aka.ms/m365-agents-toolkits/{VERSION}/yaml.schema.json")
    assert parsed(name)["version"] == VERSION


MUTATIONS: dict[str, tuple[str, Callable[[Json], object], str]] = {
    "an old version": (FILES[0], lambda f: f.update(version="v1.2"), "version"),
    "no version": (FILES[0], lambda f: f.pop("version"), "version"),
    "an unknown stage": (FILES[0], lambda f: f.update(build=[]), "build"),
    "an unknown action": (
        FILES[0],
        lambda f: f["provision"][0].update(uses="teamsApp/make"),
        "provision[0]",
    ),
    "no name of the app": (
        FILES[0],
        lambda f: step(f, "teamsApp/create")["with"].pop("name"),
        "provision[0]",
    ),
    "an id that is not kept": (
        FILES[0],
        lambda f: step(f, "teamsApp/create").pop("writeToEnvironmentFile"),
        "provision[0]",
    ),
    "a variable in lower case": (
        FILES[0],
        lambda f: step(f, "teamsApp/create").update(
            writeToEnvironmentFile={"teamsAppId": "teamsAppId"}
        ),
        "provision[0]",
    ),
    "no manifest": (
        FILES[0],
        lambda f: step(f, "teamsApp/validateManifest")["with"].pop("manifestPath"),
        "provision[1]",
    ),
    "no folder for the zip's files": (
        FILES[0],
        lambda f: step(f, "teamsApp/zipAppPackage")["with"].pop("outputFolder"),
        "provision[2]",
    ),
    "a script without a command": (
        FILES[0],
        lambda f: step(f, "script").update({"with": {}}),
        "deploy[0]",
    ),
    "a published id that is not kept": (
        FILES[0],
        lambda f: step(f, "teamsApp/publishAppPackage").pop("writeToEnvironmentFile"),
        "publish[4]",
    ),
    "a secret that has no variable": (
        FILES[1],
        lambda f: step(f, "aadApp/create")["with"].update(generateClientSecret=True),
        "provision[1]",
    ),
    "an unknown audience": (
        FILES[1],
        lambda f: step(f, "aadApp/create")["with"].update(signInAudience="SingleTenant"),
        "provision[1]",
    ),
    "a bot without an endpoint": (
        FILES[1],
        lambda f: step(f, "botFramework/create")["with"].pop("messagingEndpoint"),
        "provision[3]",
    ),
    "an unknown channel": (
        FILES[1],
        lambda f: step(f, "botFramework/create")["with"].update(channels=[{"name": "teams"}]),
        "provision[3]",
    ),
    "settings without a file": (
        FILES[1],
        lambda f: step(f, "file/createOrUpdateEnvironmentFile")["with"].pop("target"),
        "deploy[1]",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_toolkits_schema_refuses_mistakes(name: str, schema: Path) -> None:
    """A file with one mistake is refused once, at the place of the mistake."""
    file, mutate, place = MUTATIONS[name]
    content = copy.deepcopy(parsed(file))
    mutate(content)
    [error] = Draft7Validator(json.loads(schema.read_text("utf-8"))).iter_errors(content)
    assert place in f"{error.json_path} {error.message}"


@pytest.mark.parametrize("name", FILES)
def test_no_step_makes_a_secret(name: str) -> None:
    """No action creates a client secret, or writes one to a file."""
    for _, each in steps(name):
        assert each["uses"] != "botAadApp/create"
        assert each.get("with", {}).get("generateClientSecret") in {None, False}
        assert "secret" not in json.dumps(each).lower().replace("generateclientsecret", "")


@pytest.mark.parametrize("environment", ["dev", "local"])
def test_every_variable_has_a_line(environment: str) -> None:
    """Each variable of the manifest, of its features and of a step is in the environment's file."""
    known = EnvFile(ROOT / "env" / f".env.{environment}").values
    features = named_features(["files", "message_extension", "sso"], MANIFEST.parent)
    manifest = FilledManifest(MANIFEST, {}, features)
    steps_text = (ROOT / ENVIRONMENTS[environment]).read_text("utf-8")
    assert {*manifest.missing, *VARIABLE.findall(steps_text)} <= known.keys()
    assert known["TEAMSFX_ENV"] == environment


def test_variables_are_known_when_they_are_used() -> None:
    """A step uses variables that the file of a new clone has, or an earlier step writes."""
    for environment, name in ENVIRONMENTS.items():
        values = EnvFile(ROOT / "env" / f".env.{environment}").values
        by_hand = {"BOT_ID", "BOT_DOMAIN"} if environment == "dev" else {"BOT_ENDPOINT"}
        known = {key for key, value in values.items() if value} | by_hand
        for _, each in steps(name):
            assert set(VARIABLE.findall(json.dumps(each))) <= known, each
            known |= set(each.get("writeToEnvironmentFile", {}).values())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_clone_has_no_ids(environment: str) -> None:
    """What Azure, Entra ID and the Toolkit fill in is empty, and nothing looks like a secret."""
    values = EnvFile(ROOT / "env" / f".env.{environment}").values
    assert not [key for key in values if re.search("SECRET|PASSWORD|KEY|TOKEN", key)]
    assert not [key for key, value in values.items() if key.endswith("_ID") and value]


def test_git_ignores_secrets() -> None:
    """The files that the Toolkit keeps secrets in, and what is built, are not committed."""
    paths = ["env/.env.dev.user", "env/.env.local.user", ".cache/teams.env", "artifacts/app.zip"]
    command = ["git", "check-ignore", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == paths
    assert subprocess.run(["git", "check-ignore", "env/.env.dev"], cwd=ROOT, check=False).returncode  # noqa: S607


@pytest.mark.parametrize("name", FILES)
def test_paths_exist(name: str) -> None:
    """What a step reads is in the project, or an earlier step of its stage has written it."""
    written: set[tuple[str, str]] = set()
    for stage, each in steps(name):
        given = each.get("with", {})
        if path := given.get("manifestPath"):
            assert (ROOT / path).samefile(MANIFEST)
        if path := given.get("appPackagePath"):
            assert (stage, path) in written
        written.add((stage, given.get("outputZipPath")))


def test_scripts_run_what_the_project_has() -> None:
    """A script's command is a target of make and run.py, the project's script, or azd."""
    runs = [
        each["with"]["run"] for name in FILES for _, each in steps(name) if "run" in each["with"]
    ]
    assert len(runs) == 4
    for run in runs:
        program, first, *rest = run.split()
        known = {
            "make": first in TABLE and not rest,
            "azd": not fault([first, *rest], AZD, is_azd=True),
            "sh": (ROOT / first).is_file(),
        }
        assert known[program], run


def test_azd_deploys_the_service_that_is_named() -> None:
    """The service is azure.yaml's."""
    services = YAML(typ="safe").load((ROOT / "azure.yaml").read_text("utf-8"))["services"]
    assert "bot" in services


def test_the_local_bot_is_reached_and_can_sign_in() -> None:
    """Teams calls its endpoint, and its tenant alone has its app, with a service principal."""
    content = parsed(FILES[1])
    registration = step(content, "aadApp/create")["with"]
    assert (registration["signInAudience"], registration["generateServicePrincipal"]) == (
        "AzureADMyOrg",
        True,
    )
    bot = step(content, "botFramework/create")["with"]
    assert bot["messagingEndpoint"] == "${{BOT_ENDPOINT}}/api/messages"
    assert bot["channels"] == [{"name": "msteams"}]


def test_the_local_bot_has_the_settings_it_needs() -> None:
    """The app accepts the settings that the local variant writes."""
    tenant_id = "33333333-2222-4333-8444-555555555555"
    settings = Settings.from_environ(local_settings(BOT_ID, tenant_id))
    assert (settings.app_id, settings.tenant_id) == (BOT_ID, tenant_id)
    assert settings.certificate is not None
    assert settings.certificate.path == f".cache/teams-{BOT_ID}.pem"
