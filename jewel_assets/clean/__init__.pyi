from .body_parts import Detectors, JudgeBodyParts, KeepProducts, choose_detectors
from .cutouts import RemoveBackground
from .duplicates import DropDuplicates, remembering
from .fingerprints import FingerprintPhoto, with_fingerprints
from .likeness import TEXTURE_LIMITS
from .pool import PoolImages, split_counts
from .removal import Remover, choose_remover, cut_out
from .review import waiting_for_review
from .texture_fingerprints import FingerprintTexture

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
