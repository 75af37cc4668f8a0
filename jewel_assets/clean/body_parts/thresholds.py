"""Where the evidence for a person begins: limits of the scores that `judge.py` measures."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Where evidence begins; set on one half of the photos of `benchmarks/body_parts.py`, reported on the other."""

    skin: float = 0.02  # share of the frame: a fingertip holding a ring
    face: float = 0.5  # BlazeFace
    sure_face: float = 0.7
    yunet: float = 0.6
    sure_yunet: float = 0.8
    pose: float = 0.6  # mean visibility, within a person mask of at least `pose_person`
    pose_person: float = 0.1
    sure_pose: float = 0.8  # where there is no segmenter to confirm it
    pose_on_skin: float = 0.5
    person_on_skin: float = 0.2  # share of the frame


PERSON_SCORES = ["skin", "face", "yunet", "hand", "hand_framed"]
"""The scores that speak for a person on their own."""


def nearly_person(scores: Mapping[str, float | None], margin: float = 0.8) -> bool:
    """Whether some score reaches `margin` of its weak threshold (any hand counts): a photo to look at once more."""
    limits = Thresholds()
    near = {"skin": limits.skin * margin, "face": limits.face * margin, "yunet": limits.yunet * margin}
    hands = max(scores["hand"] or 0.0, scores["hand_framed"] or 0.0) > 0
    return hands or any((scores[name] or 0.0) >= limit for name, limit in near.items())
