"""Rows: how reports are printed on a terminal."""

from io import StringIO

from rich.console import Console

from bot_workbench.admin.console import Row, print_tables


def test_a_command_to_paste_stays_one_line() -> None:
    """In a table, a terminal of 40 columns would break it; another text is folded."""
    command = "bot migrate status --bot contoso-bot --app contoso-functions"
    file = StringIO()
    rows = [Row("App", "text", command), Row("Next", "run", command)]
    print_tables(Console(file=file, width=40), rows, pasted=("Next",))
    folded, _, pasted = file.getvalue().partition("Next\n")
    assert command not in folded
    assert pasted == f"  run   {command}\n"
