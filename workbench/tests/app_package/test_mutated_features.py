"""Features with one mistake each are refused, for that mistake and in their file's name."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.admin.app_package.filled_manifest import FOLDER, FilledManifest, named_features
from bot_workbench.admin.migrate.managed_identity.developer_files import FilesRefused
from tests.app_package.conftest import (
    BOT_ID,
    MANIFEST,
    SSO_APP_ID,
    VALUES,
    SchemaErrors,
)
from tests.app_package.written_package import package_of

Json = Any
Mutation = Callable[[Json], object]

OTHER_BOT = "22222222-2222-4333-8444-555555555555"
APP = "webApplicationInfo"


def commands(feature: Json) -> Json:
    """The commands of the message extension."""
    return feature["composeExtensions"][0]["commands"]


SCHEMA: dict[str, tuple[str, Mutation, str]] = {
    "single sign-on without an id": (
        "sso",
        lambda f: f[APP].pop("id"),
        "/webApplicationInfo must have required property 'id'",
    ),
    "single sign-on with a misspelt member": (
        "sso",
        lambda f: f[APP].update(ressource=f[APP]["resource"]),
        "/webApplicationInfo must NOT have additional properties",
    ),
    "files by another name": (
        "files",
        lambda f: f["bot"].update(supportFiles=True),
        "/bots/0 must NOT have additional properties",
    ),
    "files as a text": (
        "files",
        lambda f: f["bot"].update(supportsFiles="true"),
        "/bots/0/supportsFiles must be boolean",
    ),
    "files at the top": (
        "files",
        lambda f: f.update(supportsFiles=True),
        'must NOT have additional properties. Details: {"additionalProperty":"supportsFiles"}',
    ),
    "a command without a title": (
        "message_extension",
        lambda f: commands(f)[0].pop("title"),
        "/composeExtensions/0/commands/0 must have required property 'title'",
    ),
    "a command of an unknown type": (
        "message_extension",
        lambda f: commands(f)[0].update(type="search"),
        "/composeExtensions/0/commands/0/type must be equal to one of the allowed values",
    ),
    "a command in an unknown place": (
        "message_extension",
        lambda f: commands(f)[1].update(context=["chat"]),
        "/composeExtensions/0/commands/1/context/0 must be equal to one of the allowed values",
    ),
    "a parameter without a name": (
        "message_extension",
        lambda f: commands(f)[1]["parameters"][0].pop("name"),
        "/composeExtensions/0/commands/1/parameters/0 must have required property 'name'",
    ),
    "six parameters": (
        "message_extension",
        lambda f: commands(f)[0].update(parameters=commands(f)[0]["parameters"] * 6),
        "/composeExtensions/0/commands/0/parameters must NOT have more than 5",
    ),
    "two message extensions": (
        "message_extension",
        lambda f: f["composeExtensions"].append(copy.deepcopy(f["composeExtensions"][0])),
        "/composeExtensions must NOT have more than 1",
    ),
}
"""What Microsoft's validator says."""

RULES: dict[str, tuple[str, Mutation, str]] = {
    "an app that is no GUID": (
        "sso",
        lambda f: f[APP].update(id="my-app"),
        "/webApplicationInfo/id (FILE): 'my-app' is not a GUID",
    ),
    "a resource of another bot": (
        "sso",
        lambda f: f[APP].update(resource=f"api://botid-{OTHER_BOT}"),
        f"/webApplicationInfo/resource (FILE): Teams expects api://botid-{BOT_ID}",
    ),
    "a resource of another app registration": (
        "sso",
        lambda f: f[APP].update(resource=f"api://{OTHER_BOT}"),
        f"/webApplicationInfo/resource (FILE): Teams expects api://botid-{BOT_ID}",
    ),
    "a resource that only ends as it should": (
        "sso",
        lambda f: f[APP].update(resource="api://my-botid-${{BOT_ID}}"),
        "/webApplicationInfo/resource (FILE; BOT_ID in ENV): Teams expects api://botid-",
    ),
    "no resource": (
        "sso",
        lambda f: f[APP].pop("resource"),
        f"/webApplicationInfo/resource (FILE): Teams expects api://botid-{BOT_ID}",
    ),
    "a resource at a host that is not the app's": (
        "sso",
        lambda f: f[APP].update(resource="api://tab.canteen.test/botid-${{BOT_ID}}"),
        "/webApplicationInfo/resource (FILE; BOT_ID in ENV): validDomains lacks its host name, tab",
    ),
    "sign-in without the token service": (
        "sso",
        lambda f: f.update(validDomains=["${{BOT_DOMAIN}}"]),
        "/validDomains (FILE): people sign in at the token service",
    ),
    "files outside of personal chats": (
        "files",
        lambda f: f["bot"].update(scopes=["team", "groupChat"]),
        "/bots/0/supportsFiles (FILE): people send a bot files in personal chats",
    ),
    "a message extension of another bot": (
        "message_extension",
        lambda f: f["composeExtensions"][0].update(botId=OTHER_BOT),
        f"/composeExtensions/0/botId (FILE): another bot than {BOT_ID}",
    ),
    "two commands with one id": (
        "message_extension",
        lambda f: commands(f)[1].update(id="search"),
        "/composeExtensions/0/commands/1/id (FILE): 'search' is the id of another command, at"
        " /composeExtensions/0/commands/0/id",
    ),
    "a variable without a value": (
        "sso",
        lambda f: f[APP].update(id="${{MY_APP_ID}}"),
        "MY_APP_ID is empty: set it in ENV",
    ),
    "bots, as in a manifest": (
        "files",
        lambda f: f.update(bots=[f.pop("bot")]),
        'FILE is not a feature: write "bot" and an object',
    ),
    "a list of bots": (
        "files",
        lambda f: f.update(bot=[f["bot"]]),
        'FILE is not a feature: write "bot" and an object',
    ),
    "nothing": ("files", lambda f: f.clear(), "FILE is not a feature: it is not a JSON object"),
}
"""What the project's rules say."""


def mutated(name: str, mutate: Mutation, folder: Path) -> Path:
    """A feature's file of somebody's own, like the project's but for a mistake."""
    feature = json.loads((MANIFEST.parent / FOLDER / f"{name}.json").read_text("utf-8"))
    mutate(feature)
    path = folder / "own.json"
    path.write_text(json.dumps(feature), "utf-8")
    return path


@pytest.fixture(scope="module")
def said(
    schema_errors: SchemaErrors, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What Microsoft's validator says of a manifest with each mutated feature."""
    manifests = []
    for name, mutate, _ in SCHEMA.values():
        own = mutated(name, mutate, tmp_path_factory.mktemp("feature"))
        features = named_features([str(own)], MANIFEST.parent)
        manifests.append(FilledManifest(MANIFEST, VALUES, features).value)
    return dict(zip(SCHEMA, schema_errors(manifests), strict=True))


@pytest.mark.parametrize("case", SCHEMA)
def test_microsofts_validator_refuses(case: str, said: dict[str, list[str]]) -> None:
    """The validator names the mistake, and nothing else."""
    [error] = said[case]
    assert SCHEMA[case][2] in error


@pytest.mark.usefixtures("schemas")
@pytest.mark.parametrize("case", SCHEMA)
def test_the_command_refuses_what_the_schema_refuses(
    manifest: Json, case: str, tmp_path: Path
) -> None:
    """`make app-package` refuses the same features."""
    name, mutate, _ = SCHEMA[case]
    own = mutated(name, mutate, tmp_path)
    with pytest.raises(FilesRefused):
        package_of(manifest, tmp_path, features=named_features([str(own)], tmp_path))


@pytest.mark.parametrize("case", RULES)
def test_the_rules_refuse(manifest: Json, case: str, tmp_path: Path) -> None:
    """The command names the mistake by its place and its file, and nothing else."""
    name, mutate, reason = RULES[case]
    own = mutated(name, mutate, tmp_path)
    with pytest.raises(FilesRefused) as refused:
        package_of(manifest, tmp_path, features=named_features([str(own)], tmp_path))
    [found] = refused.value.reasons
    expected = reason.replace("FILE", str(own)).replace("ENV", str(tmp_path / ".env"))
    assert found.startswith(expected)


@pytest.mark.parametrize("content", ["{", "[]", '"sso"', None])
def test_a_feature_is_a_json_object(content: str | None, tmp_path: Path) -> None:
    """A file that is missing or is something else is refused."""
    own = tmp_path / "own.json"
    if content is not None:
        own.write_text(content, "utf-8")
    with pytest.raises(FilesRefused, match=r"own\.json (cannot be read|is not a feature)"):
        named_features([str(own)], tmp_path)


def test_two_features_that_contradict_each_other(tmp_path: Path) -> None:
    """The same member with two values is refused; the same value twice is not."""
    own = tmp_path / "own.json"
    own.write_text('{"bot": {"supportsFiles": false}}', "utf-8")
    with pytest.raises(FilesRefused) as refused:
        named_features(["files", str(own)], MANIFEST.parent)
    assert refused.value.reasons[0].endswith(f"{own} set /bots/supportsFiles differently")
    own.write_text('{"bot": {"supportsFiles": true}}', "utf-8")
    assert len(named_features(["files", str(own)], MANIFEST.parent)) == 2


def test_a_feature_for_a_bot_needs_a_bot(manifest: Json, tmp_path: Path) -> None:
    """A manifest without bots cannot have the features of one."""
    del manifest["bots"]
    with pytest.raises(FilesRefused, match="the manifest has no bots"):
        package_of(manifest, tmp_path, features=named_features(["files"], MANIFEST.parent))


@pytest.mark.parametrize(
    "resource",
    [
        f"api://botid-{BOT_ID}",
        f"api://botid-{SSO_APP_ID}",
        f"api://{SSO_APP_ID}",
        f"api://{VALUES['BOT_DOMAIN']}/botid-{SSO_APP_ID}",
        f"API://BotId-{SSO_APP_ID.upper()}",
    ],
)
def test_the_resource_is_the_bot_or_the_registration(
    manifest: Json, resource: str, tmp_path: Path
) -> None:
    """An app registration of its own is exposed with the bot's id, or with its own."""
    own = mutated("sso", lambda f: f[APP].update(resource=resource), tmp_path)
    package_of(manifest, tmp_path, features=named_features([str(own)], tmp_path))


def test_a_host_that_is_the_apps(manifest: Json, tmp_path: Path) -> None:
    """A resource may name a host of the app's own, as apps with a tab do."""
    resource = f"api://{VALUES['BOT_DOMAIN']}/botid-${{{{BOT_ID}}}}"
    own = mutated("sso", lambda f: f[APP].update(resource=resource), tmp_path)
    features = named_features([str(own)], tmp_path)
    assert package_of(manifest, tmp_path, features=features).examples == ()
    manifest["validDomains"] = ["*.canteen.test", "token.botframework.com"]
    mutated(
        "sso",
        lambda f: f[APP].update(resource="api://tab.canteen.test/botid-${{BOT_ID}}"),
        tmp_path,
    )
    features = named_features([str(own)], tmp_path)
    assert package_of(manifest, tmp_path, features=features).examples == ()
