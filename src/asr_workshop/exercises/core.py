"""How an exercise judges an answer: it runs the answer beside the solution and known mistakes.

Nothing in an exercise says how to recognise a mistake. A mistake is a piece of code too, and an
answer that gives the same results as that code has made that mistake, however it is written.
"""

from __future__ import annotations

import ast
import dis
import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np

from asr_workshop.exercises.replies import Reply, show_value
from asr_workshop.transcript import Segment, Transcript, Word

# What the code of solutions, mistakes and examples may use; notebooks import these as well.
NAMES = {"np": np, "Segment": Segment, "Transcript": Transcript, "Word": Word}

ADVICE = {
    NameError: "Python does not know this name. Check its spelling, or run the cell that makes it.",
    ZeroDivisionError: "Something was divided by zero.",
    AttributeError: "There is nothing of that name behind the dot. Press Tab there to see what is.",
    IndexError: "That place does not exist. Counting begins at 0.",
    KeyError: "That entry does not exist.",
    TypeError: "Two things do not fit together, such as text and a number.",
    RecursionError: "The function calls itself without end.",
}


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer: its code, and what to say to somebody who wrote it."""

    code: str
    says: str


@dataclass(frozen=True, repr=False)
class Exercise:
    """One "Your turn".

    Attributes
    ----------
    name : str
        What the notebook imports as ``turn``.
    notebook : str
        The notebook it belongs to, without ``.ipynb``.
    prompt : str
        The task, in Markdown.
    stub : str
        The code a learner starts from: a function or a variable with ``...`` in it.
    nudge : str
        The hint.
    code, explanation : str
        The solution, and why it is right.
    onward : str
        What follows, for somebody who got it right.
    mistakes : tuple of Mistake
        Typical wrong answers.
    cases : tuple of str
        Calls that compare an answer with the solution, the smallest first. None for a variable.
    given : str
        Code that makes what the cases use.
    """

    name: str
    notebook: str
    prompt: str
    stub: str
    nudge: str
    code: str
    explanation: str
    onward: str
    mistakes: tuple[Mistake, ...]
    cases: tuple[str, ...] = ()
    given: str = ""

    def __repr__(self) -> str:
        return f"{self.name}: turn.check({self.answer_name}), turn.hint(), turn.solution()"

    @property
    def answer_name(self) -> str:
        """The name of the function or variable that the learner writes."""
        return _define(self.stub)[0]

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The notebook's cells: the task (Markdown), then the stub, the hint and the solution."""
        # ruff wants two empty lines around a function, and one after an import
        above, below = ("\n\n\n", "\n\n\n") if self.cases else ("\n\n", "\n")
        return (
            f"## Your turn\n\n{self.prompt}",
            f"from asr_workshop.exercises import {self.name} as turn{above}"
            f"{self.stub}{below}turn.check({self.answer_name})",
            "# turn.hint()",
            f"# {self.answer_name} = turn.solution()",
        )

    def hint(self) -> Reply:
        """Give a nudge in the right direction."""
        return Reply("hint", f"For `{self.answer_name}`: {self.nudge}")

    def solution(self) -> Any:
        """Show the solution with an explanation, and hand it back ready to use."""
        from IPython.display import display

        display(Reply("solution", self.explanation, self.code))
        return _define(self.code)[1]

    def check(self, answer: Any = ...) -> Reply:
        """Say how good an answer is.

        An error in the answer is a reply as well: nothing is raised, unless you interrupt it.

        Parameters
        ----------
        answer : function or value
            What the learner wrote, as the stub has it.

        Returns
        -------
        Reply
            ``state`` is ``"not attempted"``, ``"wrong"``, ``"error"`` or ``"right"``.
        """
        if _not_done(answer):
            return self._not_attempted()
        if callable(answer) != bool(self.cases):
            return self._wrong_kind()
        results = self._results(answer)
        expected = self._results(_define(self.code)[1])
        if _same(results, expected):
            return Reply("right", self.onward)
        if all(_not_done(result) for result in results) and not (
            results[0] is None and _reads_its_inputs(answer)
        ):
            return self._not_attempted()
        return self._judge(answer, results, expected)

    def _judge(self, answer: Any, results: list, expected: list) -> Reply:
        """Find out in which way the answer is wrong."""
        wrong = next(i for i in range(len(results)) if not _same(results[i], expected[i]))
        comparison = self._compare(wrong, results[wrong], expected[wrong])
        for mistake in self.mistakes:
            if _same(results, self._results(_define(mistake.code)[1])):
                return Reply("wrong", f"{mistake.says}\n{comparison}", self.given)
        if self.cases and isinstance(results[wrong], BaseException):
            return self._stopped(answer, self.cases[wrong], results[wrong])
        if results[wrong] is None:
            text = "Your function gives nothing back here. Begin its last line with `return`."
            return Reply("wrong", f"{text}\n{comparison}", self.given)
        return Reply("wrong", f"{comparison}\n`turn.hint()` gives you a nudge.", self.given)

    def _results(self, answer: Any) -> list:
        """What an answer gives for each case; an exception counts as a result."""
        if not self.cases:
            return [answer]
        return [self._result(answer, case) for case in self.cases]

    def _result(self, answer: Any, case: str) -> Any:
        # The given things are made afresh, in case an answer changes them.
        names = NAMES | {self.answer_name: answer}
        try:
            exec(self.given, names)
            return eval(compile(case, "<case>", "eval"), names)
        except (Exception, SystemExit) as error:
            return error

    def _compare(self, index: int, result: Any, expected: Any) -> str:
        if not self.cases:  # the right number would give the answer away
            return f"Yours is `{show_value(result)}`."
        if isinstance(result, BaseException):
            gives = f"stops with `{type(result).__name__}`"
        else:
            gives = f"gives `{show_value(result)}`"
        return f"`{self.cases[index]}` should give `{show_value(expected)}`. Yours {gives}."

    def _stopped(self, answer: Any, case: str, error: BaseException) -> Reply:
        """Name the line of the answer that failed, what Python says, and what that means."""
        file = getattr(getattr(answer, "__code__", None), "co_filename", None)
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == file]
        if own:
            line = f"at `{own[-1].line}`" if own[-1].line else f"in line {own[-1].lineno}"
            where = f"Your code stopped {line}, while working on `{case}`."
            advice = next((ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE), "")
        else:
            where = f"`{case}` does not work with your function."
            advice = f"It should begin with `{self.stub.splitlines()[0]}`"
        says = f"Python says: `{_in_words(error)}`."
        return Reply("error", "\n".join(filter(None, (where, says, advice))), self.given)

    def _not_attempted(self) -> Reply:
        start = "Put your own code in the place of `...` and run the cell again."
        if self.cases:
            wanted = self._result(_define(self.code)[1], self.cases[0])
            start += f"\nFor example, `{self.cases[0]}` should give `{show_value(wanted)}`."
        return Reply("not attempted", f"{start}\n`turn.hint()` gives you a nudge.", self.given)

    def _wrong_kind(self) -> Reply:
        name = self.answer_name
        if self.cases:
            says = f"Hand over the function itself, without calling it: `turn.check({name})`."
        else:
            says = f"You handed over a function. `{name}` is to be a number."
        return Reply("wrong", says)


def _define(source: str) -> tuple[str, Any]:
    """Run a definition; its name and what it made."""
    names = dict(NAMES)
    exec(source, names)
    last = ast.parse(source).body[-1]
    name = last.name if isinstance(last, ast.FunctionDef) else last.targets[0].id
    return name, names[name]


def _not_done(value: Any) -> bool:
    """Whether this is what a stub holds or gives."""
    blank = value is None or value is Ellipsis or value is NotImplemented
    return blank or isinstance(value, NotImplementedError)


def _reads_its_inputs(answer: Any) -> bool:
    """Whether a function uses any local name; one that has not been begun does not."""
    code = getattr(answer, "__code__", None)
    return code is None or any(
        instruction.opname.startswith(("LOAD_FAST", "LOAD_CLOSURE", "LOAD_DEREF"))
        for instruction in dis.get_instructions(code)
    )


def _same(one: Any, other: Any) -> bool:
    """Equal, up to rounding in numbers and arrays; list or tuple makes no difference."""
    try:
        if isinstance(one, BaseException) and isinstance(other, BaseException):
            return type(one) is type(other) and str(one) == str(other)
        if isinstance(one, list | tuple) and isinstance(other, list | tuple):
            return len(one) == len(other) and all(map(_same, one, other))
        arrays = np.asarray(one), np.asarray(other)
        if all(array.dtype.kind in "iufc" for array in arrays):
            equal_shape = arrays[0].shape == arrays[1].shape
            return equal_shape and np.allclose(*arrays, rtol=1e-4, atol=1e-6, equal_nan=True)
        return bool(one == other)
    except Exception:  # whatever cannot be compared is not the answer
        return False


def _in_words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # an error that cannot even be written
        return type(error).__name__
