"""Exercises of notebook 00: what a transcript can tell."""

from __future__ import annotations

from asr_workshop.exercises.core import Exercise, Mistake

NOTEBOOK = "00_start_here"

LONGEST_WORD = Exercise(
    name="longest_word",
    notebook=NOTEBOOK,
    prompt="""\
You have found the word the model was least sure of. Now find the one that took the **longest \
time** to say. A function is a small recipe: what it works on stands in the parentheses, what it \
hands back stands after `return`. Yours gets the words of a transcript and hands back one of \
them.""",
    stub="""\
def longest_word(words):
    return ...  # your turn""",
    nudge="""\
the line that found the least sure word is nearly right. `max` finds the largest instead of the \
smallest, and a word lasts from `word.start` to `word.end`.""",
    code="""\
def longest_word(words):
    return max(words, key=lambda word: word.end - word.start)""",
    explanation="""\
`max` goes through the words and keeps the one with the largest `key`: the time from its start \
to its end.""",
    onward="Try `longest_word(transcript.words)`: often it is a word before a pause.",
    cases=("longest_word(said)", "longest_word(said[:4])"),
    given="""\
said = [  # start, end, text, confidence
    Word(0.0, 0.5, "Somebody", 0.8),
    Word(0.5, 0.8, "sang", 0.4),
    Word(0.8, 0.9, "a", 0.7),
    Word(0.9, 1.3, "very", 0.9),
    Word(1.3, 2.3, "long", 0.8),
    Word(2.3, 2.9, "song.", 0.6),
]""",
    mistakes=(
        Mistake(
            "def longest_word(words):\n    return max(words, key=lambda word: len(word.text))",
            "That is the word with the most letters. A short word can take longer to say.",
        ),
        Mistake(
            "def longest_word(words):\n    return min(words, key=lambda w: w.end - w.start)",
            "That is the shortest one: `min` finds the smallest, `max` the largest.",
        ),
        Mistake(
            "def longest_word(words):\n    return max(words, key=lambda word: word.end)",
            "That is the last word: it has the latest end. You want the time between two moments.",
        ),
        Mistake(
            "def longest_word(words):\n    return min(words, key=lambda word: word.confidence)",
            "That is still the word the model was least sure of. Change the `key` as well.",
        ),
        Mistake(
            "def longest_word(words):\n    return max(words, key=lambda word: word.confidence)",
            "That is the word the model was most sure of. `max` is right, now change the `key`.",
        ),
        Mistake(
            "def longest_word(words):\n    return max(word.end - word.start for word in words)",
            "That is how long the word lasts. Hand back the word itself.",
        ),
        Mistake(
            "def longest_word(words):\n"
            "    return max(words, key=lambda word: word.end - word.start).text",
            "The right word, but only its text. Hand back the whole word: it knows its times.",
        ),
    ),
)

SPEECH_RATE = Exercise(
    name="speech_rate",
    notebook=NOTEBOOK,
    prompt="""\
How fast does somebody speak? Count the words of a transcript for every **minute** of the \
recording. `transcript.words` are its words, `transcript.duration` is its length in seconds.""",
    stub="""\
def words_per_minute(transcript):
    return ...  # your turn""",
    nudge="""\
`len(transcript.words)` counts the words. Divide by the seconds and you have words per second; a \
minute has 60 of those.""",
    code="""\
def words_per_minute(transcript):
    return 60 * len(transcript.words) / transcript.duration""",
    explanation="Words divided by seconds are words per second, and a minute has 60 seconds.",
    onward="""\
Compare two voices: `words_per_minute(transcribe(clip("soup.m4a"), pipe, words=True))`.""",
    cases=("words_per_minute(talk)", "words_per_minute(slow_talk)"),
    given="""\
words = (Word(0.0, 0.9, "Good"), Word(0.9, 2.0, "morning!"))
talk = Transcript((Segment(0.0, 2.0, "Good morning!", words=words),), "en", 1.0, duration=5.0)
slow_talk = Transcript(talk.segments, "en", 1.0, duration=8.0)""",
    mistakes=(
        Mistake(
            "def words_per_minute(transcript):\n"
            "    return len(transcript.words) / transcript.duration",
            "Those are words per second, because `duration` is in seconds.",
        ),
        Mistake(
            "def words_per_minute(transcript):\n"
            "    return len(transcript.words) / transcript.duration / 60",
            "You divided by 60. A minute is longer than a second, so more words fit in: multiply.",
        ),
        Mistake(
            "def words_per_minute(transcript):\n"
            "    return 60 * len(transcript.text) / transcript.duration",
            "You counted letters: `len` of a text is its number of characters.",
        ),
        Mistake(
            "def words_per_minute(transcript):\n"
            "    return 60 * len(transcript.segments) / transcript.duration",
            "You counted segments, which hold several words each.",
        ),
        Mistake(
            "def words_per_minute(transcript):\n"
            "    return 60 * transcript.duration / len(transcript.words)",
            "You divided the wrong way round. More words must make a higher rate.",
        ),
        Mistake(
            "def words_per_minute(transcript):\n"
            "    return 60 * len(transcript.words) / transcript.words[-1].end",
            "You stopped the clock at the last word. Count the whole recording, `duration`.",
        ),
        Mistake(
            "def words_per_minute(transcript):\n    return len(transcript.words)",
            "Those are all the words. Now set them against the time they took.",
        ),
    ),
)

EXERCISES = (LONGEST_WORD, SPEECH_RATE)
