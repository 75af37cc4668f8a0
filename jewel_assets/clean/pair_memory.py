"""What earlier runs found about pairs of pictures, so that a few new photos do not cost a search from the start.

How alike two pictures are follows from their pixels alone, so an answer once found stays true. The memory is a cache:
it changes no decision, may be deleted at any time, and what cannot be read costs time only.
"""

import hashlib
import logging
import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.clean.likeness import Likeness
from jewel_assets.clean.same_picture import COMPARISON

log = logging.getLogger(__name__)

RECORD = np.dtype([("pair", "<u8"), ("likeness", "<f4", (5,))])
"""28 bytes a pair: a hash of the two pixel hashes, and the fields of its `Likeness`, NaN where there is none."""


@dataclass(frozen=True)
class PairMemory:
    """A folder with one file per name; all of them are read, only its own is written. A picklable address, no state.

    A file holds the pairs of the last run under its name and nothing older: it cannot outgrow the photos there are.
    """

    folder: Path
    name: str

    def recalled(self) -> "Recollection":
        """All that is known now. A file that cannot be read is passed over with a warning."""
        known = []
        for file in sorted(self.folder.glob(f"*.{COMPARISON}.npy")):
            try:
                records = np.load(file, allow_pickle=False)
                if records.dtype != RECORD or records.ndim != 1:
                    raise ValueError(f"it holds {records.dtype} of shape {records.shape}")
            except (OSError, ValueError, EOFError) as error:
                log.warning("The memory of compared pairs %s cannot be read and is passed over: %s.", file, error)
                continue
            known.append(records)
        return Recollection(np.concatenate(known) if known else np.zeros(0, RECORD))

    def remember(self, asked: dict[int, Likeness | None]) -> None:
        """Replace the file by these pairs, in one step. A folder that cannot be written to costs a warning."""
        records = np.zeros(len(asked), RECORD)
        records["pair"] = np.fromiter(asked, np.uint64, len(asked))
        for row, alike in enumerate(asked.values()):
            records["likeness"][row] = np.nan if alike is None else astuple(alike)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as part:
                np.save(part, records)
            Path(part.name).replace(self.folder / f"{self.name}.{COMPARISON}.npy")
            for stale in self.folder.glob(f"{self.name}.*.npy"):  # of earlier versions of the comparison
                if stale.name != f"{self.name}.{COMPARISON}.npy":
                    stale.unlink(missing_ok=True)
        except OSError as error:
            log.warning("The memory of compared pairs in %s cannot be written: %s.", self.folder, error)


class Recollection:
    """What is known of pairs, by their keys; and all that was asked for or learnt since, to be remembered."""

    def __init__(self, records: NDArray[Any] | None = None) -> None:
        records = np.zeros(0, RECORD) if records is None else records
        self.records = records[np.argsort(records["pair"], kind="stable")]
        self.asked: dict[int, Likeness | None] = {}

    def knows(self, key: int) -> bool:
        """Whether this pair has been compared; if so its likeness is in `asked`."""
        if key not in self.asked:
            place = int(np.searchsorted(self.records["pair"], np.uint64(key)))
            if place == len(self.records) or int(self.records["pair"][place]) != key:
                return False
            values = [float(value) for value in self.records["likeness"][place]]
            self.asked[key] = None if np.isnan(values[0]) else Likeness(*values)
        return True


def pair_key(hash_a: str, hash_b: str) -> int:
    """64 bits for two pixel hashes, in either order. Of a million pairs two share a key once in 37 million times."""
    joined = "".join(sorted((hash_a, hash_b)))
    return int.from_bytes(hashlib.sha256(joined.encode()).digest()[:8], "big")
