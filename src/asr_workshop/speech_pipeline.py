"""The library's speech recognition pipeline, with two of its edges sanded.

Imported only when a model is loaded: it brings torch and transformers with it.
"""

from __future__ import annotations

import inspect
from typing import Any

from transformers import AutomaticSpeechRecognitionPipeline, GenerationConfig

from asr_workshop.audio import load_audio
from asr_workshop.checkpoints import quiet


class SpeechPipeline(AutomaticSpeechRecognitionPipeline):
    """What ``pipeline("automatic-speech-recognition")`` gives, and three things more.

    Sound comes in through :func:`asr_workshop.load_audio`: any file, bytes, stereo, any rate, and
    no ffmpeg program on the machine. It decodes greedily, the likeliest token at each step,
    unless you ask for beams: the library's five take two to three times as long, for about
    0.4 points of word error rate (Whisper paper, Table 7). And a call leaves no traces: the
    library's notices stay out of your notebook, and word times do not slow down later calls.

    Attributes
    ----------
    model_id : str
        The id on the Hugging Face Hub, or the folder.
    reasons : list of str
        Why this model, device, kind of number and source; one sentence each.
    """

    _default_generation_config = GenerationConfig(max_new_tokens=256, num_beams=1)

    model_id: str = ""
    reasons: list[str] = []  # noqa: RUF012 (replaced, never changed)

    def __init__(self, model, **components: Any):
        if model.can_generate():
            model.generation_config.num_beams = 1  # some models carry their own five beams
        super().__init__(model=model, **components)

    def preprocess(self, inputs, **options):
        """Decode whatever sound comes in, then do as the library does."""
        yield from super().preprocess(self._sound(inputs), **options)

    def _sound(self, inputs) -> dict:
        """Make a fresh dict each time: the library takes its entries out."""
        rate = self.feature_extractor.sampling_rate
        extra = {}
        if isinstance(inputs, dict) and "raw" in inputs:  # the library's own form
            given = inputs["sampling_rate"]
            if inputs.get("stride"):
                extra["stride"] = tuple(round(n * rate / given) for n in inputs["stride"])
            inputs = (inputs["raw"], given)
        return {"raw": load_audio(inputs, rate), "sampling_rate": rate, **extra}

    def _forward(self, *arguments, **options):
        attention = self.model.config._attn_implementation
        try:
            with quiet():  # notices about the library's own arguments to itself
                return super()._forward(*arguments, **options)
        finally:
            # Word times need the slow attention, and Whisper's generate would stay with it.
            self.model.config._attn_implementation = attention


def timestamp_modes(pipe: AutomaticSpeechRecognitionPipeline) -> tuple[bool | str, ...]:
    """List what ``return_timestamps=`` may be for this model's family.

    Parameters
    ----------
    pipe : AutomaticSpeechRecognitionPipeline
        From :func:`asr_workshop.load_pipeline` or the library's ``pipeline``.

    Returns
    -------
    tuple
        ``(True, "word")`` for Whisper: phrases or words. ``("word", "char")`` for models that
        label every 20 ms (CTC: wav2vec2, HuBERT). ``()`` for those that write text alone
        (Moonshine, Speech2Text).

    Examples
    --------
    >>> timestamp_modes(load_pipeline("openai/whisper-tiny.en"))  # doctest: +SKIP
    (True, 'word')
    """
    if pipe.type == "seq2seq_whisper":
        return (True, "word")
    decode = inspect.signature(pipe.tokenizer.decode).parameters
    if pipe.type == "ctc" and "output_char_offsets" in decode:
        return ("word", "char")
    return ()
