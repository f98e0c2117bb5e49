"""Which kernel computes attention: switched for the length of a block, then put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

BLOCK_ROWS = 128  # scores of 6 heads x 128 rows x 1500 keys stay in a core's cache


def blocked_attention(
    module, query, key, value, attention_mask=None, scaling=1.0, dropout=0.0, **kwargs
):
    """Plain attention, softmax(Q K^T) V, a block of rows at a time.

    On a CPU, torch's own kernel is slow where Whisper spends its time: in bfloat16, and
    for the single row of a decoding step.

    Parameters
    ----------
    query, key, value : Tensor, shape (n_windows, n_heads, n_rows or n_keys, d_head)
    attention_mask : Tensor, optional, shape (n_windows, 1, n_rows, n_keys)
        Added to the scores.
    scaling : float
        Factor on the scores, 1 / sqrt(d_head).

    Returns
    -------
    Tensor, shape (n_windows, n_rows, n_heads, d_head), and None
        The second place is for attention weights, which are not kept.
    """
    query, keys = query * scaling, key.transpose(2, 3)
    output = torch.empty_like(query)
    for first in range(0, query.shape[2], BLOCK_ROWS):
        rows = slice(first, first + BLOCK_ROWS)
        scores = query[:, :, rows] @ keys
        if attention_mask is not None:
            scores = scores + attention_mask[:, :, rows]
        output[:, :, rows] = scores.softmax(-1) @ value
    return output.transpose(1, 2), None


@contextmanager
def attention_kernel(model, name: str) -> Iterator[None]:
    """Use a kernel ("eager", "sdpa", "blocked") in this block only.

    Transformers switches to "eager" when asked for attention weights and stays there;
    this puts back what was before.
    """
    before = model.config._attn_implementation
    model.set_attn_implementation(name)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


AttentionInterface.register("blocked", blocked_attention)
AttentionMaskInterface.register("blocked", eager_mask)
