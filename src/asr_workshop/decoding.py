"""From sound to tokens: Whisper's encoder once, then its decoder a token at a time.

``model.generate`` does the same job with more options. This loop is written out because
it has to tell how sure it is of every token, stop each window at its own limit and drop
windows that are done, and because it is several times faster on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

MAX_TOKENS = 224  # half of Whisper's 448 positions; the other half is for a prompt


@dataclass(frozen=True)
class Decoded:
    """What the decoder wrote for one window."""

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    finished: bool  # False: it ran into its limit before it said it was done

    @property
    def mean_log_probability(self) -> float:
        """Average over the tokens; 0 is certainty. -inf when there are none."""
        return float(np.mean(self.log_probabilities)) if self.tokens else float("-inf")


def encode(model, input_features: torch.Tensor) -> torch.Tensor:
    """Run the encoder over log-mel windows.

    Parameters
    ----------
    model : WhisperForConditionalGeneration
    input_features : Tensor, shape (n_windows, n_mels, 3000)

    Returns
    -------
    Tensor, shape (n_windows, 1500, d_model)
        One vector per 20 ms of sound.
    """
    return model.get_encoder()(input_features.to(model.device, model.dtype)).last_hidden_state


class Decoder:
    """Whisper's decoder at work on a batch of windows: what it has read and written so far."""

    def __init__(self, model, encoder_states: torch.Tensor):
        self.model = model
        self.encoder_states = encoder_states
        self.cache = EncoderDecoderCache(DynamicCache(), DynamicCache())

    def read(self, tokens: torch.Tensor) -> torch.Tensor:
        """Take in tokens, shape (n_windows, n_tokens), and return the next token's logits."""
        output = self.model.model.decoder(
            input_ids=tokens,
            encoder_hidden_states=self.encoder_states,
            past_key_values=self.cache,
            use_cache=True,
        )
        return self.model.proj_out(output.last_hidden_state[:, -1]).float()

    def keep(self, rows: torch.Tensor) -> None:
        """Forget all windows but these."""
        self.encoder_states = self.encoder_states[rows]
        self.cache.batch_select_indices(rows)


def write(
    decoder: Decoder,
    prefix: Sequence[int],
    limits: Sequence[int],
    temperature: float = 0.0,
) -> list[Decoded]:
    """Let the decoder write each window's text, a token at a time.

    Parameters
    ----------
    decoder : Decoder
        Fresh, or having read the tokens that come before ``prefix``.
    prefix : sequence of int
        Tokens that set the task: language, transcribe or translate, no timestamps.
    limits : sequence of int
        Most tokens to write, for each window.
    temperature : float
        0 takes the most probable token (greedy); above that tokens are drawn by chance,
        the more evenly the higher it is.

    Returns
    -------
    list of Decoded
        One for each window, in order.
    """
    config = decoder.model.generation_config
    forbidden = forbidden_tokens(config, decoder.model.config.vocab_size).to(decoder.model.device)
    rows = list(range(len(limits)))  # which windows are still being written
    tokens: list[list[int]] = [[] for _ in rows]
    scores: list[list[float]] = [[] for _ in rows]
    finished = [False] * len(rows)
    device = decoder.model.device
    chance = torch.Generator(device).manual_seed(0)  # the same draw each time
    read = torch.tensor([list(prefix)] * len(rows), device=device)
    for step in range(max(limits, default=0)):
        log_probabilities = _allowed(decoder.read(read), forbidden, config, first=step == 0)
        chosen, chosen_scores = _choose(log_probabilities, temperature, chance)
        for row, token, score in zip(rows, chosen.tolist(), chosen_scores.tolist(), strict=True):
            finished[row] = finished[row] or token == config.eos_token_id
            if not finished[row] and len(tokens[row]) < limits[row]:
                tokens[row].append(token)
                scores[row].append(score)
        going = [i for i, r in enumerate(rows) if not finished[r] and len(tokens[r]) < limits[r]]
        if not going:
            break
        if len(going) <= 0.75 * len(rows):  # dropping rows copies the cache: not at every step
            keep = torch.tensor(going, device=device)
            decoder.keep(keep)
            rows, chosen = [rows[i] for i in going], chosen[keep]
        read = chosen[:, None]
    return [
        Decoded(tuple(t), tuple(s), f) for t, s, f in zip(tokens, scores, finished, strict=True)
    ]


def forbidden_tokens(config, vocabulary_size: int) -> torch.Tensor:
    """The penalty added to the logits: -inf for tokens that are no text, 0 for the others.

    Whisper's own list (``suppress_tokens``: music notes, brackets of stage directions)
    and every special token except the one that ends the text.
    """
    penalty = torch.zeros(vocabulary_size)
    penalty[config.suppress_tokens or []] = float("-inf")
    penalty[config.eos_token_id + 1 :] = float("-inf")
    return penalty


def _allowed(logits, forbidden, config, first: bool) -> torch.Tensor:
    logits = logits + forbidden
    if first:  # no window begins with a lone space or with its end
        logits[:, config.begin_suppress_tokens or []] = float("-inf")
    return logits.log_softmax(-1)


def _choose(log_probabilities: torch.Tensor, temperature: float, chance: torch.Generator):
    if temperature == 0:
        scores, chosen = log_probabilities.max(-1)
        return chosen, scores
    probabilities = (log_probabilities / temperature).softmax(-1)
    chosen = torch.multinomial(probabilities, 1, generator=chance)[:, 0]
    return chosen, log_probabilities.gather(1, chosen[:, None])[:, 0]
