"""From states to tokens: Whisper's decoder, a token at a time.

``model.generate`` does the same job with more options. This loop is written out because
it has to tell how sure it is of every token, stop each window at its own limit and drop
windows that are done, so that the others go on faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, EncoderDecoderCache

NEVER = float("-inf")
MAX_TOKENS = 224  # half of Whisper's 448 positions; the other half is for a prompt
SECONDS_PER_STAMP = 0.02  # Whisper's time stamps count fiftieths of a second


@dataclass(frozen=True)
class Decoded:
    """What the decoder wrote for one window: phrases, each between two time stamps."""

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    first_special: int  # tokens from here on are no text
    first_stamp: int  # and from here on they are time stamps, counted from 0 s
    looks: tuple[torch.Tensor, ...] = field(default=(), compare=False, repr=False)  # see Decoder

    @property
    def text_tokens(self) -> tuple[int, ...]:
        """The tokens that are text."""
        return tuple(token for token in self.tokens if token < self.first_special)

    @property
    def text_scores(self) -> tuple[float, ...]:
        """The log-probabilities of the tokens that are text."""
        pairs = zip(self.tokens, self.log_probabilities, strict=True)
        return tuple(score for token, score in pairs if token < self.first_special)

    @property
    def text_looks(self) -> torch.Tensor:
        """Where the decoder looked for each token that is text and for what came after the last.

        Shape (n_text_tokens + 1, n_heads, n_states).
        """
        places = [i for i, token in enumerate(self.tokens) if token < self.first_special]
        after = min(places[-1] + 1, len(self.looks) - 1)  # cut off: nothing came after
        return torch.stack([self.looks[place] for place in (*places, after)])

    def covered(self, duration: float) -> list[tuple[float, float]]:
        """The stretches of the window, in seconds, that its phrases say they cover."""
        stretches, start = [], 0.0
        for before, token in pairwise((self.first_special, *self.tokens)):
            if token < self.first_stamp:
                continue
            moment = (token - self.first_stamp) * SECONDS_PER_STAMP
            if before < self.first_special:  # after text: it closes a phrase
                stretches.append((start, moment))
            start = moment
        if self.tokens and self.tokens[-1] < self.first_special:  # cut off before it was closed
            stretches.append((start, duration))
        return stretches

    def without_last_phrase(self) -> Decoded:
        """The same up to where its last phrase begins; unchanged where that is all there is."""
        phrase = 0
        for place, (token, after) in enumerate(pairwise(self.tokens)):
            if token >= self.first_stamp and after < self.first_special:
                phrase = place
        if not phrase:
            return self
        scores = self.log_probabilities[:phrase]
        return replace(self, tokens=self.tokens[:phrase], log_probabilities=scores)

    @property
    def mean_log_probability(self) -> float:
        """Average over all tokens; 0 is certainty, -inf when there are none."""
        return float(np.mean(self.log_probabilities)) if self.tokens else float("-inf")


class Decoder:
    """Whisper's decoder at work on a batch of windows: what it has read so far.

    Attributes
    ----------
    logits : Tensor, shape (n_windows, n_vocabulary)
        What it expects next.
    looks : Tensor, shape (n_windows, n_heads, n_states)
        Where in the sound it looked for that: the attention of the heads that follow the words.
    """

    def __init__(self, model, encoder_states: torch.Tensor):
        self.model = model
        self.encoder_states = encoder_states
        self.cache = EncoderDecoderCache(DynamicCache(), _heard(model, encoder_states))
        self.logits = self.looks = None

    def read(self, tokens: torch.Tensor) -> torch.Tensor:
        """Take in tokens, shape (n_windows, n_tokens), and return the next token's logits."""
        output = self.model.model.decoder(
            input_ids=tokens,
            encoder_hidden_states=self.encoder_states,
            past_key_values=self.cache,
            use_cache=True,
            output_attentions=True,
        )
        self.logits = self.model.proj_out(output.last_hidden_state[:, -1]).float()
        self.looks = self._at_words(output.cross_attentions).half()  # many are kept
        return self.logits

    def _at_words(self, attentions: Sequence[torch.Tensor]) -> torch.Tensor:
        """The last row of the alignment heads; where none are named, the upper half's mean."""
        heads = getattr(self.model.generation_config, "alignment_heads", None)
        if heads:
            return torch.stack([attentions[layer][:, head, -1] for layer, head in heads], dim=1)
        upper = attentions[len(attentions) // 2 :]
        return torch.stack([layer[:, :, -1].mean(1, keepdim=True) for layer in upper]).mean(0)

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all windows but these; what was heard moves within the memory it has."""
        self.cache.self_attention_cache.batch_select_indices(torch.tensor(rows))
        for layer in self.cache.cross_attention_cache.layers:
            for place, row in enumerate(rows):
                if place != row:
                    layer.keys[place], layer.values[place] = layer.keys[row], layer.values[row]
            layer.keys, layer.values = layer.keys[: len(rows)], layer.values[: len(rows)]


def _heard(model, states: torch.Tensor) -> DynamicCache:
    """What each decoder layer reads of the sound: keys and values, the same at every step."""
    cache = DynamicCache()
    for attention in (layer.encoder_attn for layer in model.get_decoder().layers):
        heard = DynamicLayer()
        heard.lazy_initialization(states, states)
        heard.keys = _project(attention.k_proj, states, attention.num_heads)
        heard.values = _project(attention.v_proj, states, attention.num_heads)
        cache.layers.append(heard)
    return cache


def _project(projection, states: torch.Tensor, n_heads: int) -> torch.Tensor:
    """Keys or values, shape (n_windows, n_heads, n_states, d_head), straight into their place.

    In float32 on a processor they lie column by column, the order in which each step reads
    them: there, a step is mostly this reading.
    """
    n_windows, n_states, d_model = states.shape
    if states.device.type == "cpu" and states.dtype == torch.float32:
        places = states.new_empty(n_windows, d_model, n_states)
        for place, state in zip(places, states, strict=True):
            place.copy_(projection(state).T)
        return places.view(n_windows, n_heads, -1, n_states).mT
    places = states.new_empty(n_windows, n_heads, n_states, d_model // n_heads)
    for place, state in zip(places, states, strict=True):
        place.copy_(projection(state).view(n_states, n_heads, -1).transpose(0, 1))
    return places


def write(
    decoder: Decoder, limits: Sequence[int], temperatures: Sequence[float] | None = None
) -> list[Decoded]:
    """Let the decoder write each window's text, a token at a time.

    Parameters
    ----------
    decoder : Decoder
        Having read the tokens that set language and task.
    limits : sequence of int
        Most tokens to write, for each window; at least 1.
    temperatures : sequence of float, optional
        One for each window. Tokens are drawn by chance, the more evenly the higher it is. Left
        out, the most probable token is taken (greedy).

    Returns
    -------
    list of Decoded
        One for each window, in order.
    """
    config = decoder.model.generation_config
    device = decoder.model.device
    rules = Rules(config, decoder.model.config.vocab_size, device)
    chance = torch.Generator(device).manual_seed(0)  # the same draw each time
    warmth = None if temperatures is None else torch.tensor(temperatures, device=device)[:, None]
    rows = list(range(len(limits)))  # which windows are still being written
    tokens: list[list[int]] = [[] for _ in rows]
    scores: list[list[float]] = [[] for _ in rows]
    looks: list[list[torch.Tensor]] = [[] for _ in rows]
    for _ in range(max(limits, default=0)):
        logits = rules.apply(decoder.logits, [tokens[row] for row in rows])
        chosen, chosen_scores = _choose(logits, warmth, chance)
        steps = zip(rows, chosen.tolist(), chosen_scores.tolist(), decoder.looks, strict=True)
        done = set()
        for i, (row, token, score, look) in enumerate(steps):
            looks[row].append(look)
            if token != config.eos_token_id:
                tokens[row].append(token)
                scores[row].append(score)
            if token == config.eos_token_id or len(tokens[row]) == limits[row]:
                done.add(i)
        if len(done) == len(rows):
            break
        if done:
            going = _without(done, len(rows))
            decoder.keep(going)
            rows, chosen = [rows[i] for i in going], chosen[going]
            warmth = None if warmth is None else warmth[going]
        decoder.read(chosen[:, None])
    return [
        Decoded(tuple(t), tuple(s), config.eos_token_id, rules.first_time, tuple(look))
        for t, s, look in zip(tokens, scores, looks, strict=True)
    ]


def _without(done: set[int], count: int) -> list[int]:
    """Which rows go on, in an order that moves few: the last ones take the empty places."""
    movers = (row for row in reversed(range(count)) if row not in done)
    return [row if row not in done else next(movers) for row in range(count - len(done))]


class Rules:
    """What may come next, made ready once for a model.

    Whisper's text is held up by time stamps: one opens each phrase, one closes it, and they
    never go back. Letting it write them costs a few tokens and keeps it from leaving out
    phrases. The rules are those of the Whisper paper's own code (openai/whisper, decoding.py).
    """

    LATEST_START = 50  # the first phrase opens within 50 x 0.02 s = 1 s

    def __init__(self, config, vocabulary_size: int, device):
        self.end = config.eos_token_id
        self.first_time = config.no_timestamps_token_id + 1
        self.suppressed = torch.tensor(
            config.suppress_tokens or [], device=device, dtype=torch.long
        )

    def apply(self, logits: torch.Tensor, written: list[list[int]]) -> torch.Tensor:
        """The same logits, -inf in the place of every token that may not come."""
        logits.index_fill_(1, self.suppressed, NEVER)
        logits[:, self.end + 1 : self.first_time] = NEVER
        for row, tokens in enumerate(written):
            self._apply_stamps(logits[row], tokens)
        stamps = logits[:, self.first_time :].logsumexp(-1)
        best_text = logits[:, : self.first_time].amax(-1)
        for row in (stamps > best_text).nonzero().flatten().tolist():  # time for a stamp
            logits[row, : self.first_time] = NEVER
        return logits

    def _apply_stamps(self, logits: torch.Tensor, tokens: list[int]) -> None:
        """Text opens with a stamp; stamps come in pairs around text and do not go back."""
        if not tokens:
            logits[: self.first_time] = NEVER
            logits[self.first_time + self.LATEST_START + 1 :] = NEVER
            return
        latest = next(token for token in reversed(tokens) if token >= self.first_time)
        after_stamp = tokens[-1] >= self.first_time
        opened = len(tokens) < 2 or tokens[-2] >= self.first_time
        if after_stamp and opened:
            logits[self.first_time :] = NEVER
        elif after_stamp:
            logits[: self.end] = NEVER
            logits[self.first_time : latest] = NEVER
        else:
            logits[self.first_time : latest + 1] = NEVER


def _choose(logits: torch.Tensor, warmth: torch.Tensor | None, chance: torch.Generator):
    """Pick a token for each row; also say its log-probability."""
    if warmth is None:
        best, chosen = logits.max(-1)
    else:
        probabilities = (logits / warmth).softmax(-1)
        chosen = torch.multinomial(probabilities, 1, generator=chance)[:, 0]
        best = logits.gather(1, chosen[:, None])[:, 0]
    return chosen, best - logits.logsumexp(-1)
