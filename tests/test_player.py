"""The player: what is in its page, and what it does in a real browser without a network.

The browser's pictures are in ``build/screenshots`` afterwards. Look at them after a change.
"""

from __future__ import annotations

import base64
import html
import io
import os
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import BrowserError, Page, open_browser
from PIL import Image

from asr_workshop import player as player_module
from asr_workshop.audio import AudioError
from asr_workshop.player import PlayerError, show
from asr_workshop.plots import COLOURS
from asr_workshop.transcript import Segment, Transcript, Word

RATE = 16_000
STEP = 0.4  # s, from one word to the next
SAID = "This is a test of eight words, isn't it?".split()
PITCHES = (500, 2000, 1000, 3000, 1500, 3500, 700, 2500, 1200)  # Hz, one for each word
CONFIDENCES = (0.98, 0.9, 0.61, 0.95, 0.3, 0.88, 0.79, 0.99, 0.51)
SCREENSHOTS = Path(__file__).parents[1] / "build" / "screenshots"
HOSTILE = '</script></section></iframe><img src=x onerror="window.hacked = 1">&amp;\'"`$title'


# --- something to play -------------------------------------------------------------------------


def tones(pitches=PITCHES, seconds=STEP):
    """One tone after the other: what is heard tells when it is."""
    pitch = np.repeat(np.array(pitches, float), int(seconds * RATE))
    return (0.4 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)).astype(np.float32)


def bursts(seconds):
    """Noise that changes its loudness ten times a second: few sounds make a larger picture."""
    random = np.random.default_rng(0)
    loudness = 10 ** random.uniform(-3, 0, 10 * seconds).repeat(RATE // 10)
    return (0.1 * loudness * random.normal(size=len(loudness))).astype(np.float32)


def spoken(texts=SAID, text=None, confidences=CONFIDENCES, per_segment=5, **about):
    """A transcript in which word i lasts from i to i + 1 steps."""
    words = [
        Word(i * STEP, (i + 1) * STEP, said, confidences[i % len(confidences)])
        for i, said in enumerate(texts)
    ]
    parts = [tuple(words[i : i + per_segment]) for i in range(0, len(words), per_segment)]
    segments = [
        Segment(part[0].start, part[-1].end, text or " ".join(w.text for w in part), 0.8, part)
        for part in parts
    ]
    about = {"language": "en", "language_probability": 1.0, "duration": len(words) * STEP, **about}
    return Transcript(tuple(segments), **about)


def silence(seconds):
    return np.zeros(int(seconds * RATE), np.float32)


class _Reader(HTMLParser):
    """Collects tags with their attributes, and the text outside of style and script."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self._open = [], "", ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open not in ("style", "script"):
            self.text += data


def data_of(page, kind):
    return base64.b64decode(re.search(rf"data:{kind};base64,([^\"]+)", page)[1])


def line_texts(page):
    """Each segment's text as the page shows it."""
    lines = re.findall(r'<span dir="auto">(.*?)</span></p>', page)
    return [html.unescape(re.sub("<.*?>", "", line)) for line in lines]


# --- the page ----------------------------------------------------------------------------------


def test_the_page_needs_nothing_from_outside():
    page = show(tones(), spoken(), title="Test").html
    assert not re.search(r"https?://|url\(|@import|\bimport\b", page)
    for _, attributes in _Reader(page).tags:
        assert attributes.get("src", "data:").startswith("data:")
        assert not {"href", "srcset", "autoplay"} & {*attributes}


def test_the_same_sound_and_words_give_the_same_page():
    first, second = (show(tones(), spoken()).html for _ in range(2))
    assert first == second


def test_a_minute_of_sound_with_its_words_takes_about_300_kb():
    words = spoken([f"word{i}" for i in range(150)])
    assert len(show(bursts(60), words)._repr_html_().encode()) < 320_000


def test_more_than_ten_minutes_are_refused_with_the_cure():
    with pytest.raises(PlayerError, match=r"lasts 10:01.*audio\[: 600 \* 16000\]"):
        show(silence(601))


def test_the_sound_in_the_page_is_the_sound_given_without_delay():
    for seconds in (3, 50):  # at the highest and the lowest bit rate
        sound = tones(np.tile(PITCHES, 20))[: seconds * RATE]
        heard, rate = soundfile.read(io.BytesIO(data_of(show(sound).html, "audio/mpeg")))
        assert rate == RATE and len(heard) == len(sound)
        piece = sound[18_000:20_400]  # from one tone to the next
        fits = {shift: piece @ heard[18_000 + shift :][: len(piece)] for shift in range(-40, 41)}
        assert abs(max(fits, key=fits.get)) <= 1


def test_the_picture_shows_each_tone_at_its_time_and_height():
    picture = Image.open(io.BytesIO(data_of(show(tones()).html, "image/webp"))).convert("L")
    level = np.asarray(picture, float)
    for i, pitch in enumerate(PITCHES):
        column = level[:, int((i + 0.5) / len(PITCHES) * level.shape[1])]
        assert (1 - np.argmax(column) / len(column)) * 8000 == pytest.approx(pitch, abs=80)


@pytest.mark.parametrize("samples", [1, 15, 700, RATE])
def test_very_short_and_silent_sounds_can_be_shown(samples):
    assert data_of(show(np.zeros(samples, np.float32)).html, "image/webp")


def test_a_path_names_the_player(tmp_path):
    soundfile.write(tmp_path / "my talk.wav", tones(), RATE)
    shown = show(tmp_path / "my talk.wav")
    assert "<title>my talk.wav</title>" in shown.html
    assert repr(shown).startswith("Player('my talk.wav', ")
    with pytest.raises(AudioError, match=r"other\.wav"):
        show(tmp_path / "other.wav")


# --- the words ---------------------------------------------------------------------------------


def test_the_text_between_the_words_is_kept():
    text = "«This is—a test», of…"
    words = ("This", "is", "a", "test", "of")
    assert line_texts(show(tones(), spoken(words, text)).html) == [text]


def test_unspaced_languages_stay_unspaced():
    words = ("今天", "天气", "很好")
    page = show(tones(), spoken(words, "今天天气很好。", language="zh")).html
    assert line_texts(page) == ["今天天气很好。"]
    assert 'lang="zh"' in page
    changed = spoken(words, "Nothing of this", language="zh")
    assert line_texts(show(tones(), changed).html) == ["今天天气很好"]


def test_words_that_differ_from_their_segment_s_text_are_shown_apart():
    words = ("one", "two", "three")
    assert line_texts(show(tones(), spoken(words, "1, 2, 3")).html) == [" one two three"]


def test_segments_stand_in_for_words_that_were_not_asked_for():
    segments = (Segment(0.0, 1.0, "First part."), Segment(1.0, 2.0, "Second part."))
    page = show(tones(), Transcript(segments, "en", 1.0, 2.0)).html
    assert page.count('class="word"') == 2
    assert "confidence" not in page.split("<main")[1].split("<script")[0]


def test_confidence_can_be_read_without_colour():
    page = show(tones(), spoken()).html
    assert '<span class="word" style="--sure:0.98" title="confidence 98 %">This</span>' in page
    assert '<span class="word doubted" style="--sure:0.61" title="confidence 61 %">a</span>' in page
    assert '<span class="word unsure" style="--sure:0.30" title="confidence 30 %">of</span>' in page


def test_a_sound_without_speech_says_so_and_one_without_transcript_says_nothing():
    assert "(no speech found)" in show(tones(), Transcript((), "en", 1.0, 1.0)).html
    assert "(no speech found)" not in show(tones()).html


def test_what_is_said_after_the_end_is_left_out():
    assert line_texts(show(tones()[: RATE // 2], spoken()).html) == ["This is"]


def test_what_is_no_transcript_is_refused_with_the_cure():
    with pytest.raises(PlayerError, match=r"of type str.*Transcript that transcribe"):
        show(tones(), "only text")
    with pytest.raises(PlayerError, match="'lost' has no time: nan to 1.0"):
        show(tones(), Transcript((Segment(np.nan, 1.0, "lost"),), "en", 1.0, 1.0))


def test_text_from_outside_stays_text():
    harmless = show(tones(), spoken(["x"] * 9, language="en"), title="x")
    hostile = show(tones(), spoken([HOSTILE] * 9, language='"><b>'), title=HOSTILE)
    safe, read = _Reader(harmless.html), _Reader(hostile.html)
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in safe.tags]
    assert [[*names] for _, names in read.tags] == [[*names] for _, names in safe.tags]
    assert read.text.count(HOSTILE) == 1 + 1 + 9  # title, heading and words
    assert len(_Reader(hostile._repr_html_()).tags) == 1


def test_the_frame_holds_the_whole_page_and_text_for_where_frames_are_taken_out():
    shown = show(tones(), spoken(), title="Test")
    frame = _Reader(shown._repr_html_())
    assert [tag for tag, _ in frame.tags] == ["iframe"]
    assert frame.tags[0][1]["srcdoc"] == shown.html
    assert "trust this notebook" in frame.text and " ".join(SAID) in frame.text


def test_half_a_character_does_not_stop_the_page():
    show(tones(), spoken(["\ud83d"]))._repr_html_().encode()


# --- saving ------------------------------------------------------------------------------------


def test_the_page_is_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    shown = show(tones(), spoken(["Grüße"]))
    path = shown.save(tmp_path / "talk.html")
    assert path.read_text("utf-8") == shown.html
    monkeypatch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        show(tones()).save(path)
    assert path.read_text("utf-8") == shown.html
    assert [*tmp_path.iterdir()] == [path]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PlayerError, match="missing does not exist"):
        show(tones()).save(tmp_path / "missing" / "talk.html")


# --- looks -------------------------------------------------------------------------------------


def _contrast(one, other):
    """WCAG 2.1: from 1 to 21."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return np.dot(linear, (0.2126, 0.7152, 0.0722))

    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(theme):
    style = Path(player_module.__file__).with_suffix(".css").read_text("utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    colours = {name: pair[theme] for name, *pair in pairs}
    for ink, paper in (("ink", "paper"), ("pale", "paper"), ("on-sound", "sound")):
        assert _contrast(colours[ink], colours[paper]) >= 4.5
    for mark in ("sound", "hypothesis"):
        assert _contrast(colours[mark], colours["paper"]) >= 3
    if theme == 0:  # one colour for one meaning, as in the plots
        assert {name: colours[name] for name in ("sound", "hypothesis")} == {
            name: COLOURS[name] for name in ("sound", "hypothesis")
        }


# --- in a browser, without a network -----------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with open_browser() as started:
        yield started


@pytest.fixture
def visit(browser, tmp_path):
    """Write a page, open it from the disk, and see at the end that nothing went wrong in it."""
    pages = []

    def visit(page, **how) -> Page:
        path = tmp_path / f"{len(pages)}.html"
        path.write_text(page, encoding="utf-8")
        pages.append(browser.open(path.as_uri(), offline=True, **how))
        return pages[-1]

    yield visit
    for page in pages:
        if page.scripts:
            assert page.errors == []
        assert {address.split(":")[0] for address in page.requests} <= {"file", "data", "about"}
        page.close()


def embed(*players, body=""):
    """A page with players in it, as a notebook or an exported one shows them."""
    frames = "\n".join(f"<div>{shown._repr_html_()}</div>" for shown in players)
    return f"<!DOCTYPE html><meta charset='utf-8'><body {body}>{frames}</body>"


def now(page, frame=""):
    """Time, whether it plays, and the number of the lit word, or None."""
    state = page.ask(
        f"{frame}#words",
        """panel => { const document = panel.ownerDocument;
            const audio = document.querySelector("audio");
            const lit = [...document.querySelectorAll(".word")]
                .flatMap((word, i) => word.ariaCurrent === "true" ? [i] : []);
            return [audio.currentTime, !audio.paused, lit]; }""",
    )
    assert len(state[2]) <= 1
    return state[0], state[1], state[2][0] if state[2] else None


def word(number, frame=""):
    line, place = divmod(number, 5)
    return f"{frame}#words p:nth-of-type({line + 1}) .word:nth-of-type({place + 1})"


def pause(page, frame=""):
    page.ask(f"{frame}audio", "audio => audio.pause()")


def slow_down(page, frame=""):
    """Keep a busy machine from playing past a word before the test has looked at it."""
    page.ask(f"{frame}audio", "audio => { audio.playbackRate = 0.1; }")


@pytest.mark.browser
def test_words_and_line_move_in_step_with_the_sound(visit):
    page = visit(show(tones(), spoken()).html)
    page.click("#play")
    page.wait_for("document.querySelector('audio').currentTime > 0.1")
    watched = page.run("""new Promise(done => {
        const audio = document.querySelector("audio"), seen = [];
        const words = [...document.querySelectorAll(".word")];
        const line = document.querySelector("#line"), picture = document.querySelector("#picture");
        (function look() {
            const middle = line.getBoundingClientRect(), box = picture.getBoundingClientRect();
            const at = ((middle.left + middle.right) / 2 - box.left) / box.width;
            seen.push([audio.currentTime, words.findIndex(word => word.ariaCurrent), at]);
            if (audio.currentTime < 1.5) requestAnimationFrame(look); else done(seen);
        })();
    })""")
    assert len(watched) > 10 and len({lit for _, lit, _ in watched}) >= 4
    # What is seen was drawn for this moment or for the picture before it, however late that came.
    for (before, _, _), (moment, lit, at) in zip(watched, watched[2:], strict=False):
        assert int((before - 0.02) / STEP) <= lit <= int((moment + 0.02) / STEP)
        assert before - 0.02 <= at * len(SAID) * STEP <= moment + 0.02
    assert page.ask("#play", "button => button.ariaLabel") == "Pause"
    assert re.match(r"0:01\.\d / 0:03\.6", page.ask("#clock", "clock => clock.textContent"))
    page.click("#play")
    assert now(page)[1] is False


@pytest.mark.browser
def test_at_the_end_the_player_stops_and_starts_again_from_the_beginning(visit):
    page = visit(show(tones(), spoken()).html)
    page.click(word(8))
    page.wait_for("document.querySelector('audio').ended")
    page.wait_for("document.querySelector('#play').ariaLabel === 'Play'")
    slow_down(page)
    page.click("#play")
    page.wait_for("document.querySelector('.word').ariaCurrent")
    assert now(page)[1:] == (True, 0)


@pytest.mark.browser
def test_a_click_on_a_word_or_on_the_picture_plays_from_there(visit):
    page = visit(show(tones(), spoken()).html)
    slow_down(page)
    assert now(page) == (0, False, 0)
    page.click(word(6))
    assert now(page) == (pytest.approx(6 * STEP, abs=0.1), True, 6)
    pause(page)
    page.click("#picture", x=0.25)
    assert now(page) == (pytest.approx(0.25 * len(SAID) * STEP, abs=0.1), True, 2)


@pytest.mark.browser
def test_what_is_heard_after_a_jump_is_what_the_picture_shows_there(visit):
    pitches = np.tile(PITCHES, 10)
    page = visit(show(tones(pitches, 0.5), spoken()).html)  # 45 s, at a middling bit rate
    page.run("""(async () => {
        window.ear = new AudioContext();
        await ear.resume();
        window.heard = new AnalyserNode(ear, { fftSize: 2048, smoothingTimeConstant: 0 });
        ear.createMediaElementSource(document.querySelector("audio")).connect(heard);
        heard.connect(new GainNode(ear, { gain: 0 })).connect(ear.destination);
    })()""")
    for place in (0.13, 0.52, 0.87):
        page.click("#picture", x=(int(place * len(pitches)) + 0.2) / len(pitches))
        expected = pitches[int(place * len(pitches))]
        page.wait_for(
            f"""(() => {{
            const levels = new Float32Array(heard.frequencyBinCount);
            heard.getFloatFrequencyData(levels);
            const loudest = levels.reduce((best, level, i) => level > levels[best] ? i : best, 0);
            const moment = document.querySelector("audio").currentTime;
            window.pitch = loudest * ear.sampleRate / heard.fftSize;
            return Math.abs(pitch - {expected}) < 40 && moment < 0.5 + {place * len(pitches) * 0.5};
        }})()""",
            seconds=3,
        )


@pytest.mark.browser
def test_everything_can_be_done_with_the_keyboard(visit):
    page = visit(show(tones(), spoken()).html)
    slow_down(page)
    focus = "document.activeElement.textContent.trim() || document.activeElement.id"
    page.press("Tab")
    assert page.run(focus) == "play"
    page.press(" ")
    assert now(page)[1] is True
    page.press(" ")
    assert now(page)[1] is False
    page.press("Tab")
    assert page.run("document.activeElement.role") == "slider"
    page.press("End")
    assert now(page)[0] == pytest.approx(len(SAID) * STEP, abs=0.05)
    page.press("Home")
    page.press("ArrowRight")
    assert now(page) == (1, False, 2)
    page.press("ArrowLeft")
    assert page.ask("#picture", "slider => slider.ariaValueText") == "0.0 of 3.6 seconds"
    page.press("Tab")
    assert page.run(focus) == "This"
    page.press("ArrowRight")
    page.press("ArrowRight")
    assert page.run(focus) == "a" and now(page) == (0, False, 0)
    page.press("End")
    assert page.run(focus) == "it?"
    page.press("ArrowLeft")
    page.press("Enter")
    assert now(page)[1:] == (True, 7)
    page.press(" ")
    assert now(page)[1:] == (False, 7)
    page.press("ArrowLeft")
    page.press(" ")
    assert now(page)[1:] == (True, 6)
    pause(page)
    page.press("ArrowRight")
    assert page.run("document.querySelectorAll('.word[tabindex=\"0\"]').length") == 1
    page.press("Shift+Tab")
    page.press("Tab")
    assert page.run(focus) == "isn't"


@pytest.mark.browser
def test_after_a_click_on_a_word_space_pauses_and_goes_on(visit):
    page = visit(show(tones(), spoken()).html)
    slow_down(page)
    page.click(word(6))
    page.press(" ")
    assert now(page)[1:] == (False, 6)
    page.ask("audio", "audio => { audio.currentTime = 1; }")
    page.wait_for("!document.querySelector('audio').seeking")
    page.run("draw()")
    page.press(" ")
    assert now(page)[1:] == (True, 2)


@pytest.mark.browser
def test_a_word_within_a_longer_one_and_a_word_out_of_order_light_up(visit):
    words = (Word(0.0, 3.0, "Long"), Word(1.0, 1.5, "inner"), Word(0.2, 0.4, "early"))
    page = visit(show(tones(), Transcript((Segment(0, 3, "", words=words),), "en", 1.0, 3.6)).html)
    for moment, lit in ((0.1, 0), (0.3, 2), (0.7, 0), (1.2, 1), (2.0, 0), (3.2, None)):
        page.ask("audio", f"audio => {{ audio.currentTime = {moment}; }}")
        page.wait_for("!document.querySelector('audio').seeking")
        page.run("draw()")
        assert now(page)[2] == lit


@pytest.mark.browser
def test_in_text_from_right_to_left_the_left_arrow_moves_on(visit):
    words = "مرحبا بكم في هذا الاختبار".split()
    page = visit(show(tones(), spoken(words, language="ar")).html)
    first, second = (page.ask(word(i), "word => word.getBoundingClientRect().x") for i in (0, 1))
    assert first > second
    page.ask(word(0), "word => word.focus()")
    page.press("ArrowLeft")
    assert page.run("document.activeElement.textContent") == words[1]


@pytest.mark.browser
def test_a_screen_reader_finds_names_roles_and_values(visit):
    page = visit(show(tones(), spoken(), title="A test").html)
    page.send("Accessibility.enable")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    found = {
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in nodes
        if not node["ignored"]
    }
    expected = {("main", "Player: A test"), ("button", "Play"), ("slider", "Place in the sound")}
    assert expected | {("button", said) for said in SAID} <= found
    slider = next(node for node in nodes if node.get("role", {}).get("value") == "slider")
    assert slider["description"]["value"].startswith("Spectrogram: time runs to the right")
    assert page.ask(word(4), "word => word.title") == "confidence 30 %"


@pytest.mark.browser
def test_two_players_on_a_page_do_not_disturb_each_other(visit):
    page = visit(embed(show(tones(), spoken()), show(tones(), spoken(), title="Second")))
    first, second = ("div:nth-of-type(1) iframe >>> ", "div:nth-of-type(2) iframe >>> ")
    for frame in (first, second):
        slow_down(page, frame)
    page.click(word(6, second))
    assert now(page, second)[1] is True and now(page, first) == (0, False, 0)
    page.click(word(2, first))
    pause(page, first)
    page.press("ArrowRight")  # goes to the player that was used last: from the word to the next
    assert now(page, first)[2] == 2
    assert page.ask(word(3, first), "word => word === word.ownerDocument.activeElement")
    page.click(f"{first}#play")
    pause(page, second)
    assert now(page, first)[1] is True and now(page, second)[1] is False


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 400])
def test_the_frame_is_as_high_as_its_content(visit, width):
    page = visit(embed(show(tones(), spoken())), width=width)
    fits = """(() => { const frame = document.querySelector("iframe");
        const { scrollHeight, scrollWidth } = frame.contentDocument.documentElement;
        const content = frame.contentDocument.body.getBoundingClientRect().height;
        return scrollHeight === frame.clientHeight && scrollWidth === frame.clientWidth
            && frame.clientHeight - content < 1; })()"""
    page.wait_for(fits)
    page.ask("iframe >>> #words", "words => words.append('More text. '.repeat(30))")
    page.wait_for(fits)


@pytest.mark.browser
def test_the_player_takes_the_notebook_s_theme_and_changes_with_it(visit):
    paper = "(getComputedStyle(document.querySelector('iframe').contentDocument.body))"
    dark, light = "rgb(21, 23, 27)", "rgb(255, 255, 255)"
    page = visit(embed(show(tones()), body='data-jp-theme-light="false"'))
    page.wait_for(f"{paper}.backgroundColor === '{dark}'")
    page.run("void (document.body.dataset.jpThemeLight = 'true')")
    page.wait_for(f"{paper}.backgroundColor === '{light}'")
    page = visit(embed(show(tones()), body='style="color: white; background: black"'))
    page.wait_for(f"{paper}.backgroundColor === '{dark}'")
    page = visit(embed(show(tones())), dark=True)  # a page that stays white at night
    page.wait_for(f"{paper}.backgroundColor === '{light}'")


@pytest.mark.browser
def test_the_words_being_said_are_scrolled_into_view(visit):
    texts = [f"word{i}" for i in range(200)]
    page = visit(show(tones(np.tile(PITCHES, 23)), spoken(texts)).html)
    page.click("#picture", x=0.9)
    page.wait_for("""(() => { const lit = document.querySelector("[aria-current]");
        const [box, place] = [lit.closest("#words"), lit].map(e => e.getBoundingClientRect());
        return place.top >= box.top && place.bottom <= box.bottom; })()""")
    assert page.run("window.scrollY") == 0


@pytest.mark.browser
def test_hostile_text_is_shown_as_text_and_could_not_run_anyway(visit):
    shown = show(tones(), spoken([HOSTILE, "next"]), title=HOSTILE)
    page = visit(embed(shown))
    assert page.ask(f"iframe >>> {word(0)}", "word => word.textContent") == HOSTILE
    inside = "document.querySelector('iframe').contentWindow"
    assert page.run(f"typeof hacked + typeof {inside}.hacked") == "undefinedundefined"
    page = visit(shown.html)
    page.run("""void document.body.insertAdjacentHTML("beforeend",
        '<img src="data:," onerror="window.hacked = 1"><script>window.hacked = 1</script>')""")
    time.sleep(0.2)
    assert page.run("typeof hacked") == "undefined"
    assert "Content Security Policy" in " ".join(page.errors)
    page.errors.clear()


@pytest.mark.browser
def test_without_scripts_there_are_controls_picture_and_text(visit):
    page = visit(show(tones(), spoken()).html, scripts=False)
    root = page.send("DOM.getDocument")["root"]["nodeId"]  # run() and ask() would be scripts

    def height(selector):
        node = page.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        return page.send("DOM.getBoxModel", nodeId=node)["model"]["height"]

    assert height("audio") > 30 and height("#picture img") > 100 and height(".word") > 10
    for hidden in ("#play", "#line", "#clock"):
        with pytest.raises(BrowserError, match="box model"):
            height(hidden)
    page.screenshot(SCREENSHOTS / "player-without-scripts.png")


@pytest.mark.browser
def test_for_who_wants_no_motion_the_line_moves_in_steps(visit):
    page = visit(show(tones(), spoken()).html, calm=True)
    slow_down(page)
    page.click(word(3))
    page.wait_for("document.querySelector('audio').currentTime > 1.25")
    assert page.ask("#line", "line => parseFloat(line.style.left)") == pytest.approx(100 / 3.6)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_and_is_photographed(visit, theme, width):
    words = spoken([*SAID, "A-very-long-word-" * 8, "日本語", "مرحبا"])
    sound = tones(PITCHES * 2)
    page = visit(show(sound, words, title="A test").html, dark=theme == "dark", width=width)
    page.click(word(4))
    pause(page)
    assert page.run("document.documentElement.scrollWidth") <= width
    page.screenshot(SCREENSHOTS / f"player-{theme}-{width}.png")
