"""How each family of models listens to a batch of windows and hands back segments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np
import torch
from transformers.models.whisper.tokenization_whisper import (
    LANGUAGES,
    TO_LANGUAGE_CODE,
    _combine_tokens_into_words,
)

from asr_workshop.alignment import token_times
from asr_workshop.attention import attention_kernel
from asr_workshop.audio import SAMPLING_RATE
from asr_workshop.decoding import MAX_TOKENS, Decoded, Decoder, write
from asr_workshop.encoding import encode
from asr_workshop.guards import (
    LOOP_RATIO,
    Guards,
    compression_ratio,
    gaps,
    seems_silent,
    token_limit,
)
from asr_workshop.phrases import in_order, split_phrases
from asr_workshop.speech import PACKED_SECONDS, Span, Window
from asr_workshop.speech_pipeline import timestamp_modes
from asr_workshop.transcript import Segment, TranscriptionError, Word

MOST_WINDOWS = 16  # in a batch: eight minutes of speech
# For the decoder's memory of what it hears. On a processor, with base, this and all that comes
# with it leave room for three hours of sound within 1.5 GB.
BATCH_BYTES = {"cpu": 5 << 26}  # 320 MiB
BATCH_BYTES_ELSEWHERE = 1 << 30  # 1 GiB
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)  # tried in turn on a loop (Whisper paper, 4.5)
PLAIN_WINDOW_SECONDS = 15.0  # for models that give no times: a window is a segment


def listener_for(pipe, language: str | None, task: str):
    """Pick the way to listen that fits a pipeline's model.

    Raises
    ------
    TranscriptionError
        Not a speech recognition pipeline, or one that cannot do the language or task.
    """
    kind = getattr(pipe, "type", None)
    if kind == "seq2seq_whisper":
        return WhisperListener(pipe, language, task)
    if kind in ("ctc", "ctc_with_lm", "seq2seq"):
        return PlainListener(pipe, language, task)
    raise TranscriptionError(
        f"{type(pipe).__name__} is not a speech recognition pipeline. Get one from load_pipeline()."
    )


@dataclass
class Heard:
    """What listening to some windows gave.

    Attributes
    ----------
    segments : list of Segment
        What was said.
    missed : list of Span
        Speech that got no text.
    dropped : list of str
        Text that was not believed, and why.
    """

    segments: list[Segment] = field(default_factory=list)
    missed: list[Span] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


class WhisperListener:
    """Whisper at work on one recording; remembers the language it settled on."""

    window_seconds = PACKED_SECONDS

    def __init__(self, pipe, language: str | None, task: str):
        self.pipe, self.model, self.task = pipe, pipe.model, task
        self.config = pipe.model.generation_config
        self.language = check_language(self.config, language)
        self.language_probability = None if self.language is None else 1.0
        check_task(self.model, task)

    @property
    def batch_size(self) -> int:
        """As many windows as the decoder's memory of what it hears has room for."""
        config = self.model.config
        states = 2 * config.decoder_layers * config.max_source_positions * config.d_model
        window_bytes = states * self.model.dtype.itemsize
        room = BATCH_BYTES.get(self.model.device.type, BATCH_BYTES_ELSEWHERE)
        return int(np.clip(room // window_bytes, 1, MOST_WINDOWS))

    def listen(self, audio: np.ndarray, windows: Sequence[Window], guards: Guards, report):
        """Transcribe windows of a recording.

        ``report`` is told the seconds done: half when a window is heard, half when written.

        Returns
        -------
        Heard
        """
        with _inference(self.model):
            states = torch.cat([self._hear(audio, window, report) for window in windows])
            decoded, no_speech, notes = self._decode(states, windows, guards)
            heard = Heard()
            for i, window in enumerate(windows):
                report(window.duration / 2)
                unsure = seems_silent(no_speech[i], decoded[i].mean_log_probability)
                if guards.drop_unsure and unsure and decoded[i].text_tokens:
                    heard.dropped.append(_dropped_note(window))
                elif decoded[i].text_tokens:
                    words = in_order(self._words(decoded[i], window), _seconds(audio))
                    heard.segments += [replace(s, guards=notes[i]) for s in split_phrases(words)]
                    if guards.fill_gaps:
                        heard.missed += _missed(window, decoded[i])
        return heard

    def _hear(self, audio: np.ndarray, window: Window, report=lambda seconds: None):
        """The encoder's view of one window; on a CPU a batch took as long and far more memory."""
        log_mel = self.pipe.feature_extractor(
            window.cut(audio), sampling_rate=SAMPLING_RATE, return_tensors="pt"
        ).input_features
        states = encode(self.model, log_mel, window.duration)
        report(window.duration / 2)
        return states

    def _decode(self, states, windows, guards):
        decoder, first = self._start(states)
        if self.language is None:
            probabilities = self._language_probabilities(first, windows)
            self.language, self.language_probability = next(iter(probabilities.items()))
        # A small model may have fewer positions than Whisper's 448.
        most = min(MAX_TOKENS, self.model.config.max_target_positions // 2)
        limits = [most] * len(windows)
        if guards.limit_length:
            limits = [min(most, token_limit(window.duration)) for window in windows]
        decoded = self._write(decoder, limits)
        notes: list[tuple[str, ...]] = [()] * len(windows)
        for i, limit in enumerate(limits):
            if guards.retry_loops:
                decoded[i], notes[i] = self._retry(decoded[i], states[i : i + 1], limit)
            full = len(decoded[i].tokens) == limit
            if full and (guards.limit_length or guards.fill_gaps):
                notes[i] += (_cut_note(limit, limit < most),)
            if full and guards.fill_gaps:  # what the last phrase began to say is heard again
                decoded[i] = decoded[i].without_last_phrase()
        no_speech = first[:, self.config.no_timestamps_token_id - 1]  # Whisper's <|nospeech|>
        return decoded, no_speech.tolist(), notes

    def _start(self, states):
        """Give the decoder its first token; what it expects next tells language and silence."""
        decoder = Decoder(self.model, states)
        return decoder, self._read(decoder, [self.config.decoder_start_token_id]).softmax(-1).cpu()

    def _read(self, decoder: Decoder, tokens: list[int]) -> torch.Tensor:
        rows = len(decoder.encoder_states)
        return decoder.read(torch.tensor([tokens] * rows, device=self.model.device))

    def _write(self, decoder: Decoder, limits: list[int], temperatures=None):
        if self._setting():
            self._read(decoder, self._setting())
        return write(decoder, limits, temperatures)

    def _setting(self) -> list[int]:
        """The special tokens that set language and task; an English model has none."""
        if not self.config.is_multilingual:
            return []
        return [self.config.lang_to_id[f"<|{self.language}|>"], self.config.task_to_id[self.task]]

    def languages(self, audio: np.ndarray, windows: Sequence[Window]) -> dict[str, float]:
        """How probable each language is, judged from these windows; the likeliest first."""
        with _inference(self.model):
            _, first = self._start(torch.cat([self._hear(audio, w) for w in windows]))
        return self._language_probabilities(first, windows)

    def _language_probabilities(self, first: torch.Tensor, windows: Sequence[Window]):
        """Mean over the windows, by their length, of what the decoder expects first."""
        codes = [code.strip("<|>") for code in self.config.lang_to_id]
        among = first[:, list(self.config.lang_to_id.values())]
        among = among / among.sum(-1, keepdim=True)
        weights = torch.tensor([window.duration for window in windows])
        mean = (among * weights[:, None]).sum(0) / weights.sum()
        pairs = zip(codes, mean.tolist(), strict=True)
        return dict(sorted(pairs, key=lambda pair: pair[1], reverse=True))

    def _retry(self, decoded: Decoded, states: torch.Tensor, limit: int):
        """Decode a loop again with more and more chance in it, and take the first that runs freely.

        All temperatures are tried side by side, which takes little longer than one.
        """
        best, notes = decoded, ()
        if not self._loops(decoded):
            return best, notes
        decoder, _ = self._start(states.expand(len(TEMPERATURES), -1, -1))
        tries = self._write(decoder, [limit] * len(TEMPERATURES), TEMPERATURES)
        for temperature, again in zip(TEMPERATURES, tries, strict=True):
            if self._loops(best) and self._repetition(again) < self._repetition(best):
                best = again
                notes = (f"repeated itself: decoded again at temperature {temperature}",)
        return best, notes

    def _loops(self, decoded: Decoded) -> bool:
        return self._repetition(decoded) > LOOP_RATIO

    def _repetition(self, decoded: Decoded) -> float:
        return compression_ratio(self.pipe.tokenizer.decode(decoded.text_tokens))

    def _words(self, decoded: Decoded, window: Window) -> list[Word]:
        """Put the tokens together to words on the recording's clock."""
        tokens, scores = list(decoded.text_tokens), decoded.text_scores
        starts = token_times(decoded.text_looks, decoded.covered(window.duration))
        language = LANGUAGES.get(self.language, "english")
        texts, _, members = _combine_tokens_into_words(self.pipe.tokenizer, tokens, language)
        words = []
        for text, indices in zip(texts, members, strict=True):
            times = window.to_recording(starts[indices[0]], starts[indices[-1] + 1])
            mean = np.mean([scores[i] for i in indices])
            words.append(Word(*times, text, round(float(np.exp(mean)), 3)))
        return words


class PlainListener:
    """Any other model: the pipeline does its work, window by window."""

    language = language_probability = None
    batch_size = MOST_WINDOWS

    def __init__(self, pipe, language: str | None, task: str):
        if language is not None or task != "transcribe":
            raise TranscriptionError(
                f"{_name(pipe.model)} takes no language or task: it writes the language it was "
                "trained on. Leave both out, or load a Whisper model."
            )
        self.pipe = pipe
        self.gives_times = "word" in timestamp_modes(pipe)
        self.window_seconds = PACKED_SECONDS if self.gives_times else PLAIN_WINDOW_SECONDS

    def listen(self, audio: np.ndarray, windows: Sequence[Window], guards: Guards, report):
        """Transcribe windows of a recording; see WhisperListener.listen."""
        sounds = [{"raw": w.cut(audio), "sampling_rate": SAMPLING_RATE} for w in windows]
        options = {"return_timestamps": "word"} if self.gives_times else {}
        heard = Heard()
        for window, result in zip(windows, self.pipe(sounds, **options), strict=True):
            words = [_plain_word(chunk, window) for chunk in result.get("chunks", ())]
            whole = Word(window.spans[0].start, window.spans[-1].end, result["text"])
            heard.segments += split_phrases(in_order(words or [whole], _seconds(audio)))
            report(window.duration)
        if not self.gives_times:
            heard.segments = [replace(segment, words=()) for segment in heard.segments]
        return heard


def check_language(config, language: str | None) -> str | None:
    """Turn a language's name or code into the code the model knows.

    Raises
    ------
    TranscriptionError
        The model does not know it.
    """
    code = language.lower() if language else None
    code = TO_LANGUAGE_CODE.get(code, code)
    if not config.is_multilingual:
        if code not in (None, "en"):
            raise TranscriptionError(
                f"This model knows only English, not {language!r}. "
                "Load one without .en in its name, such as openai/whisper-base."
            )
        return "en"
    if code is not None and f"<|{code}|>" not in config.lang_to_id:
        near = get_close_matches(code, [*TO_LANGUAGE_CODE, *LANGUAGES], n=3)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise TranscriptionError(
            f"This model knows no language {language!r}.{hint} "
            "Leave language out and it will find out by listening."
        )
    return code


def check_task(model, task: str) -> None:
    """Say no to a task that the model was not trained for.

    Raises
    ------
    TranscriptionError
        An unknown task, or translation with a model that cannot.
    """
    if task not in ("transcribe", "translate"):
        raise TranscriptionError(f"task is 'transcribe' or 'translate', not {task!r}.")
    if task == "transcribe":
        return
    if not model.generation_config.is_multilingual:
        raise TranscriptionError(
            f"{_name(model)} knows only English, so there is nothing to translate. "
            "Load a multilingual model, such as openai/whisper-base."
        )
    if model.config.decoder_layers < model.config.encoder_layers:
        raise TranscriptionError(
            f"{_name(model)} was not trained to translate: its decoder was cut down from "
            f"{model.config.encoder_layers} layers to {model.config.decoder_layers} and taught "
            "transcription only. Load openai/whisper-large-v3, -medium, -small or -base."
        )


@contextmanager
def _inference(model):
    """No gradients, and the kernel that also says where it looked, for this block only."""
    with torch.inference_mode(), attention_kernel(model, "blocked"):
        yield


def _name(model) -> str:
    return getattr(model.config, "_name_or_path", "") or type(model).__name__


def _seconds(audio: np.ndarray) -> float:
    return len(audio) / SAMPLING_RATE


def _missed(window: Window, decoded: Decoded) -> list[Span]:
    stretches = gaps(decoded.covered(window.duration), window.duration)
    return [span for stretch in stretches for span in window.part(*stretch)]


def _cut_note(limit: int, too_fast: bool) -> str:
    why = "nobody speaks that fast" if too_fast else "no more fit into one window"
    return f"stopped after {limit} tokens: {why}"


def _plain_word(chunk: dict, window: Window) -> Word:
    return Word(*window.to_recording(*chunk["timestamp"]), f" {chunk['text'].strip()}")


def _dropped_note(window: Window) -> str:
    start, end = window.spans[0].start, window.spans[-1].end
    return f"{start:.1f} s to {end:.1f} s: text dropped, the model itself doubts that anybody spoke"
