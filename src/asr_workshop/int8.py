"""Weights as whole numbers of 8 bits: a quarter of the memory, and quicker on most processors."""

from __future__ import annotations

import re
import warnings

# What leaves the encoder's activation function can hold single values a hundred times larger
# than the rest (560 against a spread of 3 in whisper-tiny.en). One scale for both would round
# the rest away, so the layers that take it in stay as they are.
KEPT = re.compile(r"\bencoder\..*\bfc2$")


def to_int8(network):
    """Round the weights of a network's linear layers to whole numbers from -128 to 127.

    Each row of a weight matrix gets a scale of its own, and so does, at each call, what comes
    in. What comes out, and everything between the layers, stays float32.

    Parameters
    ----------
    network : torch.nn.Module
        In float32, on a CPU. Changed in place.

    Returns
    -------
    torch.nn.Module
        The same network.

    Raises
    ------
    RuntimeError
        This PyTorch has no int8 arithmetic for this processor.

    References
    ----------
    B. Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", 2018. Outliers: T. Dettmers et al., "LLM.int8()", 2022.

    Examples
    --------
    >>> import torch
    >>> to_int8(torch.nn.Sequential(torch.nn.Linear(3, 2)))[0].weight().dtype
    torch.qint8
    """
    import torch

    if not hasattr(torch.ao.quantization, "quantize_dynamic"):
        raise RuntimeError("this PyTorch has no int8 layers any more. Use float32.")
    layers = {
        name: torch.ao.quantization.per_channel_dynamic_qconfig
        for name, module in network.named_modules()
        if type(module) is torch.nn.Linear and not KEPT.search(name)
    }
    with warnings.catch_warnings():  # PyTorch plans to move these layers to another package
        warnings.filterwarnings("ignore", "torch.ao.quantization", DeprecationWarning)
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        return torch.ao.quantization.quantize_dynamic(
            network, layers, dtype=torch.qint8, inplace=True
        )
