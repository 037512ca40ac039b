"""`bot app-package`: the zip that is uploaded to Teams."""

import re
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.admin import console
from bot_workbench.admin.app_package.filled_manifest import named_features
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.app_package.package import AppPackage, AppValues
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.console import JsonOption, shown
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.admin.migrate.managed_identity.developer_files import FilesRefused, write_text

_GIVEN = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.+)", re.DOTALL)

EnvFileOption = Annotated[
    Path,
    typer.Option("--env-file", metavar="FILE", help="The .env file with the values to fill in."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A value for this package alone. May be repeated."
    ),
]
AzdOption = Annotated[
    str | None,
    typer.Option(
        "--azd",
        metavar="NAME",
        envvar="AZURE_ENV_NAME",
        help="The azd environment that has the bot; by default azd's current one.",
    ),
]
ManifestOption = Annotated[
    Path,
    typer.Option("--manifest", metavar="FILE", help="The manifest; the icons are beside it."),
]
FeatureOption = Annotated[
    list[str] | None,
    typer.Option(
        "--feature",
        metavar="NAME",
        help="Add a feature to the manifest: the name of a file in features beside it, or a path to"
        " a .json file. May be repeated.",
    ),
]
WriteManifestOption = Annotated[
    bool,
    typer.Option("--write-manifest", metavar="", help="Also write the features into the manifest."),
]
ToOption = Annotated[Path, typer.Option("--to", metavar="FILE", help="The zip.")]
PublishOption = Annotated[
    bool,
    typer.Option(
        "--publish", metavar="", help="Also refuse the names and addresses of the example."
    ),
]


app = typer.Typer(add_completion=False)


@app.command("app-package")
def app_package(
    env_file: EnvFileOption = Path("env/.env.dev"),
    given: SetOption = None,
    azd: AzdOption = None,
    manifest: ManifestOption = Path("app_package/manifest.json"),
    feature: FeatureOption = None,
    to: ToOption = Path("artifacts/app-package.zip"),
    *,
    write_manifest: WriteManifestOption = False,
    publish: PublishOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build the Teams app's package: check the manifest, and zip it.

    The .env file has the values of the manifest's variables. Its empty
    BOT_ID and BOT_DOMAIN are filled in from azd, and TEAMS_APP_ID with a
    new GUID. Nothing is sent anywhere.

    These features are there: sso (single sign-on), files, and
    message_extension. Give them each time, or --write-manifest once.

    [bold]Examples[/bold]

      bot app-package
      bot app-package --env-file env/.env.prod --publish
      bot app-package --feature sso --feature files
      bot app-package --set BOT_DOMAIN=my-bot.azurewebsites.net

    [bold]Exit status[/bold]

      0  the zip is there
      2  there is no zip: Teams would reject it, a feature is unknown, or
         a file cannot be read or written; each reason is printed

    [bold]--json[/bold] prints one object:

      {"package": FILE, "id": GUID, "botId": GUID, "version": TEXT,
       "features": [FILE], "schema": FILE or null,
       "written": {NAME: VALUE}, "warnings": [TEXT]}
    """
    try:
        known = KnownBot.read(azd)
        values = AppValues(env_file, _given(given or []), known)
        features = named_features(feature or [], manifest.parent)
        package = AppPackage(manifest, values, known, features, publish=publish)
        if package.found:
            write_text(env_file, values.file.with_values(package.found))
        if write_manifest:
            package.write_manifest()
        package.write(to)
    except FilesRefused as refusal:
        console.write_error("\n".join(["There is no app package:", *refusal.reasons]))
        raise typer.Exit(ExitStatus.USAGE) from refusal
    warnings = [*values.contradictions, *package.examples]
    if as_json:
        console.write_json(_report(package, to, warnings))
    else:
        _print(package, to, env_file, warnings)
        if write_manifest:
            console.write(f"{manifest} has the features now: commit it.")


def _given(texts: list[str]) -> dict[str, str]:
    matches = {text: _GIVEN.fullmatch(text) for text in texts}
    if wrong := [text for text, match in matches.items() if match is None]:
        raise typer.BadParameter(f"--set {wrong[0]}: write NAME=VALUE")
    return {match[1]: match[2] for match in matches.values() if match}


def _report(package: AppPackage, to: Path, warnings: list[str]) -> JsonObject:
    strings = package.strings
    return {
        "package": str(to),
        "id": strings.get(("id",)),
        "botId": strings.get(("bots", 0, "botId")),
        "version": strings.get(("version",)),
        "features": [str(feature.path) for feature in package.features],
        "schema": str(package.schema) if package.schema else None,
        "written": package.found,
        "warnings": warnings,
    }


def _print(package: AppPackage, to: Path, env_file: Path, warnings: list[str]) -> None:
    strings = package.strings
    name, version = strings.get(("name", "short"), ""), strings.get(("version",), "")
    lines = [f"{to}: {name} {version}"]
    if package.features:
        lines.append(f"With {', '.join(feature.path.stem for feature in package.features)}.")
    if package.found:
        lines.append(f"{env_file} has {', '.join(sorted(package.found))} now: commit it.")
    if package.schema is None:
        lines.append(
            "Not checked with Microsoft's schema: the manifest's $schema names none that is"
            " installed. `make setup` installs them."
        )
    lines += [f"Look at {warning}" for warning in warnings]
    lines += [
        "",
        "To try it:     Teams, Apps, Manage your apps, Upload an app, Upload a custom app",
        "For everybody: Teams admin center, Teams apps, Manage apps, Actions, Upload new app",
        f'To update it:  raise "version" ({version}) in the manifest, and upload again',
    ]
    console.write("\n".join(map(shown, lines)))
