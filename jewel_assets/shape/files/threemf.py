"""3MF: castings with their names, parts and unit, for printers.

The 3MF Core Specification, 1.3: a ZIP with the model as XML. Each casting is an object; one of several bodies is an
object of components, so that slicers show the bodies by name and print their union (section 4.2, "components"). Equal
pieces give equal bytes, which is why neither dates nor random identifiers are written.
"""

import io
import zipfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from manifold3d import Manifold

from jewel_assets.shape.files.looks import display_colour
from jewel_assets.shape.files.solids import casting_groups, stored, triangles
from jewel_assets.shape.piece import Piece

_CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="model" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_3mf(piece: Piece, path: str | Path | None = None, stones: bool = False) -> bytes:
    """The castings of a piece as 3MF in millimetres, body by body; with `stones` also the stones, an object each."""
    groups = [
        (name, [(body.name, body.material, body.solid) for body in bodies]) for name, bodies in casting_groups(piece)
    ]
    if stones:
        groups += [(body.name, [(body.name, body.material, body.solid)]) for body in piece.bodies if body.kind == "gem"]
    materials = list(dict.fromkeys(material for _, parts in groups for _, material, _ in parts))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            ("3D/3dmodel.model", _model(piece, groups, materials)),
        ):
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, text)
    return stored(content.getvalue(), path)


def _model(piece: Piece, groups: list[tuple[str, list[tuple[str, str, Manifold]]]], materials: list[str]) -> str:
    objects: list[str] = []
    items: list[str] = []
    number = 1  # the materials
    for name, parts in groups:
        children = []
        for part_name, material, solid in parts:
            number += 1
            children.append(number)
            objects.append(_object(number, part_name, materials.index(material), solid))
        if len(children) > 1:
            number += 1
            components = "".join(f'<component objectid="{child}"/>' for child in children)
            assembly = (
                f'<object id="{number}" type="model" name={quoteattr(name)}><components>{components}</components>'
            )
            objects.append(assembly + "</object>\n")
        items.append(f'<item objectid="{number}"/>')
    bases = "".join(
        f'<base name={quoteattr(material)} displaycolor="#{bytes(display_colour(material)).hex().upper()}"/>'
        for material in materials
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-US" xmlns="{_CORE}">\n'
        f'<metadata name="Title">{_escaped(piece.category)}, {_escaped(piece.family)}</metadata>\n'
        f'<metadata name="Application">jewel-assets</metadata>\n'
        f'<resources>\n<basematerials id="1">{bases}</basematerials>\n{"".join(objects)}</resources>\n'
        f"<build>{''.join(items)}</build>\n</model>\n"
    )


def _object(number: int, name: str, material: int, solid: Manifold) -> str:
    vertices, faces = triangles(solid)
    # Five decimals are 10 nanometres: finer than any machine, and coarse enough to keep the file small.
    corners = "".join(f'<vertex x="{x:.5f}" y="{y:.5f}" z="{z:.5f}"/>' for x, y, z in vertices.tolist())
    sides = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in np.asarray(faces).tolist())
    return (
        f'<object id="{number}" type="model" name={quoteattr(name)} pid="1" pindex="{material}"><mesh>'
        f"<vertices>{corners}</vertices><triangles>{sides}</triangles></mesh></object>\n"
    )


def _escaped(text: str) -> str:
    return quoteattr(text)[1:-1]
