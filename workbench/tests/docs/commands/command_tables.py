"""The commands of azd and of Core Tools that this project names, with their options.

Left out is `func azure functionapp publish --list-included-files`, which ignores .funcignore
(azure-functions-core-tools, InternalListIncludedFiles).

Sources: azd's usage texts (Azure/azure-dev, cli/azd/cmd, August 2026), and "Azure Functions Core
Tools reference" (learn.microsoft.com/azure/azure-functions/functions-core-tools-reference).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A command's arguments.

    Attributes:
        fewest, most: how many positional arguments it takes.
        flags: options without a value.
        options: options with a value.
        choices: the values that an option takes, where they are fixed.
    """

    fewest: int = 0
    most: int = 0
    flags: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    choices: tuple[tuple[str, frozenset[str]], ...] = ()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


AZD_FLAGS = _set("--debug --docs --help -h --no-prompt")
AZD_OPTIONS = _set("--cwd -C --environment -e --output -o")
"""The options of every command of azd."""


AZD = {
    "auth login": Command(
        flags=_set("--check-status --managed-identity --use-device-code"),
        options=_set(
            "--client-certificate --client-id --client-secret --federated-credential-provider"
            " --redirect-port --tenant-id"
        ),
        choices=(("--federated-credential-provider", _set("github azure-pipelines oidc")),),
    ),
    "auth logout": Command(),
    "auth status": Command(),
    "config get": Command(1, 1),
    "config set": Command(2, 2),
    "deploy": Command(0, 1, _set("--all"), _set("--from-package --timeout")),
    "down": Command(0, 1, _set("--force --purge")),
    "env get-value": Command(1, 1),
    "env get-values": Command(),
    "env list": Command(),
    "env new": Command(0, 1, options=_set("--location -l --subscription")),
    "env refresh": Command(0, 1, options=_set("--hint --layer")),
    "env select": Command(0, 1),
    "env set": Command(0, 99, options=_set("--file")),
    "hooks run": Command(1, 1, options=_set("--layer --platform --service")),
    "init": Command(
        0,
        1,
        _set("--from-code --minimal -m --up"),
        _set("--branch -b --filter -f --location -l --subscription -s --template -t"),
    ),
    "monitor": Command(flags=_set("--live --logs --overview")),
    "package": Command(0, 1, _set("--all"), _set("--output-path")),
    "pipeline config": Command(
        options=_set(
            "--applicationServiceManagementReference -m --auth-type --principal-id"
            " --principal-name --principal-role --provider --remote-name"
        ),
        choices=(
            ("--auth-type", _set("federated client-credentials")),
            ("--provider", _set("github azdo")),
        ),
    ),
    "provision": Command(0, 1, _set("--no-state --preview"), _set("--location -l --subscription")),
    "restore": Command(0, 1, _set("--all")),
    "show": Command(0, 1, _set("--show-secrets")),
    "up": Command(options=_set("--location -l --subscription")),
    "version": Command(),
}

FUNC = {
    "azure functionapp publish": Command(
        1,
        1,
        _set(
            "--build-native-deps --force -f --list-ignored-files --no-build"
            " --nozip --overwrite-settings -y --publish-local-settings -i --publish-settings-only"
            " -o --python --show-keys --access-token-stdin"
        ),
        _set("--access-token --additional-packages --build -b --management-url --slot")
        | {"--subscription"},
        (("--build", _set("remote local")),),
    ),
    "azure functionapp list-functions": Command(1, 1, _set("--show-keys")),
    "pack": Command(0, 1, _set("--build-native-deps --no-build"), _set("--output -o")),
    "start": Command(
        flags=_set("--enable-json-output --no-build --useHttps --verbose"),
        options=_set("--cert --cors --functions --language-worker --port -p --timeout"),
    ),
}


def fault(line: list[str], table: dict[str, Command], *, is_azd: bool = False) -> str:
    """What is wrong with a command line; empty: nothing.

    Args:
        line: its words after the program's name.
        table: the program's commands.
        is_azd: the options that every command of azd takes are allowed.
    """
    name = next((each for each in table if line[: len(each.split())] == each.split()), None)
    if name is None:
        return f"there is no command {' '.join(line[:3])}"
    command, rest, positional = table[name], line[len(name.split()) :], 0
    flags = command.flags | (AZD_FLAGS if is_azd else frozenset())
    options = command.options | (AZD_OPTIONS if is_azd else frozenset())
    while rest:
        word, *rest = rest
        option, equals, value = word.partition("=")
        if not word.startswith("-"):
            positional += 1
        elif option in options:
            if not equals:
                if not rest:
                    return f"{name} {option} has no value"
                value, *rest = rest
            allowed = dict(command.choices).get(option)
            if allowed and value not in allowed:
                return f"{name} {option} does not take {value}"
        elif word not in flags:
            return f"{name} has no option {word}"
    if not command.fewest <= positional <= command.most:
        return f"{name} does not take {positional} arguments"
    return ""
