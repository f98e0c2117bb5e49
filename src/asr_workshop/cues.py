"""Cutting a transcript into cues: captions that people can read while they listen.

A line holds 42 characters, a cue two lines, and nobody reads more than about 20 characters a
second: the figures of the common broadcast and streaming guides. ``caption_cues`` compares all
the ways to cut the text into such cues and takes the one with the lowest price: a break after
a sentence is cheap, one inside a phrase costs more, and so does a cue too short to be read.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, zip_longest
from operator import itemgetter
from typing import NamedTuple

from asr_workshop.transcript import Segment, Transcript

LINE_COLUMNS = 42
FULL_WIDTH_LINE_COLUMNS = 32  # 16 full-width characters, usual for Chinese and Korean captions
COLUMNS_PER_SECOND = 20
MIN_SECONDS = 1.0  # on screen, where there is time
MAX_SECONDS = 7.0  # longer, and people start to read again
GAP_SECONDS = 0.08  # two film frames between cues, so that the eye notices the change
PAUSE_SECONDS = 2.0  # no cue reaches across a longer silence
LONELY_COLUMNS = 12  # less than this looks lost, unless it is a whole sentence

# What a break costs. Only the order and rough distances matter.
SEGMENT, SENTENCE, CLAUSE, PHRASE, WORD, INSIDE_UNSPACED, TORN = -4, 0, 3, 9, 12, 14, 18
INSIDE_WORD, NEVER = 40, 80

SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]」』]*$")
NOT_AN_END = re.compile(r"(?:^|\W)(?:\w|Mr|Mrs|Ms|Dr|St|Prof|vs)\.$")
CLAUSE_END = re.compile(r"[,;:،؛、，；：—–][\"'”’»)\]」』]*$")
NOT_FIRST = frozenset(
    "!?:;,.»”)]}%。、，！？：；）」』】〉》・ーゝゞ々ぁぃぅぇぉっゃゅょァィゥェォッャュョๆฯะาำ་།"
)
NOT_LAST = frozenset("«“‘([{¿¡（「『【〈《เแโใไ")
# Scripts written without spaces: Thai, Lao, Tibetan, Burmese, Khmer, Chinese, Japanese.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f0b\u0f0d\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\u9fff"
    "\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
# A Japanese phrase tends to end in hiragana and the next to begin with another script.
JAPANESE_PHRASE = re.compile("[ぁ-ゟ][^ぁ-ゟ]")
# Marks that belong to the character before them; binders hold on to the next one as well.
ATTACHED = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff]")
BINDERS = frozenset("\u200d\u17d2\u1039")

# Words that join: a good place to break before them, a bad one right after.
JOINING = {
    "en": "and or but nor so because although while if when where which who that than as "
    "of in on at by for from to with without about into over under after before between",
    "de": "und oder aber denn sondern weil dass wenn als ob "
    "in im an am auf aus bei mit nach von vom zu zum zur für über unter vor",
    "es": "y e o u pero sino porque aunque si cuando que como "
    "de del a al en con sin por para sobre entre desde hasta",
    "fr": "et ou mais donc car parce quand si que qui où comme "
    "de du à au aux en dans avec sans par pour sur sous entre chez vers",
    "it": "e o ma perché se quando che come di del della al alla da dal in nel nella con su tra",
    "nl": "en of maar want omdat als toen dat die waar van in op aan bij met naar uit over door te",
    "pt": "e ou mas porque se quando que como de do da em no na com sem por para sobre entre até",
    "ru": "и или но а что чтобы если когда как потому который "
    "в во на с со к ко из от до по за для без о об у при над под между",
}
# Words that lean on the next one, articles and helping verbs: do not break right after them.
LEANING = {
    "en": "a an the this my your his her its our their no not very I he she it we they is am are "
    "was were be been has have had do does did can could may might must shall should will would",
    "de": "der die das den dem des ein eine einen einem einer ich er sie es wir nicht sehr",
    "es": "el la los las un una unos unas lo su mi no muy",
    "fr": "le la les un une des ce cette son sa ses mon ma je il elle on nous ne très",
    "it": "il lo la i gli le un uno una non molto",
    "nl": "de het een ik hij zij we niet heel",
    "pt": "o a os as um uma não muito",
    "ru": "не ни я он она мы они",
}


@dataclass(frozen=True)
class Cue:
    """One caption: when it is on screen (seconds) and its one or two lines."""

    start: float
    end: float
    lines: tuple[str, ...]


class _Piece(NamedTuple):
    """Text that stays together: a word, or one character of a script without spaces."""

    text: str
    space: str  # what stands before it when it does not begin a line: " " or ""
    start: float
    end: float
    begins: str  # "segment", "word" or "" (inside a word)


def one_line(text: str) -> str:
    r"""Turn control characters, line ends and runs of spaces into single spaces.

    Spaces that forbid a break, as before a French question mark, stay what they are.

    Examples
    --------
    >>> one_line(" two\nlines,\ta tab and\x00 a NUL ")
    'two lines, a tab and a NUL'
    """
    return re.sub(r"(?:[\x00-\x1f\x7f-\x9f]|[^\S\u00a0\u2007\u202f])+", " ", text).strip(" ")


def columns(text: str) -> int:
    """Width on screen: one column a character, two for the full-width ones of East Asia.

    Examples
    --------
    >>> columns("hello"), columns("你好")
    (5, 4)
    """
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def caption_cues(transcript: Transcript) -> list[Cue]:
    """Lay a transcript out as captions.

    Each cue has at most two lines of at most 42 columns (16 full-width characters where most
    of the text is Chinese, Japanese or Korean). Cues begin with their first word, stay long
    enough to be read where the silence after them allows it, never overlap and never reach
    past the end of the sound. Words longer than a line are the one thing cut in the middle.

    Parameters
    ----------
    transcript : Transcript
        With word times the cues follow them; without, time is shared out by characters.

    Returns
    -------
    list of Cue
        In order of time; times in seconds. All of the text, nothing twice.

    Examples
    --------
    >>> sentence = "The talk starts at nine, and the doors are open from half past eight."
    >>> caption_cues(Transcript((Segment(0.0, 4.0, sentence),), "en", 1.0, 5.0))[0].lines
    ('The talk starts at nine, and the doors', 'are open from half past eight.')
    """
    limit = _line_limit(transcript)
    pieces = [piece for segment in transcript.segments for piece in _pieces(segment, limit)]
    cuts = _Layout(pieces, transcript.language, limit, transcript.duration).cheapest()
    return _paced([_cue(pieces, *cut) for cut in cuts], transcript.duration)


def _line_limit(transcript: Transcript) -> int:
    text = "".join(transcript.text.split())
    full_width = columns(text) - len(text)
    return FULL_WIDTH_LINE_COLUMNS if full_width > len(text) / 2 else LINE_COLUMNS


def _pieces(segment: Segment, limit: int) -> list[_Piece]:
    text = one_line(segment.text)
    starts, ends, word_starts = _character_times(text, segment)
    pieces = []
    for match in re.finditer("[^ ]+", text):
        position = match.start()
        for part in _parts(match[0], limit):
            spaced = position == match.start()
            begins = "word" if spaced or (position in word_starts and _unspaced(part)) else ""
            end = ends[position + len(part) - 1]
            pieces.append(_Piece(part, " " * spaced, starts[position], end, begins))
            position += len(part)
    if pieces:
        space = "" if _unspaced(pieces[0].text) else " "
        pieces[0] = pieces[0]._replace(begins="segment", space=space)
    return pieces


def _parts(word: str, limit: int) -> list[str]:
    """Cut what stands between two spaces where a line might have to end."""
    too_long = columns(word) > limit
    parts = [word[0]]
    for before, after in pairwise(word):
        may_part = too_long or _unspaced(before) or _unspaced(after)
        held = unicodedata.category(after)[0] == "M" or ATTACHED.match(after) or before in BINDERS
        if (may_part and not held) or columns(parts[-1] + after) > limit:
            parts.append(after)
        else:
            parts[-1] += after
    return parts


def _unspaced(text: str) -> bool:
    return UNSPACED.match(text) is not None


def _character_times(text: str, segment: Segment) -> tuple[list[float], list[float], set[int]]:
    """When each character starts and ends, from the words' times or in equal shares."""
    spans = []  # (number of characters, start, end)
    word_starts = set()
    position, clock = 0, segment.start
    for word in segment.words:
        spoken = one_line(word.text)
        found = text.find(spoken, position)
        if not spoken or found < 0:
            continue
        start = min(max(word.start, clock), segment.end)
        end = min(max(word.end, start), segment.end)
        spans += [(found - position, clock, start), (len(spoken), start, end)]
        word_starts.add(found)
        position, clock = found + len(spoken), end
    spans.append((len(text) - position, clock, segment.end))
    starts = [start + (end - start) * i / n for n, start, end in spans for i in range(n)]
    ends = [start + (end - start) * (i + 1) / n for n, start, end in spans for i in range(n)]
    return starts, ends, word_starts


def _break_price(
    before: _Piece, after: _Piece, joining: frozenset[str], leaning: frozenset[str]
) -> float:
    """Price the end of a line or cue between two pieces; a pause makes it cheaper."""
    price = _mark_price(before, after)
    if price == WORD:
        word, next_word = _bare(before.text), _bare(after.text)
        if word in joining or word in leaning:
            price = TORN
        elif next_word in joining:
            price = PHRASE
    return price - 4 * min(max(after.start - before.end, 0.0), 1.0)


def _mark_price(before: _Piece, after: _Piece) -> int:
    """Price a break by the marks and scripts around it, leaving the words aside."""
    if after.begins == "segment":
        return SEGMENT
    if not after.begins and not _unspaced(before.text[-1]) and not _unspaced(after.text):
        return INSIDE_WORD // 2 if before.text[-1] in "/-_.?&=#" else INSIDE_WORD
    if before.text[-1] in NOT_LAST or after.text[0] in NOT_FIRST:
        return NEVER
    if SENTENCE_END.search(before.text) and not NOT_AN_END.search(before.text):
        return SENTENCE
    if CLAUSE_END.search(before.text):
        return CLAUSE
    if not after.begins:
        meeting = before.text[-1] + after.text[0]
        return PHRASE if JAPANESE_PHRASE.match(meeting) else INSIDE_UNSPACED
    return WORD


def _bare(word: str) -> str:
    return re.sub(r"^\W+|\W+$", "", word).casefold()


class _Layout:
    """All the ways to cut pieces into cues, and what each of them costs."""

    def __init__(self, pieces: list[_Piece], language: str | None, limit: int, duration: float):
        language = language if language in JOINING else "en"
        joining = frozenset(JOINING[language].split())
        leaning = frozenset(LEANING[language].casefold().split())
        self.pieces = pieces
        self.limit = limit
        self.starts = [*(piece.start for piece in pieces), duration]
        widths = (len(piece.space) + columns(piece.text) for piece in pieces)
        self.right_edges = [0, *accumulate(widths)]  # in columns, of what ends before a piece
        self.left_edges = [
            edge + len(piece.space) for edge, piece in zip(self.right_edges, pieces, strict=False)
        ]
        prices = [_break_price(*neighbours, joining, leaning) for neighbours in pairwise(pieces)]
        self.breaks = [0.0, *prices, 0.0]
        self.line_breaks = [max(price, 0.0) / 2 for price in self.breaks]  # less of a cut

    def cheapest(self) -> list[tuple[int, int | None, int]]:
        """Choose the cues as (first piece, first piece of line two, piece after the last).

        For each piece: of all cues that can end there, the one that makes the way from the
        beginning cheapest. Walking back from the last piece gives the cheapest way of all.
        """
        best: list[tuple[float, int, int | None]] = [(0.0, 0, None)]
        for stop in range(1, len(self.pieces) + 1):
            ways = []
            for first in self._beginnings(stop):
                price, second = self._lines(first, stop)
                ways.append((best[first][0] + price + self._price(first, stop), first, second))
            best.append(min(ways, key=itemgetter(0)))
        cuts, stop = [], len(self.pieces)
        while stop:
            _, first, second = best[stop]
            cuts.append((first, second, stop))
            stop = first
        return cuts[::-1]

    def _beginnings(self, stop: int) -> Iterator[int]:
        """Where a cue can begin that ends before ``stop``: not too wide, no long silence in it."""
        for first in range(stop - 1, -1, -1):
            if first + 1 < stop:
                silence = self.starts[first + 1] - self.pieces[first].end
                if silence > PAUSE_SECONDS or self._width(first, stop) > 2 * self.limit + 1:
                    return
            yield first

    def _width(self, first: int, stop: int) -> int:
        return self.right_edges[stop] - self.left_edges[first]

    def _lines(self, first: int, stop: int) -> tuple[float, int | None]:
        """Find the best place to begin line two, ``None`` where one line is enough."""
        if self._width(first, stop) <= self.limit:
            return 0.0, None
        left, right = self.left_edges[first], self.right_edges[stop]
        earliest = bisect_left(self.left_edges, right - self.limit, first + 1, stop)
        latest = bisect_right(self.right_edges, left + self.limit, first + 1, stop)
        ways = [(math.inf, None)]
        for second in range(earliest, latest):
            uneven = abs(self.right_edges[second] - left - right + self.left_edges[second])
            ways.append((self.line_breaks[second] + 6 * uneven / self.limit, second))
        return min(ways, key=itemgetter(0))

    def _price(self, first: int, stop: int) -> float:
        """Price a cue: its last break, its time on screen, its emptiness, a lonely word."""
        width = self._width(first, stop)
        start, end, until = self.starts[first], self.pieces[stop - 1].end, self.starts[stop]
        hurry = max(0.0, _reading_seconds(width) - (until - start))
        dawdle = max(0.0, end - start - MAX_SECONDS)
        emptiness = (1 - width / (2 * self.limit)) ** 2  # squared: two half-full cues win
        torn = max(self.breaks[first], self.breaks[stop]) > SENTENCE
        lonely = torn and (stop - first == 1 or width < LONELY_COLUMNS)
        return self.breaks[stop] + 12 * hurry + 4 * dawdle + 4 * emptiness + 12 * lonely


def _reading_seconds(width: int) -> float:
    return max(MIN_SECONDS, width / COLUMNS_PER_SECOND)


def _cue(pieces: list[_Piece], first: int, second: int | None, stop: int) -> Cue:
    rows = [pieces[first:stop]] if second is None else [pieces[first:second], pieces[second:stop]]
    lines = ("".join(piece.space + piece.text for piece in row) for row in rows)
    return Cue(pieces[first].start, pieces[stop - 1].end, tuple(line.strip(" ") for line in lines))


def _paced(cues: list[Cue], duration: float) -> list[Cue]:
    """Give each cue the time to be read that the silence after it (at need, before it) allows."""
    paced, clock = [], 0.0
    for cue, following in zip_longest(cues, cues[1:]):
        until = min(following.start, duration) if following else duration
        start = min(max(cue.start, clock), duration)
        end = max(start, min(cue.end, until))
        wanted = start + _reading_seconds(sum(map(columns, cue.lines)))
        room = max(end, until - GAP_SECONDS if following else until)
        end = max(end, min(wanted, room))
        start = min(start, max(clock, end - MIN_SECONDS))
        paced.append(replace(cue, start=start, end=end))
        clock = end
    return paced
