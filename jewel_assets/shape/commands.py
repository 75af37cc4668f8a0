"""`jewel shape`: draw designs, build them, check whether they can be cast, photograph them.

Geometry and renderer are imported by the commands that need them, so that `jewel --help` stays quick.
"""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from jewel_assets.categories import CATEGORIES, category_of
from jewel_assets.errors import Permanent
from jewel_assets.lake.commands import AsJson, print_json, print_table
from jewel_assets.shape.catalogue.presets import Preset, Variant

if TYPE_CHECKING:
    from jewel_assets.shape.designs.base import Design
    from jewel_assets.shape.render import Render

app = typer.Typer(no_args_is_help=True, help="Parametric jewellery: draw, vary, build, check, photograph.")

Unit = Literal["m", "cm", "mm", "in"]
Style = Literal["studio", "grey", "coloured", "velvet", "marble", "wood", "skin"]
Pose = Literal["upright", "leaning", "lying", "face up", "hanging", "on its side"]

CANNOT_BE_CAST, UNREADABLE = 1, 2
"""Exit codes of `check`; 0 is castable."""

DesignFile = Annotated[Path, typer.Argument(metavar="DESIGN.json", help="A design, as `sample` writes it.")]
Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write; made if need be.")]
Count = Annotated[int, typer.Option(min=1, max=10_000, help="How many.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Another seed, other designs.")]
Sheet = Annotated[bool, typer.Option("--sheet/--no-sheet", help="Also draw contact-sheet.jpg.")]
Alloy = Annotated[str | None, typer.Option(metavar="ALLOY", help='"18k-yellow", "925-silver", "950-platinum", ...')]


@app.command()
def families(
    name: Annotated[str | None, typer.Argument(metavar="[FAMILY]", help="Its fields, ranges and units.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the families of designs by category; with a name, the fields of that family (--json: its JSON schema)."""
    from jewel_assets.shape.designs import FAMILIES

    if name is not None:
        kind = FAMILIES[_family(name)]
        if as_json:
            print_json(kind.model_json_schema())
            return
        typer.echo(f"{_family(name)} ({kind.category}): {_first_sentence(kind.__doc__)}")
        lines = [["field", "default", "range", "what it is"]]
        for field, facts in kind.facts().items():
            if field != "family":
                default = facts.spelled(kind.model_fields[field].get_default())
                lines.append([field, default, _short(facts.range), facts.description])
        print_table(lines, right=())
        return
    if as_json:
        print_json({name: kind.category for name, kind in FAMILIES.items()})
        return
    lines = [["category", "family", "what it is"]]
    for category in CATEGORIES:
        lines += [[category, n, _first_sentence(k.__doc__)] for n, k in FAMILIES.items() if k.category == category]
    print_table(lines, right=())


@app.command()
def sample(
    what: Annotated[str, typer.Argument(metavar="CATEGORY|FAMILY", help="ring, earrings, ... or solitaire, halo, ...")],
    folder: Folder,
    count: Count = 12,
    seed: Seed = 0,
    sheet: Sheet = True,
) -> None:
    """Draw designs of a category, its families in turn, or of one family: a JSON file each, and a contact sheet."""
    import numpy as np

    from jewel_assets.shape.designs import FAMILIES, samples

    category = category_of(what) if what not in FAMILIES else None
    if category is not None:
        drawn: Sequence[Design] = samples(category, seed, count)
    else:
        family = FAMILIES[_family(what)]
        drawn = [family.draw(np.random.default_rng([seed, number])) for number in range(count)]
        category = family.category
    _write_designs(folder, [(f"{category}-{number:04d}", design) for number, design in enumerate(drawn, 1)], sheet)


@app.command()
def vary(
    design: DesignFile,
    folder: Folder,
    count: Count = 8,
    amount: Annotated[float, typer.Option(min=0, max=1, help="0 the same, 1 nearly any of the family.")] = 0.3,
    seed: Seed = 0,
    sheet: Sheet = True,
) -> None:
    """Draw variants of a design: near ones for a small amount, far ones for a large."""
    from jewel_assets.shape import designs

    start = designs.load(design)
    made = [(f"{design.stem}-variant-{n:02d}", designs.vary(start, seed + n, amount)) for n in range(1, count + 1)]
    _write_designs(folder, [(design.stem, start), *made], sheet)


@app.command()
def blend(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="A design.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="Another of the same category.")],
    folder: Folder,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Steps between the two.")] = 1,
    sheet: Sheet = True,
) -> None:
    """Make the designs between two designs of one category, in equal steps."""
    from jewel_assets.shape import designs

    a, b = designs.load(first), designs.load(second)
    try:
        between = [designs.blend(a, b, step / (count + 1)) for step in range(1, count + 1)]
    except ValueError as error:
        raise Permanent(f"{first.name} and {second.name}: {error}.") from error
    made = [(f"{first.stem}-{second.stem}-{n:02d}", design) for n, design in enumerate(between, 1)]
    _write_designs(folder, [(first.stem, a), *made, (second.stem, b)], sheet)


@app.command()
def build(
    design: DesignFile,
    alloy: Alloy = None,
    size: Annotated[
        str | None, typer.Option(metavar="SIZE", help='"US 7", "UK N", "EU 54", "JP 13", "17.3 mm".')
    ] = None,
    glb: Annotated[Path | None, typer.Option("--out", metavar="FILE.glb", help="To look at: metal and stones.")] = None,
    stl: Annotated[Path | None, typer.Option(metavar="FILE.stl", help="To print or cast: the metal, mm.")] = None,
    ply: Annotated[Path | None, typer.Option(metavar="FILE.ply", help="The same with colours.")] = None,
    threemf: Annotated[Path | None, typer.Option("--3mf", metavar="FILE.3mf", help="To print, with names.")] = None,
    detail: Annotated[
        float, typer.Option(min=0.25, max=8, help="Facets: 0.5 a thumbnail, 1 to cast, 4 to weigh.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Build a design in an alloy and a ring size; write files; print weight, carats, size."""
    from jewel_assets.shape import files
    from jewel_assets.shape.orders import facts_of, ordered

    piece = ordered(design, alloy, size).build(detail)
    written: dict[Path, int] = {}
    for path, write in (
        (glb, files.write_glb),
        (stl, files.write_stl),
        (ply, files.write_ply),
        (threemf, files.write_3mf),
    ):
        if path is not None:
            written[path] = _stored(path, write(piece))
    facts = facts_of(piece)
    if as_json:
        print_json(facts | {"files": {str(path): size for path, size in written.items()}})
        return
    typer.echo(f"{piece.family}, {facts['alloy']}")
    stones = f", stones {facts['carats']:.2f} ct ({len(piece.stones)})" if piece.stones else ""
    typer.echo(f"weight {facts['grams']:.2f} g{stones}")
    if "ring size" in facts:
        typer.echo("ring size " + facts["ring size"])
    typer.echo("outside " + " x ".join(f"{side:.2f}" for side in facts["size_mm"]) + " mm")
    for path, count in written.items():
        typer.echo(f"{path}  {count:,} bytes")


@app.command()
def check(
    mesh: Annotated[Path, typer.Argument(metavar="FILE", help="STL, OBJ, PLY, 3MF, GLB, glTF; or a design's JSON.")],
    profile: Annotated[
        str | None, typer.Option(metavar="PROFILE", help="gold, silver, platinum or resin; by the metal unless given.")
    ] = None,
    unit: Annotated[Unit | None, typer.Option(help="What one unit of the file is; guessed unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a mesh can be cast: what is wrong, where, and what to change.

    Exit code 0: castable; 1: not as it is; 2: it could not be read.
    """
    from jewel_assets.shape import castability
    from jewel_assets.shape.orders import to_check

    try:
        subject, notes = to_check(mesh, unit)
        report = castability.check(subject, profile, mesh.name)
    except Permanent as error:
        if as_json:
            print_json({"castable": None, "error": str(error)})
        typer.echo(str(error), err=True)
        raise typer.Exit(UNREADABLE) from error
    if as_json:
        print_json(json.loads(report.json_text()) | {"notes": list(notes)})
    else:
        typer.echo(report.text())
        for note in notes:
            typer.echo(f"  note: {note}")
    if not report.castable:
        raise typer.Exit(CANNOT_BE_CAST)


@app.command()
def render(
    mesh: Annotated[Path, typer.Argument(metavar="FILE", help="A GLB of `build`, a design's JSON, or anyone's mesh.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.png", help="PNG, JPEG or WebP, by its name.")],
    style: Annotated[Style | None, typer.Option(help="The ground. Drawn by the preset unless given.")] = None,
    shade: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its colour or kind; the style's first else.")
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help="catalogue: as a shop does; randomised: any light and view.")
    ] = "catalogue",
    pose: Annotated[Pose | None, typer.Option(help="How the piece is put before the camera.")] = None,
    alloy: Annotated[
        str | None, typer.Option(metavar="ALLOY", help="The metal; needed for a mesh that does not say its own.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="CATEGORY", help="Of a mesh that does not say its own.")
    ] = None,
    size: Annotated[int, typer.Option(min=16, max=4096, help="Pixels, each side.")] = 512,
    samples: Annotated[int, typer.Option(min=1, max=65536, help="Paths per pixel.")] = 48,
    seed: Seed = 0,
    variant: Annotated[
        Variant, typer.Option(help="scalar_rgb repeats bit for bit; auto is the fastest here.")
    ] = "auto",
    truth: Annotated[bool, typer.Option("--truth", help="Also write mask, normals, depth, parts and scene.")] = False,
) -> None:
    """Photograph a piece."""
    from pydantic import ValidationError

    from jewel_assets.shape.orders import seen
    from jewel_assets.shape.render import preset as shot_of
    from jewel_assets.shape.render import render as photograph

    if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise typer.BadParameter(f"{out} must end in .png, .jpg or .webp.")
    surfaces, kind, family, notes = seen(mesh, alloy, category)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    chosen = {"style": style, "shade": shade, "pose": pose}
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    if preset == "catalogue" and style is None:
        given["style"] = "studio"
    try:
        shot = shot_of(preset, kind, seed, family, size=(size, size), samples=samples, variant=variant, **given)
    except ValidationError as error:
        raise Permanent(" ".join(_fault(fault) for fault in error.errors(include_url=False))) from error
    photo = photograph(surfaces, shot, kind)
    _stored(out, _encoded(photo, out.suffix.lower()))
    engine, ran = (photo.parameters[name] for name in ("engine", "variant"))
    typer.echo(f"{out}  {size} x {size}, {shot.style}, {shot.ground}; {engine}, {ran}")
    if truth:
        from jewel_assets.shape.catalogue.truth import truth_files

        for name, data in truth_files(photo).items():
            path = out.with_suffix(f".{name}.{'json' if name == 'scene' else 'png'}")
            _stored(path, data)
            typer.echo(str(path))


@app.command("sample-catalogue")
def sample_catalogue(
    folder: Folder,
    per_category: Annotated[int, typer.Option(min=1, max=9999, help="Pictures of each category.")] = 16,
    seed: Seed = 1,
    size: Annotated[int, typer.Option(min=32, max=4096, help="Pixels, each side.")] = 512,
    samples: Annotated[int, typer.Option(min=1, max=65536, help="Paths per pixel.")] = 96,
    preset: Annotated[Preset, typer.Option(help="randomised: mixed backgrounds; catalogue: white.")] = "randomised",
    max_mb: Annotated[float, typer.Option(min=0.01, help="Million bytes of all files together.")] = 6.0,
    variant: Annotated[Variant, typer.Option(help="scalar_rgb repeats bit for bit.")] = "scalar_rgb",
) -> None:
    """Make a folder of photos of castable pieces of every category, with masks, licences and how it was made.

    The sample that ships with the project was made by this. Stopped, it goes on where it was when run again.
    """
    from jewel_assets.shape.catalogue.sample import SampleNumbers, make_sample
    from jewel_assets.shape.render import variants

    if variant == "auto":
        variant = variants.choose()  # type: ignore[assignment]
    numbers = SampleNumbers(per_category, seed, size, samples, preset, max_mb, variant)
    total = make_sample(folder, numbers, typer.echo)
    typer.echo(f"{folder}: {per_category * len(CATEGORIES)} pictures, {total / 1e6:.2f} MB")


def _family(name: str) -> str:
    """A family by its name, in any case. Raises Permanent with the nearest families and categories."""
    from jewel_assets.shape.designs import FAMILIES

    plain = {_plain(family): family for family in FAMILIES}
    if _plain(name) in plain:
        return plain[_plain(name)]
    near = difflib.get_close_matches(_plain(name), [*plain, *CATEGORIES], n=3, cutoff=0.5)
    hint = ", ".join(repr(plain.get(each, each)) for each in near)
    said = f"the nearest are {hint}" if near else f"the categories are {', '.join(CATEGORIES)}"
    raise Permanent(f"There is no category or family {name!r}: {said}. `jewel shape families` lists them.")


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", " ").replace("_", " ")


def _write_designs(folder: Path, named: Sequence[tuple[str, "Design"]], sheet: bool) -> None:
    """A JSON file per design, named after it and its family; and what they look like, in one picture."""
    pictures, captions = [], []
    for name, design in named:
        family = design.family.replace(" ", "-")
        stem = name if name.endswith(family) else f"{name}-{family}"
        text = json.dumps(design.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
        _stored(folder / f"{stem}.json", text.encode())
        typer.echo(str(folder / f"{stem}.json"))
        if sheet:
            from jewel_assets.shape.catalogue.preview import preview

            pictures.append(preview(design.build(0.5), design.category, design.family))
            captions.append(stem)
    if sheet:
        from jewel_assets.contact_sheet import contact_sheet

        _stored(folder / "contact-sheet.jpg", contact_sheet(pictures, captions, cell=192))
        typer.echo(str(folder / "contact-sheet.jpg"))


def _encoded(photo: "Render", suffix: str) -> bytes:
    from jewel_assets.images import encode_jpeg, encode_png

    if suffix == ".png":
        return encode_png(photo.image)
    if suffix == ".webp":
        import io

        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(photo.image).save(file, "WEBP", quality=92)
        return file.getvalue()
    return encode_jpeg(photo.image)


def _stored(path: Path, data: bytes) -> int:
    """Write a file, whole or not at all; how many bytes. Raises Permanent where that cannot be."""
    half = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(data)
        half.replace(path)
    except OSError as error:
        _refuse(path, error)
    return len(data)


def _refuse(path: Path, error: OSError) -> NoReturn:
    raise Permanent(f"{path} cannot be written ({error.strerror or error}): choose another place.") from error


def _fault(fault: Any) -> str:
    """One sentence of a shot that cannot be taken."""
    field = ".".join(str(part) for part in fault["loc"])
    said = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else f"{field}: {fault['msg']}"
    return said if said.endswith(".") else f"{said}."


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split(".")[0].split())


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 4].rstrip(', ')} ..."
