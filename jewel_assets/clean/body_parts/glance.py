"""A first look at one photo, for commands: whether it is worth while to load all detectors for it."""

from jewel_assets.clean.body_parts.detectors import Detectors, OpenDetectors, choose_detectors
from jewel_assets.clean.body_parts.skin import limb_share
from jewel_assets.clean.body_parts.thresholds import nearly_person
from jewel_assets.images import Pixels, fit
from jewel_assets.registry import Registry

LONGEST_SIDE = 640  # pixels


def shows_person(pixels: Pixels) -> str | None:
    """What of a person a photo (h, w, 3) shows ("person: hand"), empty where it shows none.

    None where the detectors for hands or faces are not here, so that nobody can tell.

    Skin and YuNet are asked first, in 10 ms; only where one of them is near its limit are MediaPipe's networks loaded,
    which takes a second, and the verdict is `JudgeBodyParts`'.
    """
    detectors = choose_detectors(Registry.from_settings())
    if not (detectors.hands and (detectors.faces or detectors.yunet)):
        return None
    small = fit(pixels, LONGEST_SIDE)
    scores: dict[str, float | None] = dict.fromkeys(("skin", "face", "yunet", "hand", "hand_framed"))
    scores["skin"] = limb_share(small)
    if detectors.yunet:
        scores["yunet"] = OpenDetectors(Detectors(yunet=detectors.yunet), 1).yunet(small)
    if not nearly_person(scores):
        return ""
    from jewel_assets.clean.body_parts.judge import JudgeBodyParts

    judge = JudgeBodyParts(detectors)
    judge.setup(1)
    verdict, reason, _ = judge.judge(pixels)
    return reason if verdict == "reject" else ""
