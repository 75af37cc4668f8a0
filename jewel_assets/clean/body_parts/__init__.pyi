from .detectors import Detectors, choose_detectors
from .judge import (
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
