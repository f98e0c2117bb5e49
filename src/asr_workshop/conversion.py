"""A CTranslate2 Whisper model, rewritten as a folder that transformers reads.

CTranslate2 is the library under faster-whisper. It keeps the same arrays under other names and
stacks some of them; nothing is computed here, float16 stays float16.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

# The codes of CTranslate2's binary model format, version 6, for the kinds of number it stores.
STORED_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def convert(weights: bytes, config: bytes, tokenizer: bytes, folder: Path) -> None:
    """Write everything ``from_pretrained`` needs into ``folder``.

    Parameters
    ----------
    weights, config, tokenizer : bytes
        The contents of ``model.bin``, ``config.json`` and ``tokenizer.json``.
    folder : Path
        An existing, empty folder.

    Raises
    ------
    ValueError
        The arrays do not fill a Whisper model exactly.
    """
    from safetensors.numpy import save_file
    from transformers import WhisperFeatureExtractor, WhisperProcessor

    variables = read_variables(weights)
    shape = whisper_config(variables)
    tensors = whisper_tensors(variables)
    check_strictly(shape, tensors)
    words = whisper_tokenizer(tokenizer, shape.vocab_size)
    extractor = WhisperFeatureExtractor(feature_size=shape.num_mel_bins)

    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    shape.save_pretrained(folder)
    generation_config(shape, words, json.loads(config)).save_pretrained(folder)
    WhisperProcessor(extractor, words).save_pretrained(folder)


def read_variables(content: bytes) -> dict:
    """Read every named array of a CTranslate2 ``model.bin``, as views on ``content``.

    The layout, little-endian throughout: format version, name of the architecture, its
    revision, number of variables; then for each one its name, rank, shape, kind of number,
    length in bytes and the bytes. (CTranslate2's ``model_spec.py`` writes it, version 6.)
    """
    import numpy as np

    position = 0

    def number(form: str) -> int:
        nonlocal position
        (value,) = struct.unpack_from("<" + form, content, position)
        position += struct.calcsize(form)
        return value

    def text() -> str:
        nonlocal position
        length = number("H")
        position += length
        return content[position - length : position - 1].decode()  # a zero byte ends it

    number("I"), text(), number("I")
    variables = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        dtype = np.dtype(STORED_DTYPES[number("B")])
        n_bytes = number("I")
        array = np.frombuffer(content, dtype, n_bytes // dtype.itemsize, offset=position)
        variables[name] = array.reshape(shape)
        position += n_bytes
    return variables


def whisper_config(variables: dict):
    """Read the model's shape off its arrays."""
    from transformers import WhisperConfig

    width, n_mels, _ = variables["encoder/conv1/weight"].shape
    vocabulary = variables["decoder/embeddings/weight"].shape[0]
    end_of_text = 50256 if vocabulary == 51864 else 50257  # the English-only one is shorter
    return WhisperConfig(
        vocab_size=vocabulary,
        num_mel_bins=n_mels,
        d_model=width,
        encoder_layers=_layers(variables, "encoder"),
        decoder_layers=_layers(variables, "decoder"),
        encoder_attention_heads=int(variables["encoder/num_heads"]),
        decoder_attention_heads=int(variables["decoder/num_heads"]),
        encoder_ffn_dim=variables["encoder/layer_0/ffn/linear_0/weight"].shape[0],
        decoder_ffn_dim=variables["decoder/layer_0/ffn/linear_0/weight"].shape[0],
        max_source_positions=variables["encoder/position_encodings/encodings"].shape[0],
        max_target_positions=variables["decoder/position_encodings/encodings"].shape[0],
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
        pad_token_id=end_of_text,
        decoder_start_token_id=end_of_text + 1,
        dtype="float16",
        architectures=["WhisperForConditionalGeneration"],
    )


def _layers(variables: dict, side: str) -> int:
    names = (name for name in variables if name.startswith(f"{side}/layer_"))
    return sum(name.endswith("/ffn/linear_0/weight") for name in names)


def whisper_tensors(variables: dict) -> dict:
    """Give the same arrays the names that transformers has for them."""
    tensors = {"model.decoder.embed_tokens.weight": variables["decoder/embeddings/weight"]}
    for number in (1, 2):
        tensors |= _linear(variables, f"encoder/conv{number}", [f"model.encoder.conv{number}"])
    for side in ("encoder", "decoder"):
        positions = variables[f"{side}/position_encodings/encodings"]
        tensors[f"model.{side}.embed_positions.weight"] = positions
        tensors |= _norm(variables, f"{side}/layer_norm", f"model.{side}.layer_norm")
        for number in range(_layers(variables, side)):
            source, target = f"{side}/layer_{number}", f"model.{side}.layers.{number}"
            tensors |= _block(variables, source, target)
    # Whisper's keys have no bias; CTranslate2 stores zeros for it.
    return {name: array for name, array in tensors.items() if not name.endswith("k_proj.bias")}


def _block(variables: dict, source: str, target: str) -> dict:
    """One transformer layer; a decoder's layer also attends to the encoder."""
    own = f"{source}/self_attention"
    names = [f"{target}.self_attn.{part}_proj" for part in "qkv"]
    tensors = _linear(variables, f"{own}/linear_0", names)
    tensors |= _linear(variables, f"{own}/linear_1", [f"{target}.self_attn.out_proj"])
    tensors |= _norm(variables, f"{own}/layer_norm", f"{target}.self_attn_layer_norm")
    if f"{source}/attention/linear_0/weight" in variables:
        cross, names = f"{source}/attention", [f"{target}.encoder_attn.{p}_proj" for p in "qkv"]
        tensors |= _linear(variables, f"{cross}/linear_0", names[:1])
        tensors |= _linear(variables, f"{cross}/linear_1", names[1:])
        tensors |= _linear(variables, f"{cross}/linear_2", [f"{target}.encoder_attn.out_proj"])
        tensors |= _norm(variables, f"{cross}/layer_norm", f"{target}.encoder_attn_layer_norm")
    tensors |= _linear(variables, f"{source}/ffn/linear_0", [f"{target}.fc1"])
    tensors |= _linear(variables, f"{source}/ffn/linear_1", [f"{target}.fc2"])
    return tensors | _norm(variables, f"{source}/ffn/layer_norm", f"{target}.final_layer_norm")


def _linear(variables: dict, source: str, targets: list[str]) -> dict:
    """Take a weight and its bias apart; CTranslate2 stacks those that read the same input."""
    tensors = {}
    for kind in ("weight", "bias"):
        stacked = variables[f"{source}/{kind}"]
        rows = len(stacked) // len(targets)
        for number, target in enumerate(targets):
            tensors[f"{target}.{kind}"] = stacked[number * rows : (number + 1) * rows]
    return tensors


def _norm(variables: dict, source: str, target: str) -> dict:
    return {
        f"{target}.weight": variables[f"{source}/gamma"],
        f"{target}.bias": variables[f"{source}/beta"],
    }


def check_strictly(config, tensors: dict) -> None:
    """Make sure that every parameter gets an array of its shape, and none is left over."""
    import torch
    from transformers import WhisperForConditionalGeneration

    with torch.device("meta"):  # shapes only, no memory
        wanted = WhisperForConditionalGeneration(config).state_dict()
    wanted.pop("proj_out.weight")  # the output layer is the token embedding itself
    shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items()}
    if shapes != {name: array.shape for name, array in tensors.items()}:
        raise ValueError("The packaged weights do not fill a Whisper model exactly.")


def whisper_tokenizer(content: bytes, vocab_size: int):
    """Build the tokenizer, with its control tokens declared as such.

    Undeclared, language tokens leak into the text, and the ids of the time tokens, which
    transformers counts from the last declared one, are wrong.
    """
    from tokenizers import AddedToken, Tokenizer
    from transformers import WhisperTokenizer

    tokenizer = Tokenizer.from_str(content.decode())
    added = sorted(tokenizer.get_added_tokens_decoder().items())
    special = [token.content for _, token in added if token.special]
    # The packaged tiny.en stops before the time tokens <|0.00|>, <|0.02|> ... <|30.00|>.
    first = tokenizer.token_to_id("<|notimestamps|>") + 1
    times = [f"<|{hundredths / 100:.2f}|>" for hundredths in range(0, 2 * (vocab_size - first), 2)]
    tokenizer.add_tokens([AddedToken(time, normalized=True) for time in times])
    return WhisperTokenizer(
        tokenizer_object=tokenizer, extra_special_tokens=special, pad_token="<|endoftext|>"
    )


def generation_config(config, tokenizer, settings: dict):
    """Say how to decode: start and end tokens, what to suppress, where to read word times."""
    from transformers import GenerationConfig

    token_id = tokenizer.convert_tokens_to_ids
    values = {
        "decoder_start_token_id": config.decoder_start_token_id,
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
        "max_length": config.max_target_positions,
        "max_initial_timestamp_index": 50,  # a first segment starts within 50 x 0.02 s = 1 s
        "return_timestamps": False,
        "suppress_tokens": settings["suppress_ids"],
        "begin_suppress_tokens": settings["suppress_ids_begin"],
        "alignment_heads": settings["alignment_heads"],
        "no_timestamps_token_id": token_id("<|notimestamps|>"),
        "prev_sot_token_id": token_id("<|startofprev|>"),
        "is_multilingual": config.vocab_size > 51864,
    }
    if values["is_multilingual"]:
        languages = tokenizer.convert_ids_to_tokens(settings["lang_ids"])
        values["lang_to_id"] = dict(zip(languages, settings["lang_ids"], strict=True))
        tasks = ("transcribe", "translate")
        values["task_to_id"] = {task: token_id(f"<|{task}|>") for task in tasks}
        values["task"] = "transcribe"  # with no task at all, the model repeats itself endlessly
    return GenerationConfig(**values)
