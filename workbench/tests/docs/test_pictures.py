"""The picture of the architecture shows the code as it is."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.pictures.architecture import (
    BOT,
    PICTURE,
    ROOMS,
    Picture,
    imports_of_rooms,
    modules,
    room_of,
)
from tests.support.project import ROOT


def test_the_architecture_is_up_to_date() -> None:
    """`make picture` would write the committed file again."""
    assert PICTURE.read_text("utf-8") == Picture(modules()).svg(), "run `make picture`"


def test_each_module_has_a_room() -> None:
    """No module of the packages is left out of the picture, and no room but the bot's is empty."""
    assert {room_of(module) for module in modules()} == set(ROOMS) - {BOT}


def test_an_import_that_leads_up_is_refused(tmp_path: Path) -> None:
    """The picture is not drawn when its floors are not those of the code."""
    file = tmp_path / "pool.py"
    file.write_text("def pool():\n    from auth.settings import Settings\n")
    known = {"http_client.pool": file, "auth.settings": ROOT / "auth" / "settings.py"}
    with pytest.raises(ValueError, match=r"http_client\.pool imports auth\.settings"):
        imports_of_rooms(known)


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "pictures").glob("*.svg")))
def test_pictures_have_a_title_and_suit_dark_mode(picture: Path) -> None:
    """Each SVG is well-formed, names itself for screen readers, and has colors for dark mode."""
    text = picture.read_text("utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314  # our own file
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert "prefers-color-scheme: dark" in text
