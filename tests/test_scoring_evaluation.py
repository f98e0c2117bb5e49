"""``python -m asr_workshop.scoring``: a list of recordings in, a report out, whatever is in it."""

from __future__ import annotations

import csv
import json
import types
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr_workshop.audio import SAMPLING_RATE
from asr_workshop.clips import FOLDER, clips
from asr_workshop.scoring import (
    ManifestError,
    bare_transcriber,
    evaluate,
    guarded_transcriber,
    read_manifest,
)
from asr_workshop.scoring import __main__ as command_line
from asr_workshop.scoring import evaluation as evaluation_module
from asr_workshop.transcript import Segment, Transcript

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def record(*paths: Path, seconds: float = 0.1) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(round(seconds * SAMPLING_RATE)), SAMPLING_RATE)


def write_lines(path: Path, *rows: dict) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


# --- What is a list of recordings


def test_the_recordings_of_the_workshop_are_such_a_list():
    manifest = read_manifest(FOLDER)
    assert not manifest.problems
    for row, clip in zip(manifest.rows, clips(), strict=True):
        assert (row.path, row.text) == (clip.path, clip.transcript)
        assert row.language == (clip.language or None)
        assert row.fields.get("speaker", "") == clip.voice


@pytest.mark.parametrize("sound", ["file_name", "path", "audio", "file"])
@pytest.mark.parametrize("text", ["text", "transcript", "transcription", "sentence"])
def test_columns_may_have_any_of_the_usual_names(sound, text, tmp_path):
    row = {sound: "a.wav", text: "Hello.", "lang": "de", "client_id": "Kim"}
    (read,) = read_manifest(write_lines(tmp_path / "list.jsonl", row)).rows
    assert (read.name, read.path, read.text) == ("a.wav", tmp_path / "a.wav", "Hello.")
    assert (read.language, read.fields["speaker"]) == ("de", "Kim")


def test_a_comma_list_and_a_tab_list_say_the_same(tmp_path):
    (tmp_path / "a.csv").write_text('\ufefffile,text\na.wav,"Yes, ""now""."\n', encoding="utf-8")
    (tmp_path / "a.tsv").write_text('file\ttext\na.wav\tYes, "now".\n', encoding="utf-8")
    for name in ("a.csv", "a.tsv"):
        assert read_manifest(tmp_path / name).rows[0].text == 'Yes, "now".'


def test_common_voice_keeps_its_sounds_one_folder_deeper(tmp_path):
    record(tmp_path / "clips/a.wav")
    (tmp_path / "test.tsv").write_text("path\tsentence\na.wav\tHello.\n", encoding="utf-8")
    assert read_manifest(tmp_path / "test.tsv").rows[0].path == tmp_path / "clips/a.wav"


def test_in_a_folder_each_text_lies_beside_its_sound(tmp_path):
    record(tmp_path / "b.wav", tmp_path / "a.flac", tmp_path / "lonely.wav")
    (tmp_path / "a.txt").write_text("One.\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("", encoding="utf-8")
    manifest = read_manifest(tmp_path)
    assert [(row.name, row.text.strip()) for row in manifest.rows] == [
        ("a.flac", "One."),
        ("b.wav", ""),
    ]
    assert manifest.problems == (
        "lonely.wav: there is no lonely.txt beside it that tells what is said",
    )


def test_suspect_rows_are_left_out_and_counted(tmp_path):
    marks = [True, False, "true", "0", 1]
    rows = [{"file": "a.wav", "text": "x", "suspect": mark} for mark in marks]
    manifest = read_manifest(write_lines(tmp_path / "list.jsonl", *rows))
    assert (len(manifest.rows), manifest.n_suspect) == (2, 3)


def test_a_bad_row_is_named_by_its_line_and_stops_no_other(tmp_path):
    lines = [
        '{"file": "a.wav"}',
        "no json",
        "",
        "[1]",
        '{"text": "x"}',
        '{"file": "b.wav", "text": ""}',
    ]
    (tmp_path / "list.jsonl").write_text("\n".join(lines), encoding="utf-8")
    manifest = read_manifest(tmp_path / "list.jsonl")
    assert [row.name for row in manifest.rows] == ["b.wav"]
    assert [problem.split(":")[0] for problem in manifest.problems] == [
        "line 1, a.wav",
        "line 2",
        "line 4",
        "line 5",
    ]


def test_a_line_that_is_too_short_tells_no_text(tmp_path):
    (tmp_path / "list.csv").write_text("file,text\na.wav\nb.wav,\n", encoding="utf-8")
    manifest = read_manifest(tmp_path / "list.csv")
    assert [row.name for row in manifest.rows] == ["b.wav"]
    assert "tells no text" in manifest.problems[0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.csv", None, "no file or folder"),
        ("talk.mp3", b"", "jsonl, .csv or .tsv"),
        ("empty.jsonl", b"", "lists no recordings"),
        ("latin.csv", b"file,text\na.wav,\xe9t\xe9\n", "cannot be read"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(name, content, says, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match=says):
        read_manifest(tmp_path / name)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="lists no recordings"):
        read_manifest(tmp_path)


# --- Transcribing them all


@pytest.fixture
def listing(tmp_path) -> Path:
    """Six recordings, told apart by their length: 0.1 s, 0.2 s ... The last has no speech."""
    texts = ["Put it back.", "Go on.", "Please wait.", "It rained.", "Nobody came.", ""]
    rows = []
    for i, text in enumerate(texts, 1):
        record(tmp_path / f"{i}.wav", seconds=i / 10)
        rows.append(
            {"file": f"{i}.wav", "text": text, "speaker": f"speaker {i % 2}", "language": "en"}
        )
    return write_lines(tmp_path / "list.jsonl", *rows)


HEARD = {
    1: "put it bag",
    2: "go on",
    3: "please",
    4: "it rained",
    5: "nobody came",
    6: "Thank you.",
}


def hear(audio: np.ndarray) -> str:
    return HEARD.get(round(10 * len(audio) / SAMPLING_RATE), "")


def test_what_is_heard_is_compared_with_what_was_said(listing):
    found = evaluate(read_manifest(listing).rows, hear)
    assert (found.report.n_words, found.report.errors) == (11, 2)
    assert [scored.hypothesis for scored in found.report.invented] == ["Thank you."]
    assert found.duration == pytest.approx(2.1)
    assert found.real_time_factor == found.took / found.duration


def test_speakers_are_sorted_by_their_errors(listing):
    by_speaker = evaluate(read_manifest(listing).rows, hear).by("speaker")
    assert list(by_speaker) == ["speaker 1", "speaker 0"]
    assert sum(report.n_words for report in by_speaker.values()) == 11
    assert list(evaluate(read_manifest(listing).rows, hear).by("accent")) == ["(not told)"]


def test_a_recording_that_fails_is_named_and_stops_no_other(listing):
    (listing.parent / "2.wav").unlink()
    (listing.parent / "4.wav").write_bytes(b"no sound")

    def stumble(audio):
        if len(audio) == 0.3 * SAMPLING_RATE:
            raise ZeroDivisionError("by chance")
        return hear(audio)

    found = evaluate(read_manifest(listing).rows, stumble)
    assert [result.row.name for result in found.results] == ["1.wav", "5.wav", "6.wav"]
    assert [problem[:5] for problem in found.problems] == ["2.wav", "3.wav", "4.wav"]
    assert found.problems[1] == "3.wav: ZeroDivisionError: by chance"


def test_progress_is_told_after_each_recording(listing):
    told = []
    evaluate(read_manifest(listing).rows, hear, progress=lambda *numbers: told.append(numbers))
    assert told == [(n, 6) for n in range(1, 7)]


def test_a_row_without_a_language_is_scored_in_the_one_that_was_heard(tmp_path):
    record(tmp_path / "a.wav")
    rows = read_manifest(write_lines(tmp_path / "l.jsonl", {"file": "a.wav", "text": "你好"})).rows
    heard = Transcript((Segment(0.0, 0.1, "你"),), "zh", 1.0, 0.1)
    assert evaluate(rows, lambda audio: heard).report.word_error_rate == 0.5
    assert evaluate(rows, lambda audio: "你", language="zh").report.word_error_rate == 0.5
    assert evaluate(rows, lambda audio: "你").report.word_error_rate == 1.0


# --- The command


@pytest.fixture
def no_model(monkeypatch):
    """The command line with a model that answers at once."""
    model = types.SimpleNamespace(
        device="cpu",
        dtype="torch.float32",
        generation_config=types.SimpleNamespace(is_multilingual=False),
    )
    pipe = types.SimpleNamespace(
        model_id="made/up",
        reasons=["model made/up: for a test"],
        model=model,
        type="seq2seq_whisper",
    )
    monkeypatch.setattr("asr_workshop.models.load_pipeline", lambda model=None, dtype=None: pipe)
    monkeypatch.setattr(evaluation_module, "guarded_transcriber", lambda pipe, language: hear)
    return pipe


def run(*arguments) -> int:
    return command_line.main([str(argument) for argument in arguments])


def test_a_report_is_written_and_a_summary_printed(listing, no_model, tmp_path, capsys):
    assert run(listing, "--out", tmp_path / "report") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith("Word error rate: 18.2 % (95 % interval ")
    assert "Text where nobody spoke: 1 of 1 recording" in out
    assert "  speaker 1: 28.6 % of 7 words" in out
    assert "model made/up: for a test" in err
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.html", "report.json"}


def test_the_numbers_are_there_for_other_programs(listing, no_model, tmp_path):
    run(listing, "--out", tmp_path)
    numbers = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert numbers["recordings"] == 6
    assert numbers["words"] == 11
    assert numbers["word_error_rate"] == pytest.approx(2 / 11)
    assert (numbers["substitutions"], numbers["deletions"], numbers["insertions"]) == (1, 1, 0)
    assert numbers["nobody_spoke"] == {
        "recordings": 1,
        "invented": [{"file": "6.wav", "text": "Thank you."}],
    }
    assert numbers["made"]["guards"] == [
        "only speech",
        "retry loops",
        "limit length",
        "fill gaps",
        "drop unsure",
    ]
    assert [utterance["file"] for utterance in numbers["utterances"]] == [
        f"{i}.wav" for i in range(1, 7)
    ]


class Tags(HTMLParser):
    """Counts a page's tags and keeps its text."""

    def __init__(self, page: str):
        super().__init__()
        self.seen, self.text, self.open = set(), "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("meta", "!doctype"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_markup_in_any_field_is_shown_and_not_obeyed(no_model, tmp_path, monkeypatch):
    name = EVIL.replace("/", "∕")
    rows = []
    for i in range(12):
        record(tmp_path / f"{i}{name}.wav")
        silent = (
            {"text": "", "speaker": EVIL}
            if i % 3 == 0
            else {"text": f"a {EVIL}", "speaker": f"{EVIL}{i}"}
        )
        rows.append({"file": f"{i}{name}.wav", EVIL: f"{EVIL}{i % 2}", **silent})
    rows += [{"file": f"gone {EVIL}", "text": "x"}, {"file": EVIL}]
    listing = write_lines(tmp_path / "&lt;list.jsonl", *rows)
    no_model.model_id, no_model.reasons = EVIL, [EVIL]
    monkeypatch.setattr(
        evaluation_module, "guarded_transcriber", lambda *_: lambda audio: f"b 7 < 9 {EVIL}"
    )
    assert run(listing, "--out", tmp_path / "out", "--by", EVIL, "--language", "en") == 1
    page = Tags((tmp_path / "out/report.html").read_text(encoding="utf-8"))
    assert not page.open, "every tag is closed"
    assert not page.seen & {"script", "img"}
    assert page.text.count(EVIL) > 10


def test_the_page_asks_for_nothing_and_runs_nothing(listing, no_model, tmp_path):
    run(listing, "--out", tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not {"script", "link", "iframe", "a"} & Tags(page).seen
    assert "url(" not in page


def test_the_page_names_the_worst_and_the_invented(listing, no_model, tmp_path):
    run(listing, "--out", tmp_path)
    text = Tags((tmp_path / "report.html").read_text(encoding="utf-8")).text
    for part in ("1.wav", "3.wav", "6.wav", "Thank you.", "speaker 0", "18.2", "made/up"):
        assert part in text
    assert text.index("3.wav") < text.index("1.wav"), "half wrong comes before a third"


def test_rows_that_fail_make_the_exit_code_1_and_stand_in_the_report(
    listing, no_model, tmp_path, capsys
):
    (listing.parent / "2.wav").unlink()
    assert run(listing, "--out", tmp_path) == 1
    assert "2.wav" in capsys.readouterr().err
    numbers = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert numbers["recordings"] == 5
    assert "2.wav" in numbers["problems"][0]


def test_nothing_scored_is_an_error_and_writes_nothing(no_model, tmp_path, capsys):
    listing = write_lines(tmp_path / "list.jsonl", {"file": "gone.wav", "text": "x"})
    assert run(listing, "--out", tmp_path / "out") == 1
    assert "error: no recording could be scored" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_a_list_of_bad_rows_loads_no_model(no_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("asr_workshop.models.load_pipeline", None)
    assert run(write_lines(tmp_path / "list.jsonl", {"file": "a.wav"}), "--out", tmp_path) == 1
    assert "tells no text" in capsys.readouterr().err


def test_an_english_model_is_not_asked_to_write_german(listing, no_model, tmp_path, capsys):
    lines = listing.read_text(encoding="utf-8").replace('"language": "en"', '"language": "de"', 2)
    listing.write_text(lines, encoding="utf-8")
    assert run(listing, "--out", tmp_path) == 0
    assert "2 left out: not English" in capsys.readouterr().err
    assert json.loads((tmp_path / "report.json").read_text())["recordings"] == 4


def test_a_limit_takes_the_first(listing, no_model, tmp_path, capsys):
    assert run(listing, "--limit", 2, "--out", tmp_path) == 0
    assert "4 left out: after the first 2" in capsys.readouterr().err


def test_a_column_that_is_not_there_is_not_understood(listing, no_model, tmp_path, capsys):
    assert run(listing, "--by", "accent", "--out", tmp_path) == 2
    assert "--by accent: the columns are file, language, speaker, text" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["x", "--limit", "0"], ["x", "--limit", "two"], ["x", "--beams"]]
)
def test_a_command_that_makes_no_sense_leaves_with_2(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)


def test_a_model_that_cannot_be_had_is_an_error(listing, no_model, tmp_path, monkeypatch, capsys):
    from asr_workshop.models import ModelUnavailable

    def refuse(model=None, dtype=None):
        raise ModelUnavailable("made/up is nowhere.")

    monkeypatch.setattr("asr_workshop.models.load_pipeline", refuse)
    assert run(listing, "--out", tmp_path) == 1
    assert "error: made/up is nowhere." in capsys.readouterr().err


def test_stopped_by_hand_it_writes_nothing(listing, no_model, tmp_path, monkeypatch):
    def stop(audio):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation_module, "guarded_transcriber", lambda *_: stop)
    assert run(listing, "--out", tmp_path / "out") == 130
    assert not list((tmp_path / "out").iterdir())


# --- With a real model


@pytest.fixture
def shipped(tmp_path) -> Path:
    """A clear English clip, music in which nobody speaks, and a German joke."""
    names = ("boat_heart.flac", "tune.ogg", "joke_de.ogg")
    chosen = [row for row in clips() if row.file_name in names]
    with (tmp_path / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", "text", "language", "voice"])
        for row in chosen:
            writer.writerow([row.path, row.transcript, row.language, row.voice])
    return tmp_path


@pytest.mark.parametrize("bare", [False, True], ids=["guarded", "bare"])
def test_whisper_writes_a_clear_sentence_without_errors(shipped, tiny_en, bare):
    make = bare_transcriber if bare else guarded_transcriber
    (row,) = (row for row in read_manifest(shipped).rows if "boat" in row.name)
    found = evaluate([row], make(tiny_en))
    assert found.report.word_error_rate == 0
    assert found.report.n_words == 15


def test_the_guards_keep_music_silent(shipped, tiny_en):
    rows = [row for row in read_manifest(shipped).rows if not row.text]
    assert not evaluate(rows, guarded_transcriber(tiny_en)).report.invented


def test_bare_whisper_writes_more_than_its_first_window(tiny_en):
    from asr_workshop import load_audio

    sentence = load_audio(FOLDER / "boat_heart.flac")
    long = np.concatenate([np.pad(sentence, (0, 8_000))] * 8)  # 37 s
    assert bare_transcriber(tiny_en)(long).lower().count("blue boat") >= 7


def test_a_language_can_be_forced_on_a_model_of_many(shipped, base):
    (row,) = (row for row in read_manifest(shipped).rows if "joke_de" in row.name)
    for make in (guarded_transcriber, bare_transcriber):
        found = evaluate([row], make(base, "de"), language="de")
        assert found.report.word_error_rate < 0.5


def test_the_command_runs_from_list_to_report(shipped, tiny_en, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("asr_workshop.models.load_pipeline", lambda model=None, dtype=None: tiny_en)
    assert run(shipped, "--out", tmp_path / "out") == 0
    numbers = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert numbers["word_error_rate"] == 0
    assert numbers["nobody_spoke"] == {"recordings": 1, "invented": []}
    assert "1 left out: not English" in capsys.readouterr().err


def test_an_audio_error_says_where_in_the_list_it_is(tmp_path):
    rows = read_manifest(write_lines(tmp_path / "l.jsonl", {"file": "a/b.wav", "text": "x"})).rows
    (problem,) = evaluate(rows, hear).problems
    assert problem.startswith("a/b.wav")
