"""The picture of the first minutes: always the same for the same screen, and complete in itself."""

import re

from tools.first_minutes import PICTURE, SCREEN, draw, on_screen

ESCAPE = "\x1b"


class TestScreen:
    def test_a_live_display_leaves_what_stands_last(self) -> None:
        said = f"one\r\n{ESCAPE}[?25lpanel 1\r\nrest 1\r{ESCAPE}[2K{ESCAPE}[1A{ESCAPE}[2Kpanel 2\r\nrest 2"
        assert on_screen(said) == ["one", "panel 2", "rest 2"]

    def test_colours_stay(self) -> None:
        assert on_screen(f"{ESCAPE}[1mbold{ESCAPE}[0m\n") == [f"{ESCAPE}[1mbold{ESCAPE}[0m", ""]


class TestPicture:
    def test_it_is_what_the_screen_makes(self) -> None:
        assert draw(SCREEN.read_text()) == PICTURE.read_text(), "python -m tools.first_minutes draw"

    def test_nothing_in_it_is_fetched(self) -> None:
        drawn = PICTURE.read_text()
        assert "@font-face" not in drawn
        assert not re.search(r"(?:href|src)\s*=|url\((?![\"']?#)|@import", drawn)

    def test_it_shows_the_summary_what_to_look_at_and_the_panel_with_its_labels(self) -> None:
        shown = re.sub(f"{ESCAPE}\\[[0-9;]*m", "", SCREEN.read_text())
        assert "Every one of the 300 orders reached a final state." in shown
        assert "What to look at" in shown
        for label in ("sent", "captured", "in work", "waiting", "delivered", "cancelled", "returns", "in trouble"):
            assert re.search(rf"{label} \d", shown.split("What to look at")[1]), label
