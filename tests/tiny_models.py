"""One tiny, untrained model of every family, made on the spot: what it writes is gibberish.

Each function fills a folder the way the real models of its family look on the Hub.
"""

from __future__ import annotations

import io
import json

import numpy as np

LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
N_MELS, WIDTH = 16, 32
TINY = {"d_model": WIDTH, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}


def one_second(seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, 16_000).astype(np.float32)


def save(folder, model, *parts):
    from asr_workshop.checkpoints import quiet

    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        for part in (model, *parts):
            part.save_pretrained(folder)
    return folder


def _byte_pairs(*special):
    """A tokenizer that knows single bytes and the special tokens given."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: n for n, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    return tokenizer


def whisper(folder, decoder_layers=2):
    """Whisper; with one decoder layer beside two encoder layers it is a Distil-Whisper."""
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    special = ["<|endoftext|>", "<|startoftranscript|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>"]
    tokenizer = WhisperTokenizer(
        tokenizer_object=_byte_pairs(*special), extra_special_tokens=special, pad_token=special[0]
    )
    end, start = (tokenizer.convert_tokens_to_ids(token) for token in special[:2])
    config = WhisperConfig(
        **{**TINY, "encoder_layers": 2}, decoder_layers=decoder_layers, decoder_ffn_dim=32,
        decoder_attention_heads=2, vocab_size=len(tokenizer) + 1501, num_mel_bins=N_MELS,
        max_target_positions=40, decoder_start_token_id=start, bos_token_id=end,
        eos_token_id=end, pad_token_id=end,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        decoder_start_token_id=start, bos_token_id=end, eos_token_id=end, pad_token_id=end,
        max_length=40, max_initial_timestamp_index=50, is_multilingual=False, num_beams=5,
        no_timestamps_token_id=len(tokenizer) - 1, alignment_heads=[[decoder_layers - 1, 0]],
    )  # fmt: skip
    return save(folder, model, WhisperFeatureExtractor(feature_size=N_MELS), tokenizer)


def distil_whisper(folder):
    return whisper(folder, decoder_layers=1)


def _ctc(folder, config_class, model_class):
    from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({letter: n for n, letter in enumerate(LETTERS)}))
    config = config_class(
        vocab_size=len(LETTERS), hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, conv_dim=(8,) * 7, num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2, pad_token_id=0,
    )  # fmt: skip
    tokenizer = Wav2Vec2CTCTokenizer(str(vocabulary))
    return save(folder, model_class(config), Wav2Vec2FeatureExtractor(), tokenizer)


def wav2vec2(folder):
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    return _ctc(folder, Wav2Vec2Config, Wav2Vec2ForCTC)


def hubert(folder):
    from transformers import HubertConfig, HubertForCTC

    return _ctc(folder, HubertConfig, HubertForCTC)


def moonshine(folder):
    from transformers import (
        MoonshineConfig,
        MoonshineForConditionalGeneration,
        PreTrainedTokenizerFast,
        Wav2Vec2FeatureExtractor,
    )

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_byte_pairs("<unk>", "<s>", "</s>"),
        unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>",
    )  # fmt: skip
    start, end = tokenizer.convert_tokens_to_ids(["<s>", "</s>"])
    config = MoonshineConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=32,
        encoder_num_hidden_layers=1, decoder_num_hidden_layers=1, encoder_num_attention_heads=2,
        decoder_num_attention_heads=2, max_position_embeddings=64, bos_token_id=start,
        eos_token_id=end, pad_token_id=end, decoder_start_token_id=start,
    )  # fmt: skip
    model = MoonshineForConditionalGeneration(config)
    model.generation_config.max_length = 30
    extractor = Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)
    return save(folder, model, extractor, tokenizer)


def speech2text(folder):
    import sentencepiece
    from transformers import (
        Speech2TextConfig,
        Speech2TextFeatureExtractor,
        Speech2TextForConditionalGeneration,
        Speech2TextTokenizer,
    )

    folder.mkdir(parents=True, exist_ok=True)
    learned = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the boat is on the shelf", "a small blue boat"] * 20),
        model_writer=learned, vocab_size=40, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    pieces = sentencepiece.SentencePieceProcessor(model_proto=learned.getvalue())
    (folder / "sentencepiece.bpe.model").write_bytes(learned.getvalue())
    words = ["<s>", "<pad>", "</s>", "<unk>"]
    words += [pieces.id_to_piece(n) for n in range(3, pieces.get_piece_size())]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    tokenizer = Speech2TextTokenizer(
        str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model")
    )
    config = Speech2TextConfig(
        **TINY, decoder_layers=1, decoder_ffn_dim=32, decoder_attention_heads=2,
        vocab_size=len(words), input_feat_per_channel=N_MELS, conv_channels=16,
        max_source_positions=600, max_target_positions=40, num_conv_layers=2,
    )  # fmt: skip
    model = Speech2TextForConditionalGeneration(config)
    model.generation_config.update(max_length=30, num_beams=5, decoder_start_token_id=2)
    extractor = Speech2TextFeatureExtractor(feature_size=N_MELS, num_mel_bins=N_MELS)
    return save(folder, model, extractor, tokenizer)


FAMILIES = {
    maker.__name__: maker
    for maker in (whisper, distil_whisper, wav2vec2, hubert, moonshine, speech2text)
}
