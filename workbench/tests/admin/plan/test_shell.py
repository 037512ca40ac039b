"""Shell lines: what is printed for people to paste means what it should in bash."""

import subprocess

import pytest

from bot_workbench.admin.plan.shell import MAX_LINE, az, on_one_line, quoted, wrapped


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("plain", "plain"),
        ("two words", "two words"),
        ("it's", "it's"),
        ("NAME=$SINCE", "NAME=the value"),
        ('"$SINCE" `id` \\ $SINCE', '"the value" `id` \\ the value'),
        ("$(id)", "$(id)"),
        ("$lower $1", "$lower $1"),
        ("stage=$PROD $SINCE_THEN", "stage=$PROD $SINCE_THEN"),
        ("$PROD $SINCE", "$PROD the value"),
        ("", ""),
    ],
)
def test_only_variables_are_replaced(text: str, meaning: str) -> None:
    """Everything else reaches the program as it is."""
    script = f"SINCE='the value'; printf %s {quoted(text)}"
    shown = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)  # noqa: S607
    assert shown.stdout == meaning


def test_a_long_command_is_continued() -> None:
    """It is one command all the same, and prints nothing if it succeeds."""
    command = az("ad app credential reset", {"--append": None, "--id": "x" * 100, "--cert": "@a b"})
    assert max(map(len, command.splitlines())) <= MAX_LINE + 2
    words = subprocess.run(
        ["bash", "-c", f"az() {{ printf '%s\\n' \"$@\"; }}; {command}"],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert words == [
        *["ad", "app", "credential", "reset", "--append", "--id"],
        "x" * 100,
        "--cert",
        "@a b",
        "--output",
        "none",
    ]


def test_a_short_command_stays_on_its_line() -> None:
    """Nothing is broken without need."""
    assert wrapped(["az", "login"]) == "az login"


def test_powershell_gets_one_line() -> None:
    """It continues lines with another character than bash."""
    command = az(
        "resource update", {"--ids": "/subscriptions/1" * 5, "--set": "properties.a=b" * 5}
    )
    assert "\n" in command
    assert on_one_line(command).split() == [word for word in command.split() if word != "\\"]
    assert "\n" not in on_one_line(command)
