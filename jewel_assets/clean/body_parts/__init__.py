"""The body-part filter: which photos show hands, faces, bodies or skin, judged on the whole photo."""

from jewel_assets.clean.body_parts.detectors import Detectors, choose_detectors
from jewel_assets.clean.body_parts.judge import (
    PERSON_SCORES,
    TAKEN_UNSEEN,
    JudgeBodyParts,
    KeepProducts,
    Thresholds,
    nearly_person,
)

__all__ = [
    "PERSON_SCORES",
    "TAKEN_UNSEEN",
    "Detectors",
    "JudgeBodyParts",
    "KeepProducts",
    "Thresholds",
    "choose_detectors",
    "nearly_person",
]
