"""The composition root: what it reads beside itself."""

from pathlib import Path

from composition import BUILT_IN_AZURE, PACKAGE_HASH, package_hash


def test_a_package_is_named_by_its_hash(tmp_path: Path) -> None:
    """The file has one line."""
    (tmp_path / PACKAGE_HASH).write_text(f"{'0a' * 32}\n", "ascii")
    assert package_hash(tmp_path) == "0a" * 32


def test_what_azure_has_built_has_no_hash(tmp_path: Path) -> None:
    """`func azure functionapp publish` uploads no such file."""
    assert package_hash(tmp_path) == BUILT_IN_AZURE
