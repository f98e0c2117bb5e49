"""The words over each other: readable in colour, without colour, by ear, and as plain letters."""

from __future__ import annotations

import re
from contextlib import closing
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_workshop.cues import columns
from asr_workshop.scoring import ScoringError, score, show_errors
from asr_workshop.scoring.aligned import LABELS, LINE_COLUMNS, stylesheet

words = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=9)
texts = st.lists(
    st.sampled_from(["the", "boat", "<b>", "&amp;", "你好", "مرحبا"]) | words, max_size=40
)


class Shown(HTMLParser):
    """Collects the text that a page shows, and its tags."""

    def __init__(self, page: str):
        super().__init__()
        self.texts, self.tags, self.directions = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.directions += [value for name, value in attrs if name == "dir"]

    def handle_data(self, data):
        if self.tags[-1] != "style":
            self.texts += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def lines_of(view: str, label: str) -> list[str]:
    """The words in all rows with this label, holes left out."""
    rows = [line.removeprefix(label) for line in view.splitlines() if line.startswith(label)]
    return [word for row in rows for word in row.split() if set(word) != {"—"}]


# --- In plain letters


def test_words_stand_under_each_other_with_a_letter_under_each_error():
    view = show_errors("Put the blue boat back", "Put a blue coat", language=None)
    rows = str(view).split("\n\n")[1]
    assert rows.splitlines() == [
        "reference   Put the blue boat back",
        "hypothesis  Put a   blue coat ————",
        "                S        S    D",
    ]


def test_a_row_without_errors_has_no_line_of_letters():
    assert len(str(show_errors("put it back", "put it back")).split("\n\n")[1].splitlines()) == 2


def test_the_reader_is_told_what_was_removed():
    assert "Case and punctuation were removed, and numbers" in str(show_errors("A.", "a"))
    assert "Case and punctuation were removed." in str(show_errors("A.", "a", "de"))
    assert "removed" not in str(show_errors("A.", "a", None))


def test_where_nobody_spoke_the_view_says_so():
    view = str(show_errors("", "Thank you."))
    assert view.startswith("Nobody spoke: 2 words written all the same")
    assert "nan" not in view


@given(texts, texts)
def test_no_word_is_lost_on_the_way_into_plain_letters(said, written):
    said, written = ([word for word in side if set(word) != {"—"}] for side in (said, written))
    view = str(show_errors(" ".join(said), " ".join(written), language=None))
    assert lines_of(view, LABELS[0]) == said
    assert lines_of(view, LABELS[1]) == written


@given(texts, texts)
def test_no_line_is_too_wide(said, written):
    view = str(show_errors(" ".join(said), " ".join(written), language=None))
    assert all(columns(line) <= LINE_COLUMNS for line in view.splitlines())


def test_full_width_characters_take_two_columns_each():
    rows = str(show_errors("你好吗", "你坏吗", "zh")).split("\n\n")[1].splitlines()
    assert rows[0] == "reference   你 好 吗"
    assert columns(rows[2]) == columns("reference   你 好") - 1


def test_a_word_cannot_steer_the_terminal():
    assert "\x1b" not in str(show_errors("a \x1b[31mred", "a \x1b[31mbed", language=None))


# --- For a browser


@given(texts, texts)
def test_words_of_others_are_shown_and_never_obeyed(said, written):
    page = Shown(show_errors(" ".join(said), " ".join(written), None)._repr_html_())
    assert set(page.tags) <= {"style", "div", "p", "span", "b"}
    for step in show_errors(" ".join(said), " ".join(written), None).steps:
        assert step.reference in page.texts or not step.reference
        assert step.hypothesis in page.texts or not step.hypothesis


@pytest.mark.parametrize("place", [("<script>alert(1)</script>", "x"), ("x", '"><img src=x>')])
def test_markup_in_a_text_stays_text(place):
    page = show_errors(*place, language=None)._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;" in page


def test_every_error_is_said_in_words_for_a_screen_reader():
    page = Shown(show_errors("put the small boat back", "put small coat back up")._repr_html_())
    assert "deletion: said the nothing written" in page.text
    assert "substitution: said boat written coat" in page.text
    assert "insertion: nothing said written up" in page.text


def test_every_error_has_its_letter():
    page = show_errors("put the small boat back", "put small coat back up")._repr_html_()
    for letter in "SDI":
        assert f'<b aria-hidden="true">{letter}</b>' in page


def test_arabic_runs_from_right_to_left_and_english_does_not():
    assert "rtl" in Shown(show_errors("ذهب الولد", "ذهب ولد", "ar")._repr_html_()).directions
    assert "rtl" not in Shown(show_errors("the boat", "a boat")._repr_html_()).directions


def test_the_view_asks_for_nothing_from_outside():
    page = show_errors("a", "b")._repr_html_()
    assert not re.search(r"url\(|@import|src=|href=|<script", page)


def test_a_text_of_five_hundred_words_is_shown_whole():
    said = [f"word{i}" for i in range(500)]
    page = Shown(show_errors(" ".join(said), " ".join(said[:400]), None)._repr_html_())
    assert set(said) <= set(page.texts)


def test_each_utterance_of_a_report_shows_itself():
    report = score(["put it back", "go on"], ["put it bag", "go on"])
    assert (
        report.utterances[0]._repr_html_() == show_errors("put it back", "put it bag")._repr_html_()
    )
    assert str(report.worst()[0]) == str(show_errors("put it back", "put it bag"))


def test_it_shows_one_pair_at_a_time():
    with pytest.raises(ScoringError, match="score"):
        show_errors(["a", "b"], ["a", "b"])


# --- Colours


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


COLOURS = dict(
    (name, (light, dark))
    for name, light, dark in re.findall(r"--(\w+): light-dark\((#\w+), (#\w+)\)", stylesheet())
)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "tint"])
@pytest.mark.parametrize("ink", ["ink", "reference", "hypothesis", "error"])
def test_every_colour_can_be_read_on_light_and_dark(ink, ground, theme):
    assert contrast(COLOURS[ink][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_legend_can_be_read_on_light_and_dark(theme):
    assert contrast(COLOURS["pale"][theme], COLOURS["paper"][theme]) >= 4.5


# --- In a real browser


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_notebooks_theme_goes_before_the_systems(dark, tmp_path):
    from browser import open_browser

    view = show_errors("put the small boat back", "put small coat back up")._repr_html_()
    page = tmp_path / "view.html"
    theme = "false" if dark else "true"
    page.write_text(f'<body data-jp-theme-light="{theme}">{view}', encoding="utf-8")
    with open_browser() as browser, closing(browser.open(page.as_uri(), dark=not dark)) as shown:
        paper = shown.ask(".asr-errors", "e => getComputedStyle(e).backgroundColor")
    assert paper == ("rgb(21, 23, 27)" if dark else "rgb(255, 255, 255)")


@pytest.mark.browser
def test_columns_wrap_and_nothing_runs_out_of_a_narrow_page(tmp_path):
    from browser import open_browser

    said = " ".join(f"word{i}" for i in range(400)) + " " + "long" * 40
    page = tmp_path / "view.html"
    page.write_text(show_errors(said, said.replace("7", "8"))._repr_html_(), encoding="utf-8")
    with open_browser() as browser, closing(browser.open(page.as_uri(), width=360)) as shown:
        assert shown.run("document.documentElement.scrollWidth") <= 360
        assert shown.run("document.documentElement.scrollHeight") <= 900
        tops = "[...document.querySelectorAll('.asr-word')].map(e => e.getBoundingClientRect().top)"
        assert shown.run(f"new Set({tops}).size") > 50
