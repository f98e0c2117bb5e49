"""Every "Your turn": its solution, its stub and its typical mistakes, and what a learner reads."""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import subprocess
import sys
import wave
from functools import partial
from html.parser import HTMLParser
from importlib import import_module

import numpy as np
import pytest

from asr_workshop import exercises
from asr_workshop.exercises import EXERCISES, exercises_for
from asr_workshop.exercises.core import NAMES

MISTAKES = [
    pytest.param(exercise, mistake, id=f"{exercise.name}-{number}")
    for exercise in EXERCISES.values()
    for number, mistake in enumerate(exercise.mistakes)
]
each = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.name)
functions = pytest.mark.parametrize(
    "exercise", [e for e in EXERCISES.values() if e.cases], ids=lambda exercise: exercise.name
)
turn = EXERCISES["hours_needed"]


def written(exercise, code):
    """What a learner's variable holds after running the code."""
    names = dict(NAMES)
    exec(code, names)
    return names[exercise.answer_name]


def solved(name):
    return written(EXERCISES[name], EXERCISES[name].code)


# Each exercise


@each
def test_the_solution_is_right(exercise):
    reply = exercise.check(written(exercise, exercise.code))
    assert (reply.state, reply.text) == ("right", exercise.onward)


@each
def test_the_untouched_stub_is_not_attempted(exercise):
    reply = exercise.check(written(exercise, exercise.stub))
    assert reply.state == "not attempted"
    assert "turn.hint()" in reply.text


@pytest.mark.parametrize("exercise, mistake", MISTAKES)
def test_a_typical_mistake_is_told_apart(exercise, mistake):
    reply = exercise.check(written(exercise, mistake.code))
    assert reply.state == "wrong"
    assert reply.text.startswith(mistake.says)


@each
def test_no_two_mistakes_are_told_the_same(exercise):
    assert exercise.mistakes
    assert len({mistake.says for mistake in exercise.mistakes}) == len(exercise.mistakes)


@functions
def test_a_mistake_nobody_foresaw_is_shown_beside_the_right_result(exercise):
    reply = exercise.check(lambda *inputs: "something else")
    assert reply.state == "wrong"
    assert reply.text.startswith(f"`{exercise.cases[0]}` should give `")
    assert "Yours gives `'something else'`" in reply.text
    assert reply.code == exercise.given


@functions
def test_repeating_the_first_example_does_not_pass(exercise):
    first = exercise._result(written(exercise, exercise.code), exercise.cases[0])
    assert exercise.check(lambda *inputs: first).state == "wrong"


@functions
def test_a_function_that_forgets_to_return_is_told_so(exercise):
    kept = exercise.code.replace("return", "result =")
    reply = exercise.check(written(exercise, kept))
    assert reply.state == "wrong"
    assert "`return`" in reply.text


@functions
def test_a_function_that_stops_is_an_error(exercise):
    reply = exercise.check(written(exercise, exercise.stub.replace("...", "1 / 0")))
    assert reply.state == "error"
    assert "ZeroDivisionError: division by zero" in reply.text


@functions
def test_the_result_of_a_call_in_place_of_the_function_is_explained(exercise):
    reply = exercise.check(5.0)
    assert reply.state == "wrong"
    assert f"`turn.check({exercise.answer_name})`" in reply.text


@each
def test_the_solution_is_short_and_needs_nothing_but_numpy(exercise):
    assert len(exercise.code.splitlines()) <= 6
    names = {"np": np}
    exec(exercise.code, names)
    assert exercise.check(names[exercise.answer_name]).state == "right"


@each
def test_stub_solution_and_mistakes_answer_the_same_question(exercise):
    first = exercise.code.splitlines()[0]
    if exercise.cases:
        assert exercise.stub.startswith(first)
    assert all(exercise.answer_name in mistake.code for mistake in exercise.mistakes)
    assert all(case.startswith(f"{exercise.answer_name}(") for case in exercise.cases)


@each
def test_only_the_prompt_uses_more_markup_than_code_marks(exercise):
    texts = [exercise.nudge, exercise.explanation, exercise.onward]
    for text in texts + [mistake.says for mistake in exercise.mistakes]:
        assert text.count("`") % 2 == 0
        assert "*" not in re.sub("`[^`]*`", "", text)


# The solutions, against somebody else's word


def test_bin_frequencies_are_those_of_numpy():
    frequencies = np.fft.rfftfreq(400, 1 / 16_000)
    assert solved("bin_frequency")(7, 16_000, 400) == pytest.approx(frequencies[7])


@pytest.mark.parametrize("n_samples", [400, 559, 560, 561, 16_000])
def test_frames_are_as_many_as_can_be_cut(n_samples):
    frames = np.lib.stride_tricks.sliding_window_view(np.zeros(n_samples), 400)[::160]
    assert solved("number_of_frames")(n_samples, 400, 160) == len(frames)


def test_the_mel_scale_is_the_one_librosa_calls_slaney():
    import librosa

    for frequency in (60.0, 999.0, 1_000.0, 1_001.0, 7_600.0):
        expected = librosa.hz_to_mel(frequency, htk=False)
        assert solved("mel_scale")(frequency) == pytest.approx(expected)


def test_an_hour_takes_what_a_wav_file_takes():
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
        wav.writeframes(bytes(3_600 * 16_000 * 2))
    assert len(file.getvalue()) / 1e6 == pytest.approx(solved("size_of_an_hour"), abs=1e-4)


# What is not the answer yet


def dots(hours_of_sound, real_time_factor): ...


def passing(hours_of_sound, real_time_factor):
    """Says what it will do one day."""
    pass


def nothing(hours_of_sound, real_time_factor):
    return None


def not_implemented(hours_of_sound, real_time_factor):
    raise NotImplementedError


@pytest.mark.parametrize(
    "answer", [dots, passing, nothing, not_implemented, lambda *_: NotImplemented, ..., None]
)
def test_whatever_stands_for_nothing_is_not_attempted(answer):
    assert turn.check(answer).state == "not attempted"


def test_checking_nothing_at_all_is_not_attempted():
    assert turn.check().state == "not attempted"


def test_who_has_not_begun_gets_an_example():
    assert "`hours_needed(2, 0.5)` should give `1.0`" in turn.check(dots).text


def test_half_an_answer_is_wrong_where_it_stops():
    def mel(frequency):
        if frequency < 1000:
            return 3 * frequency / 200

    reply = EXERCISES["mel_scale"].check(mel)
    assert reply.state == "wrong"
    assert "gives nothing back here" in reply.text
    assert "`mel(1_000)` should give `15.0`. Yours gives `None`." in reply.text


def test_a_value_that_is_wrong_does_not_give_the_right_one_away():
    reply = EXERCISES["size_of_an_hour"].check(100)
    assert reply.state == "wrong"
    assert "`100`" in reply.text and "115" not in reply.text


def test_a_function_in_place_of_a_value_is_explained():
    reply = EXERCISES["size_of_an_hour"].check(lambda: 115.2)
    assert reply.state == "wrong"
    assert "You handed over a function" in reply.text


# Right in another spelling


@pytest.mark.parametrize(
    "name, answer",
    [
        ("hours_needed", lambda hours, factor: np.float32(hours) * factor),
        ("mono_from_stereo", lambda stereo: (stereo[:, 0] + stereo[:, 1]) / 2),
        ("mono_from_stereo", lambda stereo: [sum(pair) / 2 for pair in stereo]),
        ("bin_frequency", lambda k, rate, n_fft: np.arange(n_fft)[k] / n_fft * rate),
        ("size_of_an_hour", np.float64(115.2)),
        ("table_of_contents", lambda s: tuple(f"{int(x.start) // 60}:{int(x.start) % 60:02} "
                                              f"{x.text}" for x in s)),
    ],
)  # fmt: skip
def test_other_ways_to_write_it_are_right(name, answer):
    assert EXERCISES[name].check(answer).state == "right"


def test_a_mistake_is_known_however_it_is_written():
    reply = turn.check(lambda hours, factor: hours * factor**-1)
    assert reply.text.startswith("You divided. A factor below 1")


def test_an_answer_that_spoils_its_input_is_judged_by_what_it_gives():
    def mono(stereo):
        stereo += 1
        return (stereo - 1).mean(axis=1)

    assert EXERCISES["mono_from_stereo"].check(mono).state == "right"


# Errors in the learner's code


def misspelled(hours_of_sound, real_time_factor):
    return hours_of_sond * real_time_factor  # noqa: F821


def helpless(hours_of_sound, real_time_factor):
    return np.reshape([hours_of_sound], (2, 3))


def quits(hours_of_sound, real_time_factor):
    sys.exit("bye")


@pytest.mark.parametrize(
    "answer, line, says",
    [
        (misspelled, "return hours_of_sond * real_time_factor", "NameError: name 'hours_of_sond'"),
        (helpless, "return np.reshape([hours_of_sound], (2, 3))", "ValueError: cannot"),
        (quits, 'sys.exit("bye")', "SystemExit: bye"),
    ],
)
def test_an_error_names_the_learners_own_line(answer, line, says):
    reply = turn.check(answer)
    assert reply.state == "error"
    assert line in reply.text and says in reply.text
    assert "`hours_needed(2, 0.5)`" in reply.text
    assert "Traceback" not in reply.text


def test_a_line_that_cannot_be_read_again_is_named_by_its_number():
    answer = written(
        turn, "def hours_needed(hours_of_sound, real_time_factor):\n    return hours_of_sound / 0"
    )
    assert "stopped in line 2" in turn.check(answer).text


def test_a_changed_first_line_is_compared_with_the_stub():
    reply = turn.check(lambda hours: hours / 2)
    assert reply.state == "error"
    assert "`def hours_needed(hours_of_sound, real_time_factor):`" in reply.text


class Hostile:
    """Fails at whatever is done with it."""

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("no repr")

    def __array__(self, *_, **__):
        raise RuntimeError("no array")


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def unspeakable(*_):
    raise Unspeakable


def endless(*inputs):
    return endless(*inputs)


itself: list = []
itself.append(itself)
ODD = [Hostile(), Hostile, lambda *_: Hostile(), unspeakable, endless, lambda *_: itself, itself]
ODD += [float("nan"), float("inf"), 1j, b"", "", [], {}, [[1], [1, 2]], np.array([object()])]
ODD += [np.zeros(0), np.array(2.5), np.array("text"), np.zeros((100, 100)), print, partial(int)]
ODD += [lambda *_: iter(()), lambda *_: "x" * 10**6, type, ValueError("returned"), True]


@each
def test_check_never_raises_and_is_never_fooled(exercise):
    for answer in ODD:
        reply = exercise.check(answer)
        assert reply.state in ("wrong", "error")
        assert len(repr(reply)) < 2_000
        assert reply._repr_html_()


def test_stopping_a_check_by_hand_stops_it():
    def interrupted(hours_of_sound, real_time_factor):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turn.check(interrupted)


# How a reply looks


class Page(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_what_the_learner_wrote_is_escaped():
    reply = turn.check(lambda *_: "<script>alert(1)</script> & `<b>`")
    page = Page(reply._repr_html_())
    assert set(page.tags) <= {"div", "strong", "code", "br"}
    assert "<script>alert(1)</script>" in page.text


def test_every_reply_reads_without_colour():
    replies = {
        "✓ Right.": turn.check(solved(turn.name)),
        "✗ Not right yet.": turn.check(lambda *_: 0),
        "⚠ Error.": turn.check(misspelled),
        "○ Not attempted yet.": turn.check(dots),
        "→ Hint.": turn.hint(),
    }
    for heading, reply in replies.items():
        assert repr(reply).startswith(heading)
        assert Page(reply._repr_html_()).text.startswith(heading)


def test_html_and_plain_text_say_the_same():
    reply = EXERCISES["mono_from_stereo"].check(lambda stereo: stereo[:, 0])
    plain = repr(reply).replace("`", "")
    assert "".join(plain.split()) == "".join(Page(reply._repr_html_()).text.split())
    assert "stereo = np.array(" in plain


def test_arrays_are_shown_with_their_shape():
    reply = EXERCISES["mono_from_stereo"].check(lambda stereo: stereo.mean(axis=0))
    assert "should give `[0.3, -0.3, 0.5], shape (3,)`" in reply.text
    assert "Yours gives `[0.233, 0.1], shape (2,)`" in reply.text


def test_looking_at_an_exercise_does_not_show_its_solution():
    assert repr(turn) == "hours_needed: turn.check(hours_needed), turn.hint(), turn.solution()"


@each
def test_the_solution_is_shown_and_handed_back(exercise, capsys):
    handed = exercise.solution()
    shown = capsys.readouterr().out
    assert shown.startswith("✎ Solution. ")
    assert all(line in shown for line in exercise.code.splitlines())
    assert exercise.check(handed).state == "right"


@each
def test_the_hint_names_the_function_it_is_for(exercise):
    reply = exercise.hint()
    assert reply.state == "hint"
    assert f"`{exercise.answer_name}`" in reply.text


# In the notebooks


def test_exercises_are_listed_by_notebook():
    notebooks = sorted({exercise.notebook for exercise in EXERCISES.values()})
    listed = [exercise for name in notebooks for exercise in exercises_for(name)]
    assert listed == list(EXERCISES.values())
    assert all(getattr(exercises, exercise.name) is exercise for exercise in listed)
    assert exercises_for("no such notebook") == ()


@each
def test_cells_are_short_and_end_with_the_check(exercise):
    _, stub, *_ = exercise.cells
    lines = [line for line in stub.splitlines() if line.strip()]
    assert len(lines) <= 5
    assert lines[0] == f"from asr_workshop.exercises import {exercise.name} as turn"
    assert lines[-1] == f"turn.check({exercise.answer_name})"


def test_cells_are_formatted_as_ruff_wants_them(tmp_path):
    for exercise in EXERCISES.values():
        for number, source in enumerate(exercise.cells[1:]):
            (tmp_path / f"{exercise.name}_{number}.py").write_text(source + "\n", "utf-8")
        (tmp_path / f"{exercise.name}.py").write_text(exercise.code + "\n", "utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--check", "--isolated"]
    run = subprocess.run(
        [*command, "--line-length=100", tmp_path], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


IN_IPYTHON = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from asr_workshop.exercises import EXERCISES, hours_needed

shell = InteractiveShell.instance()
shell.history_manager.enabled = False
shell.run_cell("import numpy as np")
def run(source):
    return shell.run_cell(source, store_history=True).result
found = {"stubs": [run(e.cells[1]).state for e in EXERCISES.values()]}
wrong = hours_needed.cells[1].replace("return ...", "return hours_of_sound / zero")
found["error"] = repr(run(wrong))
found["hint"] = run("turn.hint()").state
found["solved"] = [
    run(f"{e.cells[1]}\\n{e.cells[3][2:]}\\nturn.check({e.answer_name})").state
    for e in EXERCISES.values()
]
found["torch"] = "torch" in sys.modules
print("\\n" + json.dumps(found))
"""


def test_the_cells_work_in_ipython(tmp_path):
    environment = os.environ | {"IPYTHONDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-c", IN_IPYTHON], env=environment, capture_output=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert set(found["stubs"]) == {"not attempted"}
    assert "stopped at `return hours_of_sound / zero  # your turn`" in found["error"]
    assert found["hint"] == "hint"
    assert set(found["solved"]) == {"right"}
    assert not found["torch"], "exercises must not load torch"


@pytest.mark.parametrize("module", ["", ".core", ".replies"])
def test_the_examples_in_the_documentation_are_true(module):
    result = doctest.testmod(import_module(f"asr_workshop.exercises{module}"))
    assert result.failed == 0
