"""`jewel promote`: promotional images of one photo or a folder of them, the library of templates, replays."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperGroup

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.promote.files import (
    MASK,
    check_unchanged,
    folder_of,
    guard,
    is_done,
    photos_in,
    targets_of,
    write_file,
    write_image,
)
from jewel_assets.settings import settings

if TYPE_CHECKING:
    from jewel_assets.promote.batch import Made, NotMade
    from jewel_assets.promote.exports import Post
    from jewel_assets.promote.finish import Finish
    from jewel_assets.promote.piece import Piece
    from jewel_assets.promote.templates import Template

CELL = 220  # pixels, of a contact sheet
THUMBNAIL = 360  # pixels, of the sheet of templates


class _RenderUnlessNamed(TyperGroup):
    """`jewel promote photo.jpg` means `jewel promote render photo.jpg`."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["render", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RenderUnlessNamed,
    no_args_is_help=True,
    help="Promotional images: `jewel promote photo.jpg --style velvet --light moody --seed 7 --out promo.jpg`.",
)

Own = Annotated[
    Path | None, typer.Option("--templates", metavar="DIR", help="A folder of templates of your own (TOML).")
]


@app.command()
def render(
    source: Annotated[
        Path, typer.Argument(metavar="PHOTO|FOLDER", help="A photo, a cut-out (PNG), a mesh (GLB), or a folder.")
    ],
    template: Annotated[list[str], typer.Option(help="A template's name; may be given several times.")] = [],  # noqa: B006
    style: Annotated[str | None, typer.Option(help="velvet, marble, silk, ...: instead of a template.")] = None,
    palette: Annotated[str | None, typer.Option(help="midnight, ivory, wine, ...")] = None,
    light: Annotated[str | None, typer.Option(help="moody, studio, spotlight, ...")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Another seed, another plate.")] = 0,
    size: Annotated[str, typer.Option(metavar="WxH", help="Pixels.")] = "1080x1080",
    mode: Annotated[
        str | None, typer.Option(help="strict: the photo's own pixels; relit: under the scene's light.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="ring, earrings, ...: else guessed from the shape.")] = None,
    mask: Annotated[Path | None, typer.Option(help="A mask of your own, white where the piece is.")] = None,
    out: Annotated[Path | None, typer.Option(help="The image, or a folder for several.")] = None,
    archive: Annotated[
        Path | None, typer.Option("--zip", help="Instead of files: a package for Instagram, with captions and records.")
    ] = None,
    tone: Annotated[
        str, typer.Option(help="Of the captions in the ZIP: elegant, playful, minimal, festive.")
    ] = "elegant",
    language: Annotated[str, typer.Option(help="Of the captions: en, de, fr, or your own.")] = "en",
    lut: Annotated[Path | None, typer.Option(help="A colour grade for the ground (.cube).")] = None,
    logo: Annotated[Path | None, typer.Option(help="A logo (PNG), in a corner where the piece is not.")] = None,
    logo_place: Annotated[str, typer.Option(help="bottom right, bottom left, top right, top left.")] = "bottom right",
    logo_opacity: Annotated[float, typer.Option(help="0 to 1.")] = 0.85,
    text: Annotated[
        list[str], typer.Option(metavar="NAME=WORDS", help='Words on the image: headline="New in"; repeatable.')
    ] = [],  # noqa: B006
    font: Annotated[Path | None, typer.Option(help="A font for them (TTF, OTF).")] = None,
    sharpen: Annotated[float | None, typer.Option(min=0, max=1, help="Of the ground, 0 to 1.")] = None,
    sparkle: Annotated[float | None, typer.Option(min=0, max=1, help="Stars on highlights, with --mode relit.")] = None,
    upscale: Annotated[
        str, typer.Option(help="Of a small photo: lanczos, or with --mode relit real-esrgan (extra `ml`).")
    ] = "lanczos",
    beside: Annotated[
        list[Path], typer.Option(metavar="PHOTO", help="Another side of the piece, in the same picture; repeatable.")
    ] = [],  # noqa: B006
    pair: Annotated[bool, typer.Option("--pair", help="The piece and its mirror image.")] = False,
    permission: Annotated[
        str, typer.Option(help="Who permits to publish what a licence beside the photos leaves open: a sentence.")
    ] = "",
    with_people: Annotated[bool, typer.Option("--with-people", help="Take photos that show a person, too.")] = False,
    doubtful: Annotated[
        bool, typer.Option("--doubtful", help="Take cut-outs whose mask is not to be trusted, too.")
    ] = False,
    samples: Annotated[int, typer.Option(min=4, max=4096, help="Of a mesh (.glb): paths per pixel.")] = 64,
    variant: Annotated[
        str, typer.Option(help="Of Mitsuba: auto is the fastest here, scalar_rgb repeats bit for bit.")
    ] = "auto",
    sheet: Annotated[Path | None, typer.Option(help="Also a contact sheet (JPEG) of what was made.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes for a folder; 0: as many as there are cores.")] = 0,
    texture: Annotated[
        Path | None, typer.Option(help="A picture of a surface to lay it on; --style says what it is made of.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="procedural, or diffusion: a network paints the plate (extra `ml`).")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="DIR|NAME", help="Of the diffusion: a folder of diffusers, or a model's name.")
    ] = "",
    prompt: Annotated[str, typer.Option(help="What the network paints; else told from the template.")] = "",
    templates: Own = None,
) -> None:
    """Make promotional images; beside each stands a JSON record from which `again` makes it anew."""
    from jewel_assets.images import fit
    from jewel_assets.promote.batch import Asked, make_all
    from jewel_assets.promote.finish import Finish
    from jewel_assets.promote.plates import PICTURE
    from jewel_assets.promote.rights import credits_of, told_of
    from jewel_assets.promote.templates import library, with_plates

    finish = Finish(lut, logo, cast("Any", logo_place), logo_opacity, _texts(text), font, cast("Any", upscale))
    known = library(templates or settings().templates)
    chosen = [known.get(name) for name in template]
    if not chosen or palette or light or (style and texture is None):  # beside a texture it is what that is made of
        chosen.append(known.find(style, palette, light))
    if mode is not None:
        if mode not in ("strict", "relit"):
            raise Permanent(
                f"There is no mode {mode!r}: strict keeps every pixel, relit lets the scene's light fall on it."
            )
        chosen = [one.model_copy(update={"mode": mode}) for one in chosen]
    if pair:
        chosen = [one.model_copy(update={"arrangement": "pair"}) for one in chosen]
    given = {name: value for name, value in (("sharpen", sharpen), ("sparkle", sparkle)) if value is not None}
    chosen = [one.model_copy(update=given) for one in chosen]
    pictures = []
    if texture is not None:
        from jewel_assets.promote.textures import texture_file

        pictures.append(texture_file(texture))
    chosen = with_plates(chosen, pictures, style or PICTURE, engine, model, prompt)
    chosen = list({one.name: one for one in chosen}.values())
    _check_category(category)
    photos = photos_in(source, archive.parent if archive else folder_of(out))
    if (beside or mask) and source.is_dir():
        raise Permanent(f"--beside and --mask belong to one photo, and {source} is a folder.")
    asked = Asked(
        tuple(chosen),
        seed,
        _pixels(size),
        finish,
        category,
        mask,
        tuple(beside),
        permission=permission,
        people=with_people,
        doubtful=doubtful,
        samples=samples,
        variant=variant,
    )
    credits_, problems = credits_of([*photos, *beside])
    for problem in problems:
        typer.echo(problem, err=True)
    failed: list[Path] = []
    shown: list[tuple[Any, str]] = []
    base = source if source.is_dir() else source.parent
    masks = (archive.parent if archive else folder_of(out), base)
    targets = {} if archive else targets_of(photos, chosen, source, out)
    here = []
    if len(targets) > 1:
        here = [photo for photo in photos if is_done(photo, asked, targets, told_of(credits_.get(photo)))]
    if here:
        photos = [photo for photo in photos if photo not in here]
        typer.echo(f"{len(here)} photos have all these images already.")
    found = make_all(photos, asked, workers or os.cpu_count() or 1, credits_)
    made = _told(found, len(photos), len(chosen), failed, masks)
    inputs = [*photos, *beside, *(path for path in (mask, texture, logo, lut, font) if path is not None)]
    if archive is not None:
        from jewel_assets.promote.captions import phrasebook
        from jewel_assets.promote.exports import pack

        if out is not None:
            raise Permanent("--zip writes a package and --out writes files: leave one of them out.")
        phrasebook(language, settings().captions)  # a language that is not there is told before the work
        guard(archive, inputs)
        package = pack((_post(one, tone, language) for one in made), archive)
        typer.echo(f"{archive}: {package.posts} posts, {package.bytes / 1e6:.1f} MB, ready for Instagram.")
    else:
        for path in targets.values():
            guard(path, inputs)
        for one in made:
            path = targets[one.photo, one.template.name]
            write_image(path, one.image, one.record)
            typer.echo(f"  {path}")
            if sheet is not None:
                shown.append((fit(one.image, CELL), f"{one.photo.stem}, {one.template.name}"))
        if sheet is not None and shown:
            from jewel_assets.contact_sheet import contact_sheet

            write_file(sheet, contact_sheet(*zip(*shown, strict=True), cell=CELL))
            typer.echo(f"  {sheet}")
    if failed:
        typer.echo(f"{len(failed)} of {len(photos)} photos gave no image.", err=True)
        raise typer.Exit(1)


@app.command()
def templates(
    pattern: Annotated[str, typer.Argument(metavar="[TEXT]", help="Only those with this in their name or tags.")] = "",
    sheet: Annotated[Path | None, typer.Option(help="Also draw a contact sheet (JPEG).")] = None,
    photo: Annotated[Path | None, typer.Option(help="The piece on the sheet: else the plates alone.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sheet's plates.")] = 0,
    own: Own = None,
) -> None:
    """List the templates; with --sheet, show them."""
    from jewel_assets.promote.templates import library

    found = [one for one in library(own or settings().templates) if pattern in one.name or pattern in one.tags]
    if not found:
        raise Permanent(f"No template has {pattern!r} in its name or tags: `jewel promote templates` lists them all.")
    for one in found:
        typer.echo(one.name)
    if sheet is not None:
        from jewel_assets.contact_sheet import contact_sheet

        piece = _cut(photo)[0] if photo else None
        pictures = [_thumbnail(piece, one, seed) for one in found]
        drawn = contact_sheet(pictures, [one.name for one in found], cell=220)
        try:
            sheet.write_bytes(drawn)
        except OSError as error:
            raise Permanent(f"{sheet} cannot be written: {error.strerror}.") from error
        typer.echo(f"{sheet}: {len(found)} templates.")


@app.command()
def again(
    record: Annotated[Path, typer.Argument(help="The JSON beside an image.")],
    photo: Annotated[Path | None, typer.Option(help="Where the photo lies now, if it was moved.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the image anew; else it is only compared.")] = None,
) -> None:
    """Make an image anew from its record, and say whether its pixels are the same (exit code 1 if not)."""
    from jewel_assets.collect.sidecars import Credit
    from jewel_assets.promote.batch import Asked, Maker, NotMade
    from jewel_assets.promote.templates import Template

    try:
        told = json.loads(record.read_text())
        one, seed = Template.model_validate(told["template"]), int(told["seed"])
        width, height = told["size"]
        size = _pixels(f"{width}x{height}")
        expected, category = str(told["pixels_sha256"]), str(told["category"])
        finish = _finish(told["finish"])
        if not 0 <= seed < 2**31:
            raise ValueError("its seed is out of range")
        if photo is None and "photo" not in told:
            raise ValueError("it names no photo: give its cut-out with --photo (`jewel lake export cutouts`)")
        source = photo or Path(told["photo"])
        mask = Path(told["mask"]) if told.get("mask") else None
        sides = [(Path(side["photo"]), str(side["category"])) for side in told.get("beside") or []]
        beside, categories = tuple(path for path, _ in sides), tuple(name for _, name in sides)
        credit = Credit(**told["licence"]) if told.get("licence") and "photo" in told else None
        samples, variant = int(told.get("samples", 64)), str(told.get("variant", "auto"))
        permission = str(told.get("permission") or "")
        for path, key in ((source, told), (mask, {"photo_sha256": told.get("mask_sha256")})):
            check_unchanged(path, key.get("photo_sha256"))
        for side in told.get("beside") or []:
            check_unchanged(Path(side["photo"]), side.get("photo_sha256"))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise Permanent(f"{record} is no record of a promotional image: {error}.") from error
    asked = Asked((one,), seed, size, finish, category, mask, beside, categories, permission, True, True, samples)
    asked = replace(asked, variant=variant)
    if out is not None:
        guard(out, [source, *beside, *([mask] if mask else [])])
    (made,) = Maker(asked, {source: credit} if credit else None).make([source])
    if isinstance(made, NotMade):
        raise Permanent(f"{made.photo}: {made.reason}: {made.sentence}")
    if made.record["pixels_sha256"] != expected:
        same_piece = made.record["piece_sha256"] == told.get("piece_sha256")
        why = "the renderer" if same_piece else "the cut-out"
        engines = f"record: {told.get('engine')}, now: {made.record['engine']}"
        raise Permanent(f"The image is another one: {why} has changed since ({engines}).")
    if out is not None:
        write_image(out, made.image, made.record)
    typer.echo(f"{record}: the same pixels ({expected[:12]}).")


def _cut(photo: Path, category: str | None = None, mask: Path | None = None) -> "tuple[Piece, str]":
    """The piece of a photo, and what cut it out. Raises Permanent where there is none."""
    from jewel_assets.promote.batch import Asked, Maker
    from jewel_assets.promote.piece import Unfit

    try:
        return Maker(Asked((), category=category, people=True, doubtful=True)).cut(photo, mask)
    except Unfit as unfit:
        raise Permanent(f"{photo}: {unfit.reason}: {unfit}") from unfit


def _check_category(category: str | None) -> None:
    if category is not None and category not in CATEGORIES:
        raise Permanent(f"There is no category {category!r}: choose one of {', '.join(CATEGORIES)}.")


def _told(
    found: "Iterator[Made | NotMade]", photos: int, each: int, failed: list[Path], masks: tuple[Path, Path]
) -> "Iterator[Made]":
    """The images one by one, told as they come; photos that give none are told, and added to `failed`.

    The mask of a cut-out that is not to be trusted is written into the first of `masks`, as the photo lies in the
    second: to be looked at, mended, given anew.
    """
    from jewel_assets.images import encode_png
    from jewel_assets.promote.batch import NotMade

    count, began, done = photos * each, time.monotonic(), 0
    for one in found:
        if isinstance(one, NotMade):
            failed.append(one.photo)
            done += each
            typer.echo(f"{one.photo}: {one.reason}: {one.sentence}", err=True)
            if one.mask is not None:
                path = masks[0] / one.photo.relative_to(masks[1]).with_name(f"{one.photo.name}{MASK}")
                write_file(path, encode_png(one.mask))
                typer.echo(f"  {path}", err=True)
            continue
        done += 1
        told = one.fidelity
        kept = f"Delta-E {told.delta_e:.1f}, detail {told.detail_psnr:.0f} dB" if told.difference else "unchanged"
        left = (time.monotonic() - began) / done * (count - done)
        still = f" ({done} of {count}, {left:.0f} s left)" if count > 1 else ""
        typer.echo(f"{one.photo.name}, {one.template.name}: product {kept}{still}")
        for warning in one.warnings:
            typer.echo(f"  {warning}")
        yield one


def _post(made: "Made", tone: str, language: str) -> "Post":
    """One image with its caption. Its record tells file names alone: a package goes to others."""
    from jewel_assets.promote.captions import Known, alt_text, write_caption
    from jewel_assets.promote.exports import FORMATS, FREE, Picture, Post
    from jewel_assets.promote.materials import look_at
    from jewel_assets.promote.posts import without_folders
    from jewel_assets.promote.rights import credit_line

    folder = settings().captions
    credits_ = [credit_line(made.record["licence"]), made.template.texture_credit or None]
    known = Known(
        made.piece.category,
        look_at(made.piece.rgba),
        made.template.style,
        made.template.name,
        credit="\n".join(filter(None, credits_)) or None,
    )
    seed = int(str(made.record["pixels_sha256"])[:8], 16)
    picture = Picture(made.image, without_folders(made.record), alt_text(known, language, folder))
    size = tuple(made.record["size"])
    form = next((one.name for one in FORMATS.values() if (one.width, one.height) == size), FREE)
    caption = write_caption(known, tone, language, seed, folder)
    return Post(f"{made.photo.stem}-{made.template.name}", (picture,), caption, form)


def _texts(given: Sequence[str]) -> dict[str, str]:
    """Words by the variable that they are for. Raises Permanent for what is not NAME=WORDS."""
    if wrong := next((one for one in given if "=" not in one), None):
        raise Permanent(f'--text {wrong!r}: write a name, "=" and the words, such as --text headline="New in".')
    return {name.strip(): words for name, _, words in (one.partition("=") for one in given)}


def _finish(told: Mapping[str, Any]) -> "Finish":
    """The finish that a record tells of. Raises Permanent where one of its files is another one by now."""
    from jewel_assets.promote.finish import FILES, Finish

    files = {name: Path(told[name]) for name in FILES if name in told}
    place, opacity = told.get("place", "bottom right"), told.get("opacity", 1.0)
    finish = Finish(
        place=place, opacity=opacity, texts=told.get("texts", {}), upscale=told.get("upscale", "lanczos"), **files
    )
    for name in files:
        if finish.told()[f"{name}_sha256"] != told[f"{name}_sha256"]:
            raise Permanent(f"{files[name]} is another file than the one that the image was made with.")
    return finish


def _thumbnail(piece: Any, template: "Template", seed: int) -> Any:
    from jewel_assets.promote.rendering import plate_alone
    from jewel_assets.promote.rendering import render as render_

    size = (THUMBNAIL, THUMBNAIL)
    return plate_alone(template, seed, size) if piece is None else render_(piece, template, seed, size).image


def _pixels(size: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in size.lower().split("x"))
    except ValueError:
        raise Permanent(f"--size {size!r} is no size: write width x height in pixels, such as 1080x1350.") from None
    if not (min(width, height) >= 64 and max(width, height) <= 8192):
        raise Permanent(f"--size {size}: each side must have 64 to 8192 pixels.")
    return width, height
