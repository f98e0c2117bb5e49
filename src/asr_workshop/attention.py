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
    """Attention, softmax(Q K^T) V, each time the way that is fast for it.

    The encoder's many rows go through torch's own kernel; in bfloat16 on a CPU, where that one
    is slow, through plain products, a block of rows at a time. So do the few rows of a decoding
    step, which are quicker so, and whose weights tell where the decoder looked.

    Parameters
    ----------
    query, key, value : Tensor, shape (n_windows, n_heads, n_rows or n_keys, d_head)
    attention_mask : Tensor, optional, shape (n_windows, 1, n_rows, n_keys)
        Added to the scores.
    scaling : float
        Factor on the scores, 1 / sqrt(d_head).

    Returns
    -------
    output : Tensor, shape (n_windows, n_rows, n_heads, d_head)
    weights : Tensor, shape (n_windows, n_heads, n_rows, n_keys), or None for many rows
    """
    n_rows = query.shape[2]
    if n_rows > BLOCK_ROWS and not (query.device.type == "cpu" and query.dtype == torch.bfloat16):
        fused = torch.nn.functional.scaled_dot_product_attention
        output = fused(query, key, value, attn_mask=attention_mask, scale=scaling)
        return output.transpose(1, 2), None
    query, keys = query * scaling, key.transpose(2, 3)
    output, weights = torch.empty_like(query), None
    for first in range(0, n_rows, BLOCK_ROWS):
        rows = slice(first, first + BLOCK_ROWS)
        scores = query[:, :, rows] @ keys
        if attention_mask is not None:
            scores = scores + attention_mask[:, :, rows]
        weights = scores.softmax(-1)
        output[:, :, rows] = weights @ value
    return output.transpose(1, 2), weights if n_rows <= BLOCK_ROWS else None


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
