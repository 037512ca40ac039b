"""A developer's file is replaced in one step."""

from pathlib import Path

import pytest

from bot_workbench.admin.migrate.managed_identity.developer_files import FilesRefused, write_text


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
