from .detectors import Detectors, choose_detectors
from .glance import shows_person
from .judge import TAKEN_UNSEEN, JudgeBodyParts, KeepProducts
from .thresholds import PERSON_SCORES, Thresholds, nearly_person

__all__ = [
    "PERSON_SCORES",
    "TAKEN_UNSEEN",
    "Detectors",
    "JudgeBodyParts",
    "KeepProducts",
    "Thresholds",
    "choose_detectors",
    "nearly_person",
    "shows_person",
]
