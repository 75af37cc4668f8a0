"""Plates by a diffusion network on this machine (extra `ml`): any text-to-image or inpainting pipeline of diffusers.

The network paints the surface alone and never sees the piece, which is laid on it as on any other plate: whatever it
paints, no pixel of the piece changes. An inpainting network repaints all of the style's procedural plate, which gives
it colours and forms to start from. Models are folders as diffusers saves them; nothing is downloaded.
"""

import hashlib
import json
import os
import tomllib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels
from jewel_assets.promote.palettes import linear, luminance, palette
from jewel_assets.promote.plates import STYLES, make_plate
from jewel_assets.promote.shading import to_srgb
from jewel_assets.settings import settings

if TYPE_CHECKING:
    from jewel_assets.promote.templates import Template

DEFAULT = "stable-diffusion-v1-5"
INDEX = "model_index.json"
NEEDS_DIFFUSERS = (
    "Plates by diffusion need torch and diffusers: install the extra with `pip install 'jewel-assets[ml]'`, or leave "
    "`engine` at procedural."
)
KEPT = 4
"""The last pictures are kept, and what failed: a batch that meets a plate again does not wait for it again."""
REPAINTED = 0.85
"""How much of the procedural plate an inpainting network repaints: the rest keeps its colours in the palette."""
NATIVE = 512  # pixels: the side of what a network that says nothing was trained on
DARKEST = 0.02
"""A picture whose brightest value (0..1) is below that is black: what a network gives that broke, or was blanked."""
_WEIGHTS = {".safetensors", ".json", ".txt", ".model"}
"""Suffixes of the files in a model's folder that say what it does: weights, configuration, tokenizer."""


@dataclass(frozen=True)
class Network:
    """A model that is here: its folder, what it is asked for by, and the SHA-256 of its files."""

    name: str
    asked: str  # a name of the registry, or the folder
    folder: Path
    sha256: str
    licence: str | None  # None for a folder of the user's own, whose licence is theirs to know
    pipeline: str  # the class of diffusers that its index names


@dataclass(frozen=True)
class Painted:
    """A picture (h, w, 3) uint8 for a plate, the mean albedo it should have (0..1), and how it was made."""

    picture: Pixels = field(repr=False)
    brightness: float
    told: Mapping[str, Any]


def prompt_of(template: "Template") -> tuple[str, str]:
    """What a template asks for, and what it does not want: its own words, else told from style, palette and light.

    Raises Permanent for a style, palette or light without a phrase.
    """
    book = _phrases()
    surface = book["surfaces"].get(template.style)
    if surface is None and not template.prompt:
        raise Permanent(
            f"There is no prompt for the style {template.style!r} of the template {template.name}: give it a `prompt`."
        )
    words = {
        "surface": str(surface or "").format(colour=_phrase(book, "colours", template.palette)),
        "accent": _phrase(book, "accents", template.palette),
        "light": _phrase(book, "lights", template.light),
    }
    unwanted = ", ".join(part for part in (book["negative"], book["negatives"].get(template.style)) if part)
    return template.prompt or str(book["prompt"]).format(**words), template.negative_prompt or unwanted


def find_network(model: str = "") -> Network:
    """The model in a folder, or of a name in the registry: in the models folder, or in a mirror that is a folder.

    Raises Permanent where diffusers is missing, there is no such model, the folder holds none, or the licence forbids.
    """
    if not all(find_spec(package) for package in ("torch", "diffusers", "transformers")):
        raise Permanent(NEEDS_DIFFUSERS)
    from jewel_assets.registry import Registry

    asked = model or DEFAULT
    registry = Registry.from_settings()
    bases = [registry.folder]
    mirror = urlsplit(registry.mirror or "")
    if registry.mirror and mirror.scheme in ("", "file"):
        base = Path(unquote(mirror.path)) if mirror.scheme else Path(registry.mirror).expanduser()
        bases.append(base.absolute())
    entries = {entry.name: entry for entry in registry.entries()}
    given = Path(asked).expanduser()
    is_path = any(separator in asked for separator in (os.sep, os.altsep) if separator)  # "./a" as a Path has one part
    if asked not in entries and (is_path or given.is_dir()):
        folder = given.absolute()
        known = next((entry for entry in entries.values() if folder in [base / entry.file for base in bases]), None)
        if known is None:
            return _network(folder.name, str(folder), folder, None)
        asked = known.name  # by its path, it is no less the model of the registry, with its licence
    entry = registry.entry(asked)
    if registry.where(asked) == "refused":
        registry.find(asked)  # raises the sentence that says why
    places = [base / entry.file for base in bases]
    here = next((place for place in places if place.is_dir()), None)
    if here is None:
        raise Permanent(
            f"The model {asked} is not here. It is a folder with {INDEX}, as diffusers saves it "
            f"({entry.licence_url}): put it at {' or '.join(str(place) for place in places)}, or name a folder "
            f"(--model DIR)."
        )
    return _network(asked, asked, here, entry.licence)


def _network(name: str, asked: str, folder: Path, licence: str | None) -> Network:
    pipeline = _pipeline_of(folder)
    if not _weights_in(folder):
        raise Permanent(
            f"The model in {folder} lacks its weights: {INDEX} is there, but no file */*.safetensors. Copy the whole "
            "model there; weights in other files could hold code and are not opened."
        )
    return Network(name, asked, folder, _sha256(folder), licence, pipeline)


def asked_of(template: "Template") -> Mapping[str, Any]:
    """What the network is asked for, for the record: the model and its weights, the words, the steps.

    Raises Permanent as `find_network` does, and where the weights are others than the template was made with.
    """
    network = find_network(template.model)
    if template.model_sha256 and template.model_sha256 != network.sha256:
        raise Permanent(
            f"The model {network.name} has other weights than the template {template.name} was made with "
            f"({network.sha256[:12]}, not {template.model_sha256[:12]}): bring those back, or make the image anew."
        )
    prompt, negative = prompt_of(template)
    return {
        "engine": "diffusion",
        "model": network.name,
        "model_sha256": network.sha256,
        "licence": network.licence,
        "pipeline": network.pipeline,
        "prompt": prompt,
        "negative_prompt": negative,
        "steps": template.steps,
        "guidance": template.guidance,
    }


_painted: "OrderedDict[tuple[Any, ...], Painted | str]" = OrderedDict()


def paint(template: "Template", size: tuple[int, int], seed: int) -> Painted:
    """What the network paints for a plate of `size` (width, height): at its own size, in the plate's aspect.

    The noise comes from `seed` and is drawn on the CPU: on one kind of machine the same seed gives the same pixels.
    Raises Permanent as `asked_of` does, for a model that does not load or is of another kind, and for a picture that is
    black, no picture at all, or was blanked by the model's safety checker.
    """
    asked = asked_of(template)
    known = (*asked.values(), template.style, template.palette, size[0] / size[1], seed)
    if known not in _painted:
        network = find_network(template.model)
        while len(_painted) >= KEPT:
            _painted.popitem(last=False)
        try:
            _painted[known] = _paint(network, asked, template, size, seed)
        except Permanent as error:
            _painted[known] = str(error)
    _painted.move_to_end(known)
    found = _painted[known]
    if isinstance(found, str):
        raise Permanent(found)
    return found


def _paint(
    network: Network, asked: Mapping[str, Any], template: "Template", size: tuple[int, int], seed: int
) -> Painted:
    import diffusers
    import torch

    loaded = _loaded(network.folder, network.sha256)
    torch.set_num_threads(settings().threads)  # another number of threads may add up in another order
    width, height = loaded.size_for(size)
    arguments: dict[str, Any] = {
        "prompt": asked["prompt"],
        "negative_prompt": asked["negative_prompt"],
        "num_inference_steps": template.steps,
        "guidance_scale": template.guidance,
        "width": width,
        "height": height,
        "generator": torch.Generator("cpu").manual_seed(seed),
        "output_type": "np",
    }
    draft_style = template.style if template.style in STYLES else "minimal"
    draft = make_plate(draft_style, palette(template.palette), (width, height), seed).albedo
    if loaded.inpaints:
        from PIL import Image

        arguments["image"] = Image.fromarray(to_srgb(draft))
        arguments["mask_image"] = Image.fromarray(np.full((height, width), 255, np.uint8))
        arguments["strength"] = max(REPAINTED, 1 / template.steps)
    try:
        done = loaded.pipeline(**{name: value for name, value in arguments.items() if name in loaded.accepts})
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        why = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise Permanent(f"The model {network.name} could not paint the plate of {template.name}: {why}") from error
    picture = _picture(done, network, template, seed)
    told = {
        "way": "inpainting, over all of the procedural plate" if loaded.inpaints else "text to image",
        "painted_size": [width, height],
        "diffusers": diffusers.__version__,
        "torch": torch.__version__,
        "device": loaded.device,
    }
    mean = float((draft @ np.array([0.2126, 0.7152, 0.0722], np.float32)).mean())
    return Painted(picture, max(mean, luminance(linear(palette(template.palette).shade))), told)


def _picture(done: Any, network: Network, template: "Template", seed: int) -> Pixels:
    """The picture in what a pipeline gives back, (h, w, 3) uint8. Raises Permanent for what is none."""
    if any(getattr(done, "nsfw_content_detected", None) or ()):
        raise Permanent(
            f"The safety checker of {network.name} blanked the plate of {template.name} with seed {seed}: take another "
            "seed or prompt."
        )
    values = np.asarray(done.images[0], np.float32)
    if values.ndim != 3 or values.shape[2] != 3 or not np.isfinite(values).all():
        raise Permanent(
            f"The model {network.name} gave no picture for {template.name} (numbers that are none): its weights are "
            "broken, or too coarse for this device. Fetch it anew, or take another."
        )
    if float(values.max()) < DARKEST:
        raise Permanent(
            f"The model {network.name} painted the plate of {template.name} black with seed {seed}: take another seed "
            "or prompt; if all are black, its weights are broken."
        )
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class _Loaded:
    pipeline: Any
    accepts: frozenset[str]  # names of its arguments
    device: str
    native: int  # pixels of the sides that it was trained on
    grain: int  # pixels that its sides are multiples of

    @property
    def inpaints(self) -> bool:
        return "mask_image" in self.accepts

    def size_for(self, plate: tuple[int, int]) -> tuple[int, int]:
        """Width and height in the plate's aspect, the longer one its native side."""
        scale = self.native / max(plate)
        width, height = (max(1, round(side * scale / self.grain)) * self.grain for side in plate)
        return width, height


@lru_cache(maxsize=1)
def _loaded(folder: Path, _: str) -> _Loaded:
    import inspect

    import torch
    from diffusers import DiffusionPipeline

    cuda = torch.cuda.is_available()
    # Safetensors hold numbers alone, and no code of the folder is trusted: it can run nothing here.
    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
    if all(".fp16." in file.name for file in _weights_in(folder)):  # there are some: see `_network`
        options["variant"] = "fp16"
    try:
        pipeline: Any = DiffusionPipeline.from_pretrained(folder, **options)  # type: ignore[no-untyped-call, unused-ignore]
    except Exception as error:  # diffusers, transformers, torch and safetensors each raise their own
        why = str(error).strip().splitlines()[0][:240] if str(error).strip() else type(error).__name__
        raise Permanent(f"The model in {folder} does not load: {why}") from error
    accepts = frozenset(inspect.signature(pipeline.__call__).parameters)
    if "prompt" not in accepts or ("image" in accepts and "mask_image" not in accepts):
        raise Permanent(
            f"The model in {folder} is a {type(pipeline).__name__}, which paints no plates: take a text-to-image or an "
            "inpainting model."
        )
    pipeline.set_progress_bar_config(disable=True)
    pipeline = pipeline.to("cuda", torch.float16) if cuda else pipeline.to("cpu", torch.float32)
    factor = int(getattr(pipeline, "vae_scale_factor", 8))
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    latent = getattr(pipeline, "default_sample_size", None) or getattr(
        getattr(network, "config", None), "sample_size", None
    )
    native = int(latent if isinstance(latent, int) else max(latent)) * factor if latent else NATIVE
    device = f"cuda ({torch.cuda.get_device_name()}), float16" if cuda else "cpu, float32"
    return _Loaded(pipeline, accepts, device, native, max(8, factor))


def _weights_in(folder: Path) -> list[Path]:
    return [*folder.glob("*/*.safetensors")]


def _pipeline_of(folder: Path) -> str:
    """The class of diffusers that a folder's index names. Raises Permanent for a folder that holds no model."""
    if not folder.is_dir():
        raise Permanent(f"There is no folder {folder} with a model: name one as diffusers saves it (--model DIR).")
    index = folder / INDEX
    if not index.is_file():
        raise Permanent(
            f"The folder {folder} holds no diffusion model: {INDEX} is expected in it, as `save_pretrained` of "
            "diffusers writes it."
        )
    try:
        name = json.loads(index.read_text("utf-8"))["_class_name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Permanent(f"{index} cannot be read ({error}): fetch the model anew.") from error
    if not isinstance(name, str):
        raise Permanent(f"{index} asks for code of its own, which is not run here: take a model of diffusers itself.")
    return name


_hashes: dict[tuple[Any, ...], str] = {}  # (path, size, time of change) of all files -> SHA-256


def _sha256(folder: Path) -> str:
    """SHA-256 over names and bytes of a model's files, computed once per process while none of them changes."""
    found = sorted(
        file
        for file in (*folder.glob("*"), *folder.glob("*/*"))
        if file.suffix in _WEIGHTS and file.is_file() and not file.name.startswith(".")
    )
    stats = [(str(file), file.stat()) for file in found]
    stamp = tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats)
    if stamp not in _hashes:
        whole = hashlib.sha256()
        for file in found:
            with file.open("rb") as stream:
                each = hashlib.file_digest(stream, "sha256").hexdigest()
            whole.update(f"{file.relative_to(folder).as_posix()} {each}\n".encode())
        _hashes[stamp] = whole.hexdigest()
    return _hashes[stamp]


@cache
def _phrases() -> Mapping[str, Any]:
    return tomllib.loads(files("jewel_assets.promote").joinpath("prompts.toml").read_text("utf-8"))


def _phrase(book: Mapping[str, Any], kind: str, name: str) -> str:
    return str(book[kind].get(name, name.replace("_", " ")))
