"""Templates: which plate, in which colours, under which light, and where the piece lies on it.

The library is a matrix of styles, palettes and lights that suit each other, `matrix.toml`; a user's own template is a
TOML file with the fields of `Template`, dropped into a folder. Its plate is drawn in its style, or made of a picture
(`texture`), or painted by a network (`engine = "diffusion"`).
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from jewel_assets.errors import Permanent
from jewel_assets.promote.lights import light
from jewel_assets.promote.palettes import palette
from jewel_assets.promote.plates import PICTURE, STYLES

if TYPE_CHECKING:
    from jewel_assets.promote.textures import Texture


LONGEST_NAME = 80


class Template(BaseModel):
    """All that a promotional image depends on besides the piece and the seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=LONGEST_NAME)
    style: str  # one of `plates.STYLES`, or `picture`: with a texture, what its own name says of its surface
    palette: str
    light: str
    texture: str = ""  # a picture that the plate is made of: a path (in a file: relative to it) or an fsspec URL
    texture_sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")  # another file under its name is refused
    texture_credit: str = Field("", max_length=300)  # whom the record names for it
    engine: Literal["procedural", "diffusion"] = "procedural"  # what draws the plate where there is no texture
    model: str = ""  # of the diffusion: a folder as diffusers saves it, or a name of the registry; empty: its default
    model_sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")  # other weights are refused
    prompt: str = Field("", max_length=1000)  # empty: told from style, palette and light
    negative_prompt: str = Field("", max_length=1000)
    steps: int = Field(30, ge=1, le=200)
    guidance: float = Field(7.0, ge=0, le=30)
    x: float = Field(0.5, ge=0, le=1)  # of the piece's middle
    y: float = Field(0.5, ge=0, le=1)
    scale: float = Field(1.0, ge=0.2, le=1.8)
    turn: float = Field(0.0, ge=-180, le=180)  # degrees, counter-clockwise
    arrangement: Literal["single", "pair"] = "single"  # a pair is the piece and its mirror image
    mode: Literal["strict", "relit"] = "strict"
    relight: float = Field(1.0, ge=0, le=1)  # of the gain, in mode relit
    vignette: float = Field(0.22, ge=0, le=1)
    sharpen: float = Field(0.0, ge=0, le=1)  # of the ground
    sparkle: float = Field(0.0, ge=0, le=1)  # stars on highlights, in mode relit
    variables: dict[str, str] = {"headline": "", "line": "", "price": ""}  # words on the image
    tags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_plate(self) -> Self:
        if self.texture and self.engine == "diffusion":
            raise ValueError("a plate is made of a texture or painted by a network: leave out `texture` or `engine`")
        return self


def textured(template: Template, texture: "Texture", style: str = PICTURE) -> Template:
    """The template with a picture as its plate; `style` says how the surface meets the light.

    Its palette, of which a picture takes the colour of words alone, is a light or a dark one as the picture is.
    """
    colours = "graphite" if texture.is_dark else "pearl"
    name = f"{texture.name}-{template.name.removeprefix(f'{template.style}-')}"[:LONGEST_NAME].rstrip("-_")
    given = {
        "name": name,
        "style": style,
        "palette": colours,
        "texture": texture.source,
        "texture_sha256": texture.sha256,
        "texture_credit": texture.credit,
        "engine": "procedural",
        "tags": ("picture", *texture.name.split("-"), template.light, *palette(colours).tags),
    }
    return Template.model_validate({**template.model_dump(), **given})


def painted_by(template: Template, model: str = "", prompt: str = "") -> Template:
    """The template with a plate that a diffusion network paints: the weights that are there now, and no others.

    Raises Permanent where diffusers or the model is missing, its licence forbids its use, or there is no prompt.
    """
    from jewel_assets.promote.diffusion import find_network, prompt_of

    network = find_network(model or template.model)
    given = {
        "name": f"{template.name[:70]}-diffusion".replace("--", "-"),
        "engine": "diffusion",
        "texture": "",
        "texture_sha256": "",
        "texture_credit": "",
        "model": network.asked,
        "model_sha256": network.sha256,
        "prompt": prompt or template.prompt,
    }
    painted = Template.model_validate({**template.model_dump(), **given})
    prompt_of(painted)  # raises now what each image would raise
    return painted


def with_plates(
    templates: Sequence[Template],
    textures: "Sequence[Texture]" = (),
    style: str = PICTURE,
    engine: str | None = None,
    model: str = "",
    prompt: str = "",
) -> list[Template]:
    """The templates with other plates than their own: each with every texture, or all by one engine.

    No two have the same name. Raises Permanent for what contradicts itself, and as `painted_by` does.
    """
    if engine not in (None, "procedural", "diffusion"):
        raise Permanent(f"There is no engine {engine!r} for plates: procedural draws them, diffusion paints them.")
    if textures and engine == "diffusion":
        raise Permanent("A plate is made of a texture or painted by a network: ask for one of them.")
    if (model or prompt) and engine != "diffusion":
        raise Permanent("A model and a prompt belong to the engine diffusion: ask for it, too (--engine diffusion).")
    if textures:
        if style != PICTURE:
            _check_style(style)
        pairs = [(template, texture) for template in templates for texture in textures]
        return _apart([(textured(template, texture, style), template, texture) for template, texture in pairs])
    if engine == "diffusion":
        return _apart([(painted_by(template, model, prompt), template, None) for template in templates])
    if engine == "procedural":
        drawn = {"engine": engine, "texture": "", "texture_sha256": "", "texture_credit": ""}
        for template in templates:
            _check_style(template.style)
        return [template.model_copy(update=drawn) for template in templates]
    return [*templates]


def _apart(made: "Sequence[tuple[Template, Template, Texture | None]]") -> list[Template]:
    """The first of each tuple, made of the others: where two would have one name, the later has its old style, too, or
    a number. What is made twice of the same keeps its name.
    """
    taken: dict[str, tuple[Template, Texture | None]] = {}
    found = []
    for new, *(old, texture) in made:
        tails = chain(("", f"-{old.style}"), (f"-{number}" for number in count(2)))
        names = (new.name[: LONGEST_NAME - len(tail)].rstrip("-_") + tail if tail else new.name for tail in tails)
        name = next(name for name in names if taken.get(name, (old, texture)) == (old, texture))
        taken[name] = (old, texture)
        found.append(new.model_copy(update={"name": name}))
    return found


def _check_style(style: str) -> None:
    if style not in STYLES:
        near = difflib.get_close_matches(style, STYLES, n=3, cutoff=0.3) or sorted(STYLES)
        raise Permanent(f"There is no style {style!r}: choose one of {', '.join(near)}.")


class Library:
    """Templates by name."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._all = {template.name: template for template in templates}

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def get(self, name: str) -> Template:
        """The template of this name, or the first whose name goes on after it: `velvet-midnight` is
        `velvet-midnight-moody`. Raises Permanent with the nearest names.
        """
        if name in self._all:
            return self._all[name]
        longer = [known for known in self._all if known.startswith(f"{name}-")]
        if longer:
            return self._all[longer[0]]
        near = difflib.get_close_matches(name, self._all, n=4, cutoff=0.3) or list(self._all)[:4]
        raise Permanent(f"There is no template {name!r}: did you mean {', '.join(near)}? `jewel promote templates`.")

    def find(self, style: str | None = None, palette_: str | None = None, light_: str | None = None) -> Template:
        """The first template of this style, palette and light, each where it is given; made where there is none."""
        given = {"style": style, "palette": palette_, "light": light_}
        asked = {name: value for name, value in given.items() if value is not None}
        if style is not None:
            _check_style(style)
        if palette_ is not None:
            palette(palette_)
        if light_ is not None:
            light(light_)
        for template in self._all.values():
            if all(getattr(template, name) == value for name, value in asked.items()):
                return template
        like = next(t for t in self._all.values() if style is None or t.style == style)
        made = like.model_copy(update=asked)
        tags = (made.style, made.palette, made.light, *palette(made.palette).tags)
        name = f"{made.style}-{made.palette}-{made.light.replace('_', '-')}"
        return made.model_copy(update={"name": name, "tags": tags})


def library(folder: Path | None = None) -> Library:
    """The matrix, and the templates of a folder, which take the place of those with the same name."""
    if folder is not None and not folder.is_dir():
        raise Permanent(f"There is no folder {folder} with templates (--templates, JEWEL_TEMPLATES).")
    own = [read(path) for path in sorted(folder.glob("*.toml"))] if folder else []
    return Library([*matrix(), *own])


@cache
def matrix() -> tuple[Template, ...]:
    """The templates of `matrix.toml`, in its order."""
    told = tomllib.loads(files("jewel_assets.promote").joinpath("matrix.toml").read_text())
    found = []
    places = [tuple(place) for place in told["places"]]
    for suit in told["suit"]:
        for row, colours in enumerate(suit["palettes"]):
            for column, lit in enumerate(suit["lights"]):
                x, y, scale = places[(row + 2 * column) % len(places)]
                found.append(
                    Template(
                        name=f"{suit['style']}-{colours}-{lit.replace('_', '-')}",
                        style=suit["style"],
                        palette=colours,
                        light=lit,
                        x=x,
                        y=y,
                        scale=scale,
                        sharpen=suit.get("sharpen", 0.0),
                        tags=(suit["style"], colours, lit, *palette(colours).tags),
                    )
                )
    return tuple(found)


def read(path: Path) -> Template:
    """The template in a TOML file; its name is the file's unless it says so. Raises Permanent, naming the key."""
    try:
        told: Mapping[str, object] = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Permanent(f"The template {path} cannot be read as TOML: {error}.") from error
    try:
        told = _with_texture(told, path.parent)
    except (Permanent, RuntimeError, ValueError) as error:  # no such file or home directory, or no name of a file
        raise Permanent(f"The template {path}, texture: {error}") from error
    try:
        name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "template"
        template = Template.model_validate({"name": name, **told})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        if first["type"] == "value_error":
            raise Permanent(f"The template {path}: {first['ctx']['error']}.") from error
        known = ", ".join(Template.model_fields)
        what = f"it is no key of a template ({known})" if first["type"] == "extra_forbidden" else first["msg"]
        raise Permanent(f"The template {path}, {key}: {what}.") from error
    if template.style not in STYLES and not (template.style == PICTURE and template.texture):
        near = difflib.get_close_matches(template.style, STYLES, n=3, cutoff=0.3) or sorted(STYLES)
        raise Permanent(f"The template {path}, style: there is no {template.style!r}: choose one of {', '.join(near)}.")
    for key, look_up in (("palette", palette), ("light", light)):
        try:
            look_up(getattr(template, key))
        except Permanent as error:
            raise Permanent(f"The template {path}, {key}: {error}") from error
    return template


def _with_texture(told: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """A template's keys with the texture's place and hash, and what a picture makes needless: style and palette."""
    source = told.get("texture", "")
    if not isinstance(source, str):
        raise Permanent(f"{source!r} is no picture: write its path or URL in quotes.")
    if not source:
        return told
    from jewel_assets.promote.textures import sha256_of, texture_file

    if "://" not in source:
        source = str((folder / Path(source).expanduser()).resolve())
    given = {"style": PICTURE, "texture_sha256": "", **told, "texture": source}
    if not given["texture_sha256"]:
        given["texture_sha256"] = sha256_of(source)
    if "palette" not in given:
        given["palette"] = "graphite" if texture_file(source).is_dark else "pearl"
    return given
