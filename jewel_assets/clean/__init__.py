"""From photos to cut-outs: duplicates, people, backgrounds. Import from the modules' public names here."""

from jewel_assets.clean.body_parts import Detectors, JudgeBodyParts, KeepProducts, choose_detectors
from jewel_assets.clean.cutouts import RemoveBackground
from jewel_assets.clean.duplicates import DropDuplicates, remembering
from jewel_assets.clean.fingerprints import FingerprintPhoto, with_fingerprints
from jewel_assets.clean.likeness import TEXTURE_LIMITS
from jewel_assets.clean.pool import PoolImages, split_counts
from jewel_assets.clean.removal import Remover, choose_remover, cut_out
from jewel_assets.clean.review import waiting as waiting_for_review
from jewel_assets.clean.texture_fingerprints import FingerprintTexture

__all__ = [
    "TEXTURE_LIMITS",
    "Detectors",
    "DropDuplicates",
    "FingerprintPhoto",
    "FingerprintTexture",
    "JudgeBodyParts",
    "KeepProducts",
    "PoolImages",
    "RemoveBackground",
    "Remover",
    "choose_detectors",
    "choose_remover",
    "cut_out",
    "remembering",
    "split_counts",
    "waiting_for_review",
    "with_fingerprints",
]
