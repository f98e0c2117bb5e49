"""Two ways to write the same words should not count as an error: texts are made alike first."""

from __future__ import annotations

import re
from functools import cache

from asr_workshop.transcript import UNSPACED_LANGUAGES

LONE_DOTS = re.compile(r"(?<!\S)\.+(?!\S)")
# `transcribe` takes these languages by name too, and they are the ones that matter here.
CODES = {
    "english": "en",
    "chinese": "zh",
    "mandarin": "zh",
    "cantonese": "yue",
    "japanese": "ja",
    "thai": "th",
    "lao": "lo",
    "burmese": "my",
    "myanmar": "my",
}


def normalize(text: str, language: str | None = "en") -> str:
    """Write a text the way Whisper's authors do before they count errors.

    Case, punctuation and what stands in brackets go. English also loses "um" and "uh"; numbers
    become digits, contractions whole words, British spellings American. In languages without
    spaces every character becomes a word. This is the normalizer of the Whisper paper
    (Appendix C), so rates can be compared with published ones. One of its faults is mended: of
    "so... yes" it leaves a lone dot, which would count as a word. Another is not: in languages
    such as Hindi or Thai it drops the vowel signs.

    Parameters
    ----------
    text : str
    language : str or None
        A code such as ``"en"`` or ``"en-GB"``. None leaves the words exactly as they are.

    Returns
    -------
    str
        Words with one space between them; empty if none are left.

    Examples
    --------
    >>> normalize("Well, it's the colour of twenty-one £5 notes, um, I'm sure!")
    'well it is the color of 21 £5 notes i am sure'
    >>> normalize("Größe, 12 Stück.", "de")
    'größe 12 stück'
    >>> normalize("你好。", "zh")
    '你 好'
    """
    if language is not None:
        text = _normalizer(base_code(language))(text)
        text = LONE_DOTS.sub("", text)
    return " ".join(text.split())


def base_code(language: str) -> str:
    """Reduce a language to Whisper's code: en for English, en-GB and EN_us.

    Examples
    --------
    >>> base_code("zh-CN"), base_code("Japanese")
    ('zh', 'ja')
    """
    code = re.split("[-_]", language.strip().lower())[0]
    return CODES.get(code, code)


def is_unspaced(language: str | None) -> bool:
    """Is this a language whose characters are counted as words?"""
    return language is not None and base_code(language) in UNSPACED_LANGUAGES


@cache
def _normalizer(code: str):
    """Build a language's normalizer once: the English one reads a table of 1,700 spellings."""
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

    if code == "en":
        return EnglishTextNormalizer()
    return BasicTextNormalizer(split_letters=code in UNSPACED_LANGUAGES)
