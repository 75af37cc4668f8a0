"""Diffusion pipelines for tests: of the real classes, with random weights, small enough to run in a blink."""

import json
from pathlib import Path
from typing import Any

import pytest

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tiny_diffusion(folder: Path, inpainting: bool = False, seed: int = 0, **more: Any) -> Path:
    """A Stable Diffusion pipeline of 64 pixels in `folder`, saved as its publisher would. Skips without diffusers."""
    diffusers = pytest.importorskip("diffusers", reason="plates by diffusion need the extra ml")
    transformers = pytest.importorskip("transformers", reason="plates by diffusion need the extra ml")
    torch = pytest.importorskip("torch", reason="plates by diffusion need the extra ml")
    torch.manual_seed(seed)
    blocks = {"block_out_channels": (8, 8), "norm_num_groups": 4}
    unet = diffusers.UNet2DConditionModel(
        sample_size=32,
        in_channels=9 if inpainting else 4,
        out_channels=4,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        **blocks,
    )
    vae = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
        up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
        latent_channels=4,
        sample_size=64,
        **blocks,
    )
    text = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            vocab_size=64,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )
    kind = diffusers.StableDiffusionInpaintPipeline if inpainting else diffusers.StableDiffusionPipeline
    given = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False, **more}
    pipeline = kind(
        vae=vae, text_encoder=text, tokenizer=_tokenizer(folder.with_name(f"{folder.name} words"), transformers),
        unet=unet, scheduler=diffusers.DDIMScheduler(clip_sample=False, steps_offset=1), **given,
    )  # fmt: skip
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def _tokenizer(folder: Path, transformers: Any) -> Any:
    """CLIP's own kind of tokenizer, with single letters for words."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS), ",</w>"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return transformers.CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), unk_token="<|endoftext|>", model_max_length=77
    )


def tiny_blip(folder: Path) -> Path:
    """A BLIP of some thousand random weights, saved as `transformers` saves one. Skips without the extra ml."""
    torch = pytest.importorskip("torch", reason="captions by a network need the extra ml")
    pytest.importorskip("transformers", reason="captions by a network need the extra ml")
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "ring", "on", "cloth", "with", "light"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    tokens = {"bos_token_id": 5, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {"vocab_size": len(vocabulary), "encoder_hidden_size": 16, "max_position_embeddings": 64, **sizes, **tokens}
    vision = {"image_size": 32, "patch_size": 16, **sizes}
    torch.manual_seed(0)
    model = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision, projection_dim=16))
    model.save_pretrained(folder, safe_serialization=True)
    processor = BlipProcessor(
        BlipImageProcessor(size={"height": 32, "width": 32}), BertTokenizer(str(folder / "vocab.txt"))
    )
    processor.save_pretrained(folder)
    return folder
