"""The stage that fetches models: GLBs and the ZIPs of glTFs, kept byte for byte, once it is known that they are safe.

What is a model and what is an attack on whoever opens it is decided by `shape.foreign`, which opens them later: one
judge, one set of bounds, and nothing is kept that could not be read.
"""

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from jewel_assets.collect.answers import Received
from jewel_assets.collect.fetch_file import FILE_COLUMNS, FetchFile
from jewel_assets.lake.stages import Failed, Made, Rejected, Result
from jewel_assets.shape.foreign.archive import open_model
from jewel_assets.shape.foreign.unusable import Unusable

_MAY_PASS = ("not a model", "damaged file")
"""What a download that went wrong looks like: the next run tries it again."""


@dataclass(frozen=True)
class FetchModel(FetchFile):
    """Receives a model and keeps it as it is.

    An answer that is no model, whatever its status says, fails: "not a model", "damaged file". What is one and must not
    be opened is rejected: "zip bomb", "unsafe name", "too many members", "nested archive", "encrypted archive",
    "link in archive", "overlapping members", "no model in archive", ... (`shape.foreign.archive`).
    """

    name: ClassVar[str] = "fetch_model"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            *FILE_COLUMNS,
            pa.field("faces", pa.int64()),  # as the source says
            pa.field("archive_members", pa.int32()),  # files and folders of the ZIP; null for a GLB
            pa.field("unpacked_bytes", pa.int64()),  # of all members; of the GLB itself
        ]
    )

    threads: int = 2  # as many as the source has connections: a signed address does not wait for its turn
    batch_size: int = 4  # archives of a batch are in memory together, up to 200 MB each

    def told(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Beside what holds for every file, its number of faces."""
        return {**super().told(row), "faces": row["extra"].get("faces")}

    def keep(self, received: Received) -> tuple[Result, bytes | None]:
        """Judge it; open it as far as that takes, which unpacks no texture."""
        data = received.read()
        try:
            open_model(data)
            members, unpacked, media_type = _measured(data)
        except Unusable as error:
            if error.reason in _MAY_PASS:
                return Failed(error.reason, str(error)), None
            return Rejected(error.reason, error=str(error)), None
        columns = {"archive_members": members, "unpacked_bytes": unpacked}
        return Made(columns, f"{self.name} {self.version}", None, media_type), data


def _measured(data: bytes) -> tuple[int | None, int, str]:
    """Members, unpacked bytes and media type of a model that `open_model` has opened.

    Raises Unusable for a GLB that is not as long as it says (glTF 2.0, section 4.4.2).
    """
    if data[:4] == b"glTF":
        (length,) = struct.unpack_from("<I", data, 8)
        if length != len(data):
            raise Unusable(
                "damaged file", f"The GLB says that it has {length:,} bytes and has {len(data):,}. Download it again."
            )
        return None, length, "model/gltf-binary"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        return len(entries), sum(entry.file_size for entry in entries), "application/zip"
