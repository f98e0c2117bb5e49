"""The form of the notebooks: what course.py generates is fresh, and the rest keeps the rules."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import statistics
from copy import deepcopy
from pathlib import Path
from urllib.parse import unquote

import pytest
from notebook_runner import EXCEPTIONS, NOTEBOOKS, ROOT

from asr_workshop.exercises import EXERCISES, exercises_for

pytestmark = pytest.mark.checkout

spec = importlib.util.spec_from_file_location("course", ROOT / "notebooks" / "course.py")
course = importlib.util.module_from_spec(spec)
spec.loader.exec_module(course)

WEB = re.compile(r"(https?|mailto):")
HUMAN_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RUNNING = 5  # minutes; no notebook's cells run longer
RANDOM_ID = re.compile(r"(?=[a-f0-9-]*\d)[a-f0-9]{8}(-[a-f0-9-]+)?")  # nbformat's and Jupyter's

RULES = {}


def rule(function):
    """Register a rule: from a notebook's path and content to pairs of a cell's id and a breach."""
    RULES[function.__name__] = function
    return function


def breaches(path: Path, name: str) -> list[str]:
    """What breaks the rule, but for the exceptions, a line each."""
    notebook = json.loads(path.read_text("utf-8"))
    found = RULES[name](path, notebook)
    return [f"{cell}: {text}" for cell, text in found if (path.stem, cell, name) not in EXCEPTIONS]


def text_of(cell) -> str:
    return "".join(cell["source"])


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(notebook):
    """Each markdown cell's id and its text without the code in it."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = re.sub(r"(?ms)^ {0,3}```.*?^ {0,3}```", "", text_of(cell))
            yield cell.get("id"), re.sub(r"`[^`\n]*`", "", text)


@rule
def generated_cells_are_fresh(path, notebook):
    fresh = json.loads(course.regenerated_files(path.parents[1])[path])
    found = {cell.get("id"): text_of(cell) for cell in notebook["cells"]}
    for cell in fresh["cells"]:
        if cell.get("id") in course.PLACES and found.get(cell["id"]) != text_of(cell):
            yield cell["id"], "is not what course.toml says: run python notebooks/course.py"


@rule
def the_file_is_as_course_py_writes_it(path, notebook):
    if course.regenerated_files(path.parents[1])[path] != path.read_text("utf-8"):
        yield "", "is not as it should be committed: run python notebooks/course.py"


@rule
def nothing_that_a_run_leaves_is_committed(path, notebook):
    if "widgets" in notebook["metadata"]:
        yield "", "metadata.widgets breaks GitHub's preview"
    for cell in code_cells(notebook):
        if cell["outputs"] or cell["execution_count"] is not None:
            yield cell.get("id"), "an output or an execution count"


@rule
def the_setup_is_at_most_8_lines(path, notebook):
    for cell in code_cells(notebook):
        if cell.get("id") == "setup" and len(text_of(cell).splitlines()) > 8:
            yield "setup", "longer than 8 lines"


@rule
def code_cells_are_short(path, notebook):
    lengths = {cell.get("id"): len(text_of(cell).splitlines()) for cell in code_cells(notebook)}
    for name, length in lengths.items():
        if length > 15:
            yield name, f"{length} lines of code, 15 are allowed"
    ordered = sorted(lengths.values())
    if statistics.median(ordered) > 4:
        yield "", f"half of the code cells have {statistics.median(ordered)} lines or more, not 4"
    if ordered[math.ceil(0.9 * len(ordered)) - 1] > 10:
        yield "", "more than a tenth of the code cells are longer than 10 lines"


@rule
def there_are_20_to_75_cells(path, notebook):
    if not 20 <= len(notebook["cells"]) <= 75:
        yield "", f"{len(notebook['cells'])} cells"


@rule
def cell_ids_are_words_and_used_once(path, notebook):
    ids = [cell.get("id", "") for cell in notebook["cells"]]
    for name in ids:
        if not HUMAN_ID.fullmatch(name) or RANDOM_ID.fullmatch(name):
            yield name, "an id is made of words, such as hear-aliasing"
        if ids.count(name) > 1:
            yield name, "two cells have this id"


@rule
def headings_skip_no_level_and_there_is_one_title(path, notebook):
    level, titles = 0, 0
    for name, text in prose(notebook):
        for hashes, tag in re.findall(r"(?m)^ {0,3}(#{1,6})\s|<h([1-6])\b", text):
            previous, level = level, int(tag or len(hashes))
            titles += level == 1
            if level > previous + 1:
                yield name, f"a heading of level {level} after one of level {previous}"
    if titles != 1:
        yield "", f"{titles} titles (headings of level 1)"


@rule
def images_have_alt_text(path, notebook):
    for name, text in prose(notebook):
        if re.search(r"!\[\s*\]", text):
            yield name, "![](...) needs a description between the brackets"
        for tag in re.findall(r"<img\b[^>]*>", text):
            if not re.search(r"""\balt\s*=\s*("[^"]*\w[^"]*"|'[^']*\w[^']*')""", tag):
                yield name, "<img> needs an alt text"


@rule
def local_links_lead_somewhere(path, notebook):
    attached = {name for cell in notebook["cells"] for name in cell.get("attachments", ())}
    places = r"""\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*(\S+)|\b(?:href|src)\s*=\s*["']([^"']+)"""
    for name, text in prose(notebook):
        for match in re.finditer(places, text, re.MULTILINE):
            target = next(filter(None, match.groups()))
            file = unquote(re.split("[#?]", target)[0])
            if WEB.match(target) or not file or file.removeprefix("attachment:") in attached:
                continue
            if file.startswith("/") or not (path.parent / file).exists():
                yield name, f"{target} leads nowhere"


@rule
def code_runs_outside_colab_too(path, notebook):
    for cell in code_cells(notebook):
        text = text_of(cell)
        if re.search(r"(?m)^\s*!.*\bpip\b", text):
            yield cell.get("id"), "!pip may install into another Python: write %pip"
        if re.search(r"(?<![\w./:-])/content\b|\bdrive\.mount\b", text):
            yield cell.get("id"), "this folder is only there in Colab"


@rule
def the_repository_is_named_in_generated_cells_only(path, notebook):
    address = course.read_project(path.parents[1])[1].removeprefix("https://github.com/")
    for cell in notebook["cells"]:
        if cell.get("id") not in course.PLACES and address in text_of(cell):
            yield cell.get("id"), "would stay behind when a teacher forks the course"


@rule
def the_minutes_are_those_a_learner_needs(path, notebook):
    reading, entries = (
        course.reading_minutes(notebook["cells"]),
        course.read_course(path.parents[1]),
    )
    minutes = next(entry["minutes"] for entry in entries if entry["name"] == path.stem)
    if not reading - 2.5 <= minutes <= reading + RUNNING + 2.5:  # minutes are rounded to 5
        yield "header", f"{minutes} min, and reading takes {reading:.1f}: course.py --measure"
    before = 0
    for name, says, reading in course.clocks(notebook["cells"]):
        if not (before < says < minutes and reading - 2 <= says <= reading + RUNNING):
            yield name, f"about {says} minutes in, after {reading:.1f} of reading and {before}"
        before = says


@rule
def exercises_stand_as_the_package_has_them(path, notebook):
    texts = [text_of(cell) for cell in notebook["cells"]]
    for exercise in exercises_for(path.stem):
        if not any(tuple(texts[i : i + 4]) == exercise.cells for i in range(len(texts))):
            yield "", f"{exercise.name}: its four cells, one after the other, are not there"
    for cell in code_cells(notebook):
        for name in re.findall(r"import (\w+) as turn", text_of(cell)):
            if name not in EXERCISES or EXERCISES[name].notebook != path.stem:
                yield cell.get("id"), f"{name} is no exercise of this notebook"


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_keeps_the_rule(path, name):
    assert breaches(path, name) == []


def test_the_readmes_buttons_open_the_same_repository():
    readme = (ROOT / "README.md").read_text("utf-8")
    opened = re.findall(r"(?:com/github|org/v2/gh)/([\w.-]+/[\w.-]+)", readme)
    assert opened and {course.read_project(ROOT)[1]} == {
        f"https://github.com/{it}" for it in opened
    }


# A little course that keeps all rules, and the ways to break them.

TABLE = """
[[notebook]]
name = "00_first"
title = "First"
minutes = 10
download_mb = 290
prerequisites = "Nothing."
objectives = ["Say one", "Say two"]

[[notebook]]
name = "01_second"
title = "Second"
minutes = 15
download_mb = 0
prerequisites = ["00_first"]
objectives = ["Say *three*"]
"""
PROJECT = (
    '[project]\nname = "asr-workshop"\n[project.urls]\nSource = "https://github.com/one/two"\n'
)
README = "[Colab](https://colab.research.google.com/github/one/two/blob/main/n) [other](one/two)\n"
THEMES = "wave tone pitch noise vowel echo hum click whisper".split()


def handwritten() -> dict:
    cells = []
    for theme in THEMES:
        cells.append(markdown(theme, f"## A {theme}\n\nListen to the {theme}: é, 語."))
        cells.append(code(f"{theme}-heard", f"{theme} = 1\nprint({theme})"))
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def markdown(name, text):
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def code(name, text):
    cell = {"cell_type": "code", "id": name, "metadata": {}, "source": text}
    return cell | {"execution_count": None, "outputs": []}


@pytest.fixture
def little_course(tmp_path):
    """A course of two notebooks, as course.py leaves it."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "course.toml").write_text(TABLE)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "README.md").write_text(README)
    for name in ("00_first", "01_second"):
        save(tmp_path / "notebooks" / f"{name}.ipynb", handwritten())
    assert course.main([], tmp_path) == 0
    return tmp_path


def save(path, notebook):
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def load(root, name="00_first"):
    return json.loads((root / "notebooks" / f"{name}.ipynb").read_text("utf-8"))


def cell_of(notebook, name):
    return next(cell for cell in notebook["cells"] if cell.get("id") == name)


def edit(name, old, new):
    """A change of one cell's text."""

    def change(notebook):
        cell = cell_of(notebook, name)
        assert old in text_of(cell)
        cell["source"] = text_of(cell).replace(old, new)

    return change


def add(text, name="wave", repeat=1):
    """Text put below that of one cell."""
    return lambda notebook: cell_of(notebook, name).update(
        source=text_of(cell_of(notebook, name)) + f"\n{text}" * repeat
    )


def put(key, value, name="wave-heard"):
    """Another value for one of a cell's keys."""
    return lambda notebook: cell_of(notebook, name).update({key: value})


def lengthen(lines, names):
    return lambda notebook: [add("1", name, lines)(notebook) for name in names]


HEARD = [f"{theme}-heard" for theme in THEMES]
BROKEN = {
    "a badge to another branch": (
        "generated_cells_are_fresh",
        edit("header", "blob/main", "blob/mine"),
    ),
    "a link to the wrong next notebook": (
        "generated_cells_are_fresh",
        edit("next", "01_second", "00_first"),
    ),
    "a recap of other things": ("generated_cells_are_fresh", edit("recap", "two", "seven")),
    "an objective more": ("generated_cells_are_fresh", add("- Say four", "objectives")),
    "a setup cell of its own": ("generated_cells_are_fresh", edit("setup", "-q", "-U")),
    "no setup cell": ("generated_cells_are_fresh", lambda n: n["cells"].pop(2)),
    "generated cells in another order": (
        "the_file_is_as_course_py_writes_it",
        lambda n: n["cells"].insert(0, n["cells"].pop(2)),
    ),
    "another kernel": (
        "the_file_is_as_course_py_writes_it",
        lambda n: n["metadata"]["kernelspec"].update(name="my-env"),
    ),
    "an output": (
        "nothing_that_a_run_leaves_is_committed",
        put("outputs", [{"name": "stdout", "output_type": "stream", "text": "1"}]),
    ),
    "an execution count": ("nothing_that_a_run_leaves_is_committed", put("execution_count", 3)),
    "stored widgets": (
        "nothing_that_a_run_leaves_is_committed",
        lambda n: n["metadata"].update(widgets={}),
    ),
    "a long setup": ("the_setup_is_at_most_8_lines", add("1", "setup", 4)),
    "one very long cell": ("code_cells_are_short", lengthen(14, HEARD[:1])),
    "half of the cells too long": ("code_cells_are_short", lengthen(3, HEARD[:5])),
    "a tenth of the cells too long": ("code_cells_are_short", lengthen(9, HEARD[:2])),
    "too few cells": ("there_are_20_to_75_cells", lambda n: n["cells"].__delitem__(slice(3, 7))),
    "too many cells": (
        "there_are_20_to_75_cells",
        lambda n: n["cells"].extend(n["cells"][3:] * 3),
    ),
    "a cell without id": ("cell_ids_are_words_and_used_once", lambda n: n["cells"][4].pop("id")),
    "an id used twice": ("cell_ids_are_words_and_used_once", put("id", "wave")),
    "an id by nbformat": ("cell_ids_are_words_and_used_once", put("id", "a3f09c1e")),
    "an id by JupyterLab": (
        "cell_ids_are_words_and_used_once",
        put("id", "c0ffee12-3a4b-4c5d-8e6f-7a8b9c0d1e2f"),
    ),
    "an id by Colab": ("cell_ids_are_words_and_used_once", put("id", "Xk2_9dQwLmPz")),
    "a second title": ("headings_skip_no_level_and_there_is_one_title", add("# Again")),
    "no title": ("headings_skip_no_level_and_there_is_one_title", edit("header", "# ", "")),
    "a level left out": ("headings_skip_no_level_and_there_is_one_title", add("#### Deep")),
    "a level left out in HTML": (
        "headings_skip_no_level_and_there_is_one_title",
        add("<h4>Deep</h4>"),
    ),
    "a picture without words": ("images_have_alt_text", add("![](https://example.org/a.png)")),
    "a tag without words": ("images_have_alt_text", add('<img src="https://example.org/a.png">')),
    "a tag with empty words": (
        "images_have_alt_text",
        add('<img alt="" src="https://example.org/a.png">'),
    ),
    "a notebook that is not there": ("local_links_lead_somewhere", add("[x](09_no.ipynb#part)")),
    "a picture that is not there": ("local_links_lead_somewhere", add("![A wave](wave.png)")),
    "a tag to nowhere": ("local_links_lead_somewhere", add('<a href="no.html">x</a>')),
    "a named link to nowhere": ("local_links_lead_somewhere", add("[x][1]\n\n[1]: no.md")),
    "a path of one computer": ("local_links_lead_somewhere", add("[x](/etc/hostname)")),
    "a picture not attached": ("local_links_lead_somewhere", add("![A](attachment:a.png)")),
    "pip in a shell": ("code_runs_outside_colab_too", add("!pip install jiwer", HEARD[0])),
    "python -m pip in a shell": (
        "code_runs_outside_colab_too",
        add("!{sys.executable} -m pip install jiwer", HEARD[0]),
    ),
    "a Colab folder": ("code_runs_outside_colab_too", add("open('/content/a.wav')", HEARD[0])),
    "a Drive": ("code_runs_outside_colab_too", add("drive.mount('/gdrive')", HEARD[0])),
    "many more words": ("the_minutes_are_those_a_learner_needs", add("word " * 2500)),
    "half of the cells": (
        "the_minutes_are_those_a_learner_needs",
        lambda n: n["cells"].__delitem__(slice(3, 15)),
    ),
    "a clock that is slow": (
        "the_minutes_are_those_a_learner_needs",
        add("word " * 800 + "\n\n*About 1 minutes in.*"),
    ),
    "a clock that is fast": (
        "the_minutes_are_those_a_learner_needs",
        add("*About 9 minutes in.*"),
    ),
    "a clock that stands still": (
        "the_minutes_are_those_a_learner_needs",
        add("*About 2 minutes in.*\n\n*About 2 minutes in.*"),
    ),
    "an exercise of another notebook": (
        "exercises_stand_as_the_package_has_them",
        add("from asr_workshop.exercises import mel_scale as turn", HEARD[0]),
    ),
    "the repository in prose": (
        "the_repository_is_named_in_generated_cells_only",
        add("See https://github.com/one/two/issues"),
    ),
}


@pytest.mark.parametrize(("name", "damage"), BROKEN.values(), ids=BROKEN)
def test_a_breach_is_noticed(name, damage, little_course):
    path = little_course / "notebooks" / "00_first.ipynb"
    assert breaches(path, name) == []
    notebook = load(little_course)
    damage(notebook)
    save(path, notebook)
    assert breaches(path, name)


def test_every_rule_can_fail():
    assert {name for name, _ in BROKEN.values()} == set(RULES)


@pytest.mark.parametrize("cell", ["turn", "answer", "hint", "solution"])
def test_an_exercise_that_drifts_from_the_package_is_noticed(cell):
    path = ROOT / "notebooks" / "02_spectrograms.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    add("# no longer the same", f"mel-scale-{cell}")(notebook)
    found = list(RULES["exercises_stand_as_the_package_has_them"](path, notebook))
    assert [text.partition(":")[0] for _, text in found] == ["mel_scale"]


GOOD = """
[next](01_second.ipynb#a-wave), [above](#a-wave), [web](https://example.org/one), `![](x)`,
![A wave](attachment:a.png) <img alt="A wave" src="../README.md">

```bash
# a comment, no title
!pip install what-is-only-shown
```
"""


def test_good_links_pictures_and_code_in_prose_are_no_breaches(little_course):
    path = little_course / "notebooks" / "00_first.ipynb"
    notebook = load(little_course)
    add(GOOD)(notebook)
    cell_of(notebook, "wave")["attachments"] = {"a.png": {"image/png": ""}}
    add("open('https://example.org/content/a.wav')", "wave-heard")(notebook)
    save(path, notebook)
    assert course.main([], little_course) == 0
    assert [line for name in RULES for line in breaches(path, name)] == []


def test_an_exception_excuses_one_cell_from_one_rule(little_course, monkeypatch):
    path = little_course / "notebooks" / "00_first.ipynb"
    notebook = load(little_course)
    lengthen(14, HEARD[:2])(notebook)
    save(path, notebook)
    excuse = {("00_first", HEARD[0], "code_cells_are_short"): "for this test"}
    before = breaches(path, "code_cells_are_short")
    monkeypatch.setitem(EXCEPTIONS, *excuse.popitem())
    assert len(breaches(path, "code_cells_are_short")) == len(before) - 1


# What course.py does


def test_the_generated_cells_stand_in_their_places(little_course):
    ids = [cell["id"] for cell in load(little_course)["cells"]]
    assert ids[:3] == ["header", "objectives", "setup"]
    assert ids[-2:] == ["recap", "next"]


def test_the_header_says_title_time_size_and_what_to_know_before(little_course):
    first, second = (
        text_of(cell_of(load(little_course, name), "header")) for name in ("00_first", "01_second")
    )
    assert first.startswith("# First\n")
    assert "*about 10 min · CPU or GPU · downloads 290 MB (more on a GPU)*" in first
    assert first.endswith("Nothing.")
    assert "https://mybinder.org/v2/gh/one/two/HEAD?urlpath=lab/tree/notebooks/00_first" in first
    assert "*about 15 min · CPU or GPU · no download*" in second
    assert "[First](00_first.ipynb)" in second


def test_the_first_notebook_leads_on_and_the_last_one_back(little_course):
    assert text_of(cell_of(load(little_course), "next")) == "**Next:** [Second](01_second.ipynb)"
    last = text_of(cell_of(load(little_course, "01_second"), "next"))
    assert last == "**The end.** · Back: [First](00_first.ipynb)"


def test_handwritten_cells_stay_as_they_are(little_course):
    kept = [cell for cell in load(little_course)["cells"] if cell["id"] not in course.PLACES]
    assert kept == handwritten()["cells"]
    before = (little_course / "notebooks" / "00_first.ipynb").read_bytes()
    assert "語".encode() in before and before.endswith(b"}\n")
    assert course.main([], little_course) == 0
    assert (little_course / "notebooks" / "00_first.ipynb").read_bytes() == before


def test_the_recap_may_stand_among_handwritten_cells(little_course):
    notebook = load(little_course)
    notebook["cells"].insert(-3, notebook["cells"].pop(-2))
    path = little_course / "notebooks" / "00_first.ipynb"
    save(path, notebook)
    assert course.main(["--check"], little_course) == 0


def test_a_notebook_saved_by_colab_is_clean_again_after_course_py(little_course):
    path = little_course / "notebooks" / "00_first.ipynb"
    before = load(little_course)
    saved = deepcopy(before)
    for cell in saved["cells"]:
        cell["metadata"] = {"id": cell.pop("id"), "outputId": "f00", "executionInfo": {}}
    badge = {"cell_type": "markdown", "metadata": {"id": "view-in-github"}, "source": ["<a>"]}
    saved["cells"].insert(0, badge)
    saved["metadata"] |= {"colab": {"provenance": []}, "widgets": {}, "accelerator": "GPU"}
    saved["nbformat_minor"] = 0
    save(path, saved)

    assert course.main([], little_course) == 0

    before["metadata"]["accelerator"] = "GPU"  # what the teacher chose stays
    assert load(little_course) == before


def test_check_names_the_stale_file_and_changes_nothing(little_course, capsys):
    path = little_course / "notebooks" / "01_second.ipynb"
    notebook = load(little_course, "01_second")
    put("execution_count", 3)(notebook)
    save(path, notebook)
    before = path.read_bytes()
    assert course.main(["--check"], little_course) == 1
    assert capsys.readouterr().out.split() == ["stale:", str(Path("notebooks", "01_second.ipynb"))]
    assert path.read_bytes() == before


def test_one_command_points_every_link_at_a_fork(little_course):
    assert course.main(["--source", "https://github.com/me/my-fork.git"], little_course) == 0
    files = [*little_course.glob("notebooks/*.ipynb"), little_course / "pyproject.toml"]
    for file in files:
        text = file.read_text("utf-8")
        assert "one/two" not in text and "me/my-fork" in text and ".git\\" not in text
    readme = (little_course / "README.md").read_text()
    assert readme == README.replace("github/one/two", "github/me/my-fork")


@pytest.mark.parametrize(
    "source", ["https://gitlab.com/me/fork", "me/fork", "https://github.com/me"]
)
def test_an_address_that_colab_cannot_open_is_refused(source, little_course, capsys):
    assert course.main(["--source", source], little_course) == 2
    assert "https://github.com/OWNER/REPOSITORY" in capsys.readouterr().err
    assert (little_course / "pyproject.toml").read_text() == PROJECT


def test_a_notebook_missing_from_the_table_is_named(little_course, capsys):
    save(little_course / "notebooks" / "02_third.ipynb", handwritten())
    assert course.main([], little_course) == 2
    assert "02_third" in capsys.readouterr().err


def test_an_unknown_prerequisite_is_named(little_course, capsys):
    table = little_course / "notebooks" / "course.toml"
    table.write_text(table.read_text().replace('["00_first"]', '["00_frist"]'))
    assert course.main([], little_course) == 2
    assert "00_frist" in capsys.readouterr().err


def test_measuring_counts_words_exercises_seconds_and_bytes(little_course, capsys, monkeypatch):
    notebook = load(little_course)
    edit("wave", "A wave", "Your turn: a wave")(notebook)
    add("import os, pathlib\nfolder = pathlib.Path(os.environ['HF_HUB_CACHE'])", HEARD[0])(notebook)
    add("folder.mkdir()\n(folder / 'weights').write_bytes(bytes(7_000_000))", HEARD[0])(notebook)
    add("(folder / 'again').symlink_to(folder / 'weights')", HEARD[0])(notebook)
    add("*About 4 minutes in.*\n\n" + "word " * 1400, "wave")(notebook)
    (little_course / "notebooks" / "01_second.ipynb").unlink()
    table = little_course / "notebooks" / "course.toml"
    table.write_text(TABLE[: TABLE.rindex("[[notebook]]")])
    save(little_course / "notebooks" / "00_first.ipynb", notebook)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))

    assert course.main(["--measure"], little_course) == 0

    line = capsys.readouterr().out.splitlines()[1].split()
    reading, seconds, minutes, hub, pip, name = line[:6]
    assert 11.5 < float(reading) < 12.5 and int(seconds) < 60
    assert (minutes, hub, pip, name) == ("10", "7", "0", "00_first")
    assert line[6:] == ["4", "(2.5)"]
