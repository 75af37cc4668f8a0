"""Templates: which plate, in which colours, under which light, and where the piece lies on it.

The library is a matrix of styles, palettes and lights that suit each other, `matrix.toml`; a user's own template is a
TOML file with the fields of `Template`, dropped into a folder.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jewel_assets.errors import Permanent
from jewel_assets.promote.lights import light
from jewel_assets.promote.palettes import palette
from jewel_assets.promote.plates import STYLES


class Template(BaseModel):
    """All that a promotional image depends on besides the piece and the seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=80)
    style: str
    palette: str
    light: str
    x: float = Field(0.5, ge=0, le=1)  # of the piece's middle
    y: float = Field(0.5, ge=0, le=1)
    scale: float = Field(1.0, ge=0.2, le=1.8)
    turn: float = Field(0.0, ge=-180, le=180)  # degrees, counter-clockwise
    arrangement: Literal["single", "pair"] = "single"  # a pair is the piece and its mirror image
    mode: Literal["strict", "relit"] = "strict"
    relight: float = Field(1.0, ge=0, le=1)  # of the gain, in mode relit
    vignette: float = Field(0.22, ge=0, le=1)
    tags: tuple[str, ...] = ()


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
        if style is not None and style not in STYLES:
            near = difflib.get_close_matches(style, STYLES, n=3, cutoff=0.3) or sorted(STYLES)
            raise Permanent(f"There is no style {style!r}: choose one of {', '.join(near)}.")
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
        name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "template"
        template = Template.model_validate({"name": name, **told})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        known = ", ".join(Template.model_fields)
        what = f"it is no key of a template ({known})" if first["type"] == "extra_forbidden" else first["msg"]
        raise Permanent(f"The template {path}, {key}: {what}.") from error
    if template.style not in STYLES:
        near = difflib.get_close_matches(template.style, STYLES, n=3, cutoff=0.3) or sorted(STYLES)
        raise Permanent(f"The template {path}, style: there is no {template.style!r}: choose one of {', '.join(near)}.")
    for key, look_up in (("palette", palette), ("light", light)):
        try:
            look_up(getattr(template, key))
        except Permanent as error:
            raise Permanent(f"The template {path}, {key}: {error}") from error
    return template
