"""The options that the commands share, and those of one command, on a command line."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from bot_workbench.admin.migrate.certificate.commands import (
    CredentialOption,
    FileOption,
    RestartOption,
)
from bot_workbench.admin.plan.options import CHANGING, AppOption, BotOption, Options, with_options
from bot_workbench.credential_kinds import CERTIFICATE, SIGN_IN_VAULT
from tests.admin.moved_clock import MovedClock

LINE = "bot migrate certificate rotate --bot contoso-bot"


class Called:
    """A command that keeps what it was called with."""

    def __init__(self) -> None:
        self.options: list[Options] = []
        self.own: list[tuple[object, ...]] = []

    def command(
        self,
        options: Options,
        file: FileOption = None,
        credential: CredentialOption = SIGN_IN_VAULT,
        *,
        restart: RestartOption = False,
    ) -> None:
        """A command with own options of every kind."""
        self.options.append(options)
        self.own.append((file, credential, restart))

    def plain(self, options: Options) -> None:
        """A command without own options."""
        self.options.append(options)


def call(command: Callable[..., None], words: str, clock: MovedClock | None = None) -> int:
    """Run a command with the words of its command line, and return its exit status."""
    app = typer.Typer()
    app.command()(command)
    return run(app, words, clock)


def run(app: typer.Typer, words: str, clock: MovedClock | None = None) -> int:
    """Run an application with the words of its command line, and return its exit status."""
    with pytest.raises(SystemExit) as ended:
        app(shlex.split(words), prog_name="migrate", obj=clock)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--restart",
        "--file bot.pem --credential Certificate --restart",
        "--app new --resource-group group --subscription 'Contoso test' --cloud AzureUSGovernment",
        "--app new --file 'my bot.pem' --yes --timeout 4000 --dry-run --json",
    ],
)
def test_the_line_to_run_again_is_the_one_that_was_given(words: str) -> None:
    """Own and shared options are part of it, and options with their defaults are not."""
    called = Called()
    command = with_options("certificate rotate", called.command)
    defaults = "--timeout 900 --credential SignInVault --cloud AzureCloud"
    assert call(command, f"--bot contoso-bot {defaults} {words}") == 0
    assert called.options[0].again == f"{LINE} {words}".strip()


def test_own_options_arrive_as_python_values() -> None:
    """The function gets what its annotations say."""
    called = Called()
    words = "--bot b --file bot.pem --credential Certificate --restart"
    assert call(with_options("certificate", called.command), words) == 0
    assert called.own == [(Path("bot.pem"), CERTIFICATE, True)]


def test_a_shared_option_can_be_replaced() -> None:
    """Its default holds: one is required here, and the other is not."""
    called = Called()
    replaced = {"app": (AppOption, ...), "bot": (BotOption, "")}
    command = with_options("certificate", called.plain, replaced=replaced)
    assert call(command, "") == 2
    assert call(command, "--app new") == 0
    assert (called.options[0].app, called.options[0].bot, called.options[0].extra) == (
        "new",
        "",
        (),
    )


@pytest.mark.parametrize("words", ["--yes", "--dry-run", "--timeout 1"])
def test_a_command_may_do_without_some(words: str) -> None:
    """What is left out is an unknown option."""
    called = Called()
    command = with_options("status", called.command, without=CHANGING)
    assert call(command, f"--bot b {words}") == 2
    assert call(command, "--bot b") == 0
    assert not called.options[0].yes


@pytest.mark.parametrize("words", ["--bot '' --app new", "--bot b --app ''"])
def test_an_empty_value_is_a_missing_one(words: str) -> None:
    """A script whose variable is not set does not get the only bot that there is."""
    called = Called()
    command = with_options("managed-identity", called.plain, replaced={"app": (AppOption, ...)})
    assert call(command, "--bot b --app new") == 0
    assert call(command, words) == 2


@pytest.mark.parametrize("words", ["--dry-run", "--json", "--app new", "--timeout 900"])
def test_options_before_a_subcommand_are_refused(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would not get them: `certificate --dry-run rotate` would change Azure."""
    upper, lower = Called(), Called()
    app = typer.Typer()
    certificate = with_options("certificate", upper.plain, replaced={"bot": (BotOption, "")})
    app.callback(invoke_without_command=True)(certificate)
    app.command("rotate")(with_options("certificate rotate", lower.command))
    assert run(app, f"{words} rotate --bot b") == 2
    assert "write it after 'rotate'" in capsys.readouterr().err
    assert not upper.options
    assert not lower.options
    assert run(app, f"rotate --bot b {words}") == 0
    assert lower.options


def test_the_clock_is_the_callers() -> None:
    """Without one, it is the machine's."""
    called, clock = Called(), MovedClock()
    command = with_options("certificate", called.command)
    call(command, "--bot b", clock)
    call(command, "--bot b")
    assert called.options[0].clock is clock
    assert called.options[1].clock is None


def test_a_dry_run_stays_one() -> None:
    """The command line that goes on changes nothing if the interrupted one changed nothing."""
    line = "bot migrate switch --bot contoso-bot"
    assert Options("switch", "contoso-bot").again == line
    dry = Options("switch", "contoso-bot", dry_run=True, as_json=True)
    assert dry.again == f"{line} --dry-run --json"
