"""``python -m asr_workshop``: many files in, text and captions out, and an honest exit code.

The model is replaced by one that answers at once; what is tested is everything around it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import types
import warnings
from pathlib import Path

import pytest

from asr_workshop import __main__ as command_line
from asr_workshop import terminal
from asr_workshop.transcript import Segment, Transcript

MODULES = ("audio", "models", "transcription")


def own_error(name, kind):
    module, name = name.split(".")
    return type(name, (kind,), {"__module__": f"asr_workshop.{module}"})


class FakeHouse:
    """Stands where audio, models and transcription stand; a file's content says what happens."""

    def __init__(self):
        self.loaded, self.heard, self.asked = [], [], []
        self.pipe = types.SimpleNamespace(model_id="tiny", reasons=["model tiny: it is small"])
        self.audio = types.ModuleType("asr_workshop.audio")
        self.audio.AudioError = own_error("audio.AudioError", ValueError)
        self.models = types.ModuleType("asr_workshop.models")
        self.models.ModelUnavailable = own_error("models.ModelUnavailable", RuntimeError)
        self.models.load_pipeline = self.load_pipeline
        self.transcription = types.ModuleType("asr_workshop.transcription")
        self.refusal = own_error("transcription.TranscriptionError", ValueError)
        self.transcription.transcribe = self.transcribe

    def load_pipeline(self, model=None, dtype=None):
        self.loaded.append(model if dtype is None else (model, dtype))
        if model == "nowhere":
            raise self.models.ModelUnavailable("nowhere is not a model.\nConnect, or pick another.")
        print("a word about the model")
        return self.pipe

    def transcribe(self, source, pipe, *, language, task, words, progress):
        self.heard.append(source)
        self.asked.append((language, task, words))
        content = Path(source).read_text(encoding="utf-8")
        if content == "broken":
            raise self.audio.AudioError(f"{Path(source).name} is no sound; pick another file.")
        if content == "refused":
            raise self.refusal("tiny cannot translate.")
        if content == "bug":
            raise ZeroDivisionError("division by zero")
        if content == "interrupt":
            raise KeyboardInterrupt
        if content == "cut":
            warnings.warn(f"{source} is cut short", UserWarning, stacklevel=1)
        if progress:
            progress(30.0, 60.0)
        if content == "silence":
            return Transcript((), None, None, 2.0, ("dropped a loop at 0:01",))
        return Transcript((Segment(0.0, 2.0, content),), "en", 1.0, 2.0)


@pytest.fixture
def house(monkeypatch, tmp_path):
    fake = FakeHouse()
    for name in MODULES:
        monkeypatch.setitem(sys.modules, f"asr_workshop.{name}", getattr(fake, name))
    monkeypatch.chdir(tmp_path)
    return fake


def record(*names, content="Hello there."):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")


def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# --- What comes out


def test_without_a_form_the_text_is_printed_and_nothing_else(house, capsys):
    record("talk.mp3")
    assert command_line.main(["talk.mp3"]) == 0
    assert capsys.readouterr().out == "Hello there.\n"
    assert names_in(".") == ["talk.mp3"]


def test_several_texts_are_told_apart_by_their_names(house, capsys):
    record("a.mp3", "b.mp3")
    assert command_line.main(["a.mp3", "b.mp3"]) == 0
    printed = capsys.readouterr().out
    assert printed == "==> a.mp3 <==\nHello there.\n==> b.mp3 <==\nHello there.\n"


def test_the_forms_asked_for_are_written_where_you_are(house, capsys):
    record("far/talk.mp3")
    assert command_line.main(["far/talk.mp3", "--to", "srt,vtt"]) == 0
    assert names_in(".") == ["far", "talk.srt", "talk.vtt"]
    assert "Hello there." in Path("talk.srt").read_text()
    assert capsys.readouterr().out == ""


def test_the_out_folder_is_made(house):
    record("talk.mp3")
    assert command_line.main(["talk.mp3", "--to", ".JSON, txt,", "--out", "new/texts"]) == 0
    assert names_in("new/texts") == ["talk.json", "talk.txt"]
    assert json.loads(Path("new/texts/talk.json").read_text())["text"] == "Hello there."


def test_a_summary_says_how_long_and_how_fast_and_where(house, capsys):
    record("talk.mp3")
    command_line.main(["talk.mp3", "--to", "srt"])
    summary = capsys.readouterr().err.splitlines()[-1]
    assert summary.startswith("talk.mp3: 2.0 s of sound in 0.0 s, real-time factor 0.0")
    assert summary.endswith("→ talk.srt")


def test_silence_is_no_failure_and_is_said(house, capsys):
    record("talk.mp3", content="silence")
    assert command_line.main(["talk.mp3"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "no speech found" in err
    assert "note: dropped a loop at 0:01" in err


def test_what_the_model_says_while_loading_stays_out_of_the_text(house, capsys):
    record("talk.mp3")
    command_line.main(["talk.mp3"])
    err = capsys.readouterr().err
    assert "a word about the model" in err
    assert "model tiny: it is small" in err


def test_language_task_words_and_model_are_passed_on(house):
    record("talk.mp3")
    command_line.main(
        ["talk.mp3", "--model", "m", "--language", "fr", "--task", "translate", "--words"]
    )
    assert house.loaded == ["m"]
    assert house.asked == [("fr", "translate", True)]


def test_the_model_is_loaded_once_for_all_files(house):
    record("a.mp3", "b.mp3", "c.mp3")
    command_line.main(["a.mp3", "b.mp3", "c.mp3"])
    assert house.loaded == [None]


# --- Which files


def test_a_folder_stands_for_its_sound_files_in_order(house):
    record("all/b.WAV", "all/a.mp3", "all/notes.txt", "all/._a.mp3", "all/deeper/c.mp3")
    assert command_line.main(["all"]) == 0
    assert house.heard == [os.path.join("all", "a.mp3"), os.path.join("all", "b.WAV")]


def test_a_pattern_is_expanded_where_the_shell_does_not(house):
    record("b.mp3", "a.mp3", "c.wav", "deep/er/d.mp3")
    assert command_line.main(["*.mp3", "deep/**/*.mp3"]) == 0
    assert house.heard == ["a.mp3", "b.mp3", os.path.join("deep", "er", "d.mp3")]


def test_a_file_whose_name_looks_like_a_pattern_is_itself(house):
    record("talk[1].mp3", "talk1.mp3")
    assert command_line.main(["talk[1].mp3"]) == 0
    assert house.heard == ["talk[1].mp3"]


def test_a_file_named_twice_is_heard_once(house):
    record("a.mp3", "b.mp3")
    command_line.main(["a.mp3", "*.mp3", "./b.mp3"])
    assert len(house.heard) == 2


def test_a_name_with_a_leading_dash_comes_after_two_dashes(house):
    record("-talk.mp3")
    assert command_line.main(["--to", "txt", "--", "-talk.mp3"]) == 0
    assert Path("-talk.txt").read_text() == "Hello there.\n"


@pytest.mark.parametrize("scheme", ["https", "HTTP", "ftp"])
def test_a_web_address_is_handed_on_as_it_is(scheme):
    address = f"{scheme}://example.com/talks/talk.mp3?key=1"
    assert command_line._find_files([address])[0] == [address]
    assert command_line._output_names([address]) == ["talk"]


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a.mp3", "b.mp3"], ["a", "b"]),
        (["a.mp3", "a.wav"], ["a.mp3", "a.wav"]),
        (["A.mp3", "a.wav"], ["A.mp3", "a.wav"]),
        (["x/a.mp3", "y/a.mp3", "z/a.mp3"], ["a.mp3", "a.mp3-2", "a.mp3-3"]),
        (["x/a.mp3", "y/a.mp3", "a.mp3.wav"], ["a.mp3", "a.mp3-2", "a.mp3.wav"]),
        (["a.mp3.wav", "x/a.mp3", "y/a.mp3"], ["a.mp3", "a.mp3-2", "a.mp3-3"]),
    ],
)
def test_no_output_replaces_another(sources, names):
    assert command_line._output_names(sources) == names


def test_two_recordings_of_one_name_give_two_files(house):
    record("a.mp3", content="From the mp3.")
    record("a.wav", content="From the wav.")
    assert command_line.main(["a.mp3", "a.wav", "--to", "txt"]) == 0
    assert Path("a.mp3.txt").read_text() == "From the mp3.\n"
    assert Path("a.wav.txt").read_text() == "From the wav.\n"


# --- What goes wrong


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("broken", "error: b.mp3 is no sound; pick another file."),
        ("refused", "error: b.mp3: tiny cannot translate."),
        ("bug", "error: b.mp3: ZeroDivisionError: division by zero"),
    ],
)
def test_a_failing_file_does_not_stop_the_others(house, capsys, content, line):
    record("a.mp3", "c.mp3")
    record("b.mp3", content=content)
    assert command_line.main(["a.mp3", "b.mp3", "c.mp3", "--to", "txt"]) == 1
    assert Path("a.txt").exists() and Path("c.txt").exists() and not Path("b.txt").exists()
    err = capsys.readouterr().err
    assert line in err.splitlines()
    assert "Traceback" not in err


def test_a_missing_file_and_an_empty_folder_are_failures_and_the_rest_goes_on(house, capsys):
    record("a.mp3")
    Path("empty").mkdir()
    assert command_line.main(["no.mp3", "empty", "*.ogg", "a.mp3"]) == 1
    out, err = capsys.readouterr()
    assert out == "Hello there.\n"
    assert "error: no.mp3: there is no such file" in err
    assert "error: empty: there is no sound in this folder" in err
    assert "error: *.ogg: there is no such file" in err


def test_no_model_is_loaded_when_there_is_nothing_to_hear(house):
    assert command_line.main(["no.mp3"]) == 1
    assert house.loaded == []


def test_a_missing_model_is_one_clear_line(house, capsys):
    record("a.mp3")
    assert command_line.main(["a.mp3", "--model", "nowhere"]) == 1
    assert capsys.readouterr().err == "error: nowhere is not a model. Connect, or pick another.\n"


def test_a_file_that_cannot_be_written_is_a_failure(house, capsys):
    record("a.mp3")
    Path("a.srt").mkdir()
    assert command_line.main(["a.mp3", "--to", "srt"]) == 1
    assert "error: a.mp3: " in capsys.readouterr().err
    assert names_in(".") == ["a.mp3", "a.srt"]


def test_a_warning_is_one_line(house, capsys):
    record("a.mp3", content="cut")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert command_line.main(["a.mp3"]) == 0
    assert "warning: a.mp3 is cut short" in capsys.readouterr().err.splitlines()


def test_ctrl_c_stops_at_once_and_quietly(house, capsys):
    record("a.mp3", content="interrupt")
    record("b.mp3")
    assert command_line.main(["a.mp3", "b.mp3", "--to", "txt"]) == 130
    assert house.heard == ["a.mp3"]
    assert capsys.readouterr().err.splitlines()[-1] == "stopped"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ([], "FILE"),
        (["a.mp3", "--to", "docx"], "srt, vtt, txt, json, tsv"),
        (["a.mp3", "--to", ","], "srt, vtt, txt, json, tsv"),
        (["a.mp3", "--out", "texts"], "--out needs --to"),
        (["a.mp3", "--task", "summarize"], "transcribe"),
        (["a.mp3", "--to", "srt", "--out", "a.mp3"], "cannot make this folder"),
    ],
)
def test_a_command_that_makes_no_sense_leaves_with_2(house, capsys, arguments, hint):
    record("a.mp3")
    with pytest.raises(SystemExit) as exit_info:
        command_line.main(arguments)
    assert exit_info.value.code == 2
    assert hint in capsys.readouterr().err
    assert house.loaded == []


def test_the_kind_of_number_goes_to_the_loader_and_others_are_refused(house, capsys):
    record("a.mp3")
    assert command_line.main(["a.mp3", "--model", "tiny", "--dtype", "int8"]) == 0
    assert house.loaded == [("tiny", "int8")]
    with pytest.raises(SystemExit) as refused:
        command_line.main(["a.mp3", "--dtype", "int7"])
    assert refused.value.code == 2
    assert "float32" in capsys.readouterr().err


# --- The terminal


def test_no_progress_is_written_into_a_pipe(house, capsys):
    record("a.mp3")
    command_line.main(["a.mp3"])
    assert "\r" not in capsys.readouterr().err


def test_progress_tells_a_terminal_how_much_is_left(monkeypatch, capsys):
    clock = iter([0.0, 240.0])
    fake_time = types.SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr(terminal, "time", fake_time)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    show = terminal.progress_line("talk.mp3")
    show(30.0, 90.0)
    drawn = capsys.readouterr().err.split("\r")
    assert drawn[2] == "0%: talk.mp3"
    assert drawn[-1] == "33%, about 8 min left: talk.mp3"


def test_a_file_name_cannot_steer_the_terminal(house, capsys):
    assert command_line.main(["\x1b[2Jgone\n.mp3"]) == 1
    assert "\x1b" not in capsys.readouterr().err


def run(*arguments, **options):
    environment = os.environ | {"PYTHONPATH": str(Path(command_line.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, env=environment, check=False, **options
    )


def test_help_comes_at_once_and_shows_examples():
    began = time.perf_counter()
    answer = run("-X", "importtime", "-m", "asr_workshop", "--help")
    took = time.perf_counter() - began
    assert answer.returncode == 0
    assert b"python -m asr_workshop talk.mp3 --to srt,vtt" in answer.stdout
    assert not any(heavy in answer.stderr for heavy in (b"torch", b"numpy", b"transformers"))
    assert took < 5, "half a second on an idle machine"


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    (tmp_path / "a.mp3").write_text("Hello there. " * 100_000)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_command_line as t\n"
        "fake = t.FakeHouse()\n"
        "for n in t.MODULES: sys.modules['asr_workshop.' + n] = getattr(fake, n)\n"
        "sys.exit(t.command_line.main([sys.argv[2]]))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(command_line.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path / "a.mp3")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as program:
        program.stdout.read(5)
        program.stdout.close()
        complaints = program.stderr.read()
    assert b"Broken" not in complaints and b"Traceback" not in complaints
