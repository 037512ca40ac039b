"""A developer's file is replaced in one step."""

import subprocess
from pathlib import Path

import pytest

from bot_workbench.admin.migrate.managed_identity.developer_files import (
    FilesRefused,
    shell_lines,
    write_text,
)


def test_mode_and_link(tmp_path: Path) -> None:
    """A link stays a link, and the file keeps its mode."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "target"]


def test_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the new file cannot take its place, the old one is untouched, and nothing is left over."""
    file = tmp_path / "file"
    file.write_text("old")

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(FilesRefused, match="cannot be written"):
        write_text(file, "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A=b\nBOT_ID='x' # y\nC=d\n", "A=b\nBOT_ID='z' # y\nC=d\n"),
        ("A=b\r\nBOT_ID='x'\r\nC=d", "A=b\r\nBOT_ID='z'\r\nC=d\r\nAGENT_ID=z\r\n"),
        ("", "BOT_ID=z\n"),
        ("A=b\n", "A=b\nBOT_ID=z\nAGENT_ID=z\n"),
        (r'{"a": "x|.*\\[^$]", "b": "${{X}}"}', r'{"a": "z|&\\1\n", "b": "${{X}}"}'),
        ('{\u2028"a": "x"}', '{\u2028"a": "z"}'),
    ],
    ids=["lines", "Windows", "an empty file", "added lines", "special characters", "separators"],
)
def test_the_shell_lines_write_the_same(tmp_path: Path, old: str, new: str) -> None:
    """A dry run's lines do what the command does, and leave nothing beside the file."""
    file = tmp_path / "it's a file"
    file.write_text(old, "utf-8", newline="")
    script = "\n".join(shell_lines(file, old, new))
    subprocess.run(["/bin/bash", "-e", "-c", script], check=True)
    assert file.read_bytes().decode() == new
    assert list(tmp_path.iterdir()) == [file]
