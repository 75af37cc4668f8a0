"""Which photos show a person: keep, reject or review, with the scores behind it.

The rule is set by hand and can be read aloud. Four kinds of evidence are weighed:

| kind | weak | strong |
| --- | --- | --- |
| hand | a hand found in the photo, or in the photo with its border continued | in both |
| face | BlazeFace or YuNet above its lower threshold | one above its upper threshold, or both weak |
| skin | a skin-toned region shaped like a limb (`skin.py`) | never: colour alone rejects nothing |
| body | a pose within the person mask; on skin, less of either will do | never: busts have a pose too |

One strong or two weak ones reject, a single weak one is for a person to decide, none keeps. Busts, mannequins and
display hands are not people: one without skin colour has a body only, and goes to review as "perhaps a bust or
mannequin"; one in skin colour cannot be told from a person here and is rejected as one.

A photo is kept only if a hand detector and a face detector looked at it. Without them it is reviewed, and says so.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from jewel_assets.clean.body_parts.detectors import Detectors, OpenDetectors
from jewel_assets.clean.body_parts.skin import limb_share
from jewel_assets.clean.body_parts.thresholds import Thresholds
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, decode, fit
from jewel_assets.lake.decisions import Decisions
from jewel_assets.lake.stages import Item, Made, Rejected, Result, Review, Selection, Stage

Verdict = Literal["keep", "reject", "review"]
Scores = dict[str, float | None]
Evidence = dict[str, int]  # kind -> 1 weak, 2 strong; a kind without evidence is absent

TAKEN_UNSEEN = "config: accept_review"
"""`reviewed_by` of what was for review and was taken without anybody looking."""

LONGEST_SIDE = 640  # pixels: the networks see 128 to 320, and YuNet's smallest face is 10 of 320
PERSON_CONFIDENCE = 0.5  # of a pixel, to belong to the person mask

SCORES = ("skin", "person", "face", "yunet", "hand", "hand_framed", "pose")
"""The score columns, 0..1; null where the detector is missing, or was not needed any more.

`skin`: share of the frame that looks like a limb. `person`: share of the frame in the selfie segmenter's mask. `face`,
`yunet`: the best face's score. `hand`, `hand_framed`: handedness score (left or right) of the best hand, 0 for none.
`pose`: mean visibility of the best body's landmarks, 0 for none.
"""


@dataclass
class JudgeBodyParts(Stage):
    """Says of each photo, background and all, whether it shows a person. Every item is `Made`: it keeps its blob.

    With `every_score` no detector is left out once the verdict is clear (for measuring; far slower on people).
    """

    name: ClassVar[str] = "judge_body_parts"
    version: ClassVar[str] = "1"
    output: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("verdict", pa.string(), nullable=False),  # keep | reject | review
            pa.field(
                "verdict_reason", pa.string(), nullable=False
            ),  # "person: hand", "perhaps a face", "no detectors", "clear"
            *(pa.field(name, pa.float32()) for name in SCORES),
        ]
    )

    detectors: Detectors
    thresholds: Thresholds = field(default_factory=Thresholds)
    every_score: bool = False
    batch_size: int = 16
    _open: OpenDetectors | None = field(default=None, init=False, repr=False, compare=False)

    def parameters(self) -> Mapping[str, Any]:
        """The thresholds; which detectors there are is part of `weights`."""
        return {**asdict(self.thresholds), "every_score": self.every_score}

    def weights(self) -> Mapping[str, str]:
        """The detectors that are here."""
        return {model.name: model.sha256 for model in self.detectors.models}

    def setup(self, threads: int) -> None:
        """Load the networks."""
        self._open = OpenDetectors(self.detectors, threads)

    def process(self, items: Sequence[Item]) -> Sequence[Result]:
        """One `Made` per item. Raises ValueError for a blob that is no image."""
        engine = "+".join(["skin", *(model.name for model in self.detectors.models)])
        results: list[Result] = []
        for item in items:
            verdict, reason, scores = self.judge(decode(item.data))
            results.append(Made({"verdict": verdict, "verdict_reason": reason, **scores}, engine=engine))
        return results

    def judge(self, pixels: Pixels) -> tuple[Verdict, str, Scores]:
        """The verdict on one photo, (h, w, 3) RGB, its reason, and the scores that were measured."""
        scores: Scores = dict.fromkeys(SCORES)
        evidence: Evidence = {}
        for name, measure in self._measures(fit(pixels, LONGEST_SIDE)):
            if not self.every_score and (rejects(evidence) or (name == "pose" and not self._pose_could_count(scores))):
                break  # the pose comes last
            scores[name] = measure()
            evidence = weigh(scores, self.thresholds)
        verdict, reason = decide(evidence)
        if verdict == "keep" and (missing := self._missing()):
            return "review", missing, scores
        return verdict, reason, scores

    def _measures(self, pixels: Pixels) -> list[tuple[str, Any]]:
        """What there is to measure, the cheapest first: 2, 5, 5, 4, 15, 15 and 14 ms on one core."""
        if self._open is None:
            raise RuntimeError("Call setup(threads) once before process: it loads the detectors.")
        opened, here = self._open, self.detectors
        measures = [
            ("skin", True, lambda: limb_share(pixels)),
            ("person", here.person, lambda: float(np.mean(opened.person(pixels) > PERSON_CONFIDENCE))),
            ("face", here.faces, lambda: opened.face(pixels)),
            ("yunet", here.yunet, lambda: opened.yunet(pixels)),
            ("hand", here.hands, lambda: opened.hand(pixels)),
            ("hand_framed", here.hands, lambda: opened.framed_hand(pixels)),
            ("pose", here.pose, lambda: opened.pose(pixels)),
        ]
        return [(name, measure) for name, is_here, measure in measures if is_here]

    def _pose_could_count(self, scores: Scores) -> bool:
        """A pose is evidence only beside skin or a person mask, so most product photos need none."""
        return bool(weigh({**scores, "pose": 1.0}, self.thresholds).get("body"))

    def _missing(self) -> str:
        """The reason why nothing may be kept, or an empty string."""
        if not self.detectors.models:
            return "no detectors"
        if self.detectors.hands is None:
            return "no hand detector"
        return "" if self.detectors.faces or self.detectors.yunet else "no face detector"


def weigh(scores: Mapping[str, float | None], limits: Thresholds) -> Evidence:
    """The evidence in the scores, see the module. A score that is None counts for nothing."""
    known = {name: score or 0.0 for name, score in scores.items()}
    evidence: Evidence = {}
    if hands := (known["hand"] > 0) + (known["hand_framed"] > 0):
        evidence["hand"] = hands
    faces = (known["face"] >= limits.face) + (known["yunet"] >= limits.yunet)
    if known["face"] >= limits.sure_face or known["yunet"] >= limits.sure_yunet:
        evidence["face"] = 2
    elif faces:
        evidence["face"] = faces
    has_skin = known["skin"] >= limits.skin
    if has_skin:
        evidence["skin"] = 1
    posed = known["pose"] >= limits.pose and known["person"] >= limits.pose_person
    if scores["person"] is None:
        posed = known["pose"] >= limits.sure_pose
    on_skin = known["pose"] >= limits.pose_on_skin or known["person"] >= limits.person_on_skin
    if posed or (has_skin and on_skin):
        evidence["body"] = 1
    return evidence


def rejects(evidence: Evidence) -> bool:
    """One strong piece of evidence, or two weak ones."""
    return max(evidence.values(), default=0) > 1 or len(evidence) > 1


def decide(evidence: Evidence) -> tuple[Verdict, str]:
    """The verdict, and a reason short enough to count."""
    if strong := [kind for kind, weight in evidence.items() if weight > 1]:
        return "reject", f"person: {strong[0]}"
    if len(evidence) > 1:
        return "reject", f"person: {' and '.join(evidence)}"
    return ("review", f"perhaps {_PERHAPS[next(iter(evidence))]}") if evidence else ("keep", "clear")


_PERHAPS = {"hand": "a hand", "face": "a face", "skin": "skin", "body": "a bust or mannequin"}


@dataclass
class KeepProducts(Selection):
    """Of the judged photos, those to keep. What is for review is published once a person has accepted it.

    A person's decision about the very bytes of a photo overrules its verdict, whichever that is. With `accept_review`
    all that is for review is taken, unless a person rejected it; the column `reviewed_by` then says so.
    """

    name: ClassVar[str] = "keep_products"
    version: ClassVar[str] = "2"
    output: ClassVar[pa.Schema] = pa.schema([pa.field("reviewed_by", pa.string())])  # null: nobody had to decide

    decisions: Decisions = field(default_factory=dict)
    accept_review: bool = False

    def parameters(self) -> Mapping[str, Any]:
        """The switch, and a digest of the decisions."""
        told = sorted((*key, decision.verdict, decision.by) for key, decision in self.decisions.items())
        digest = hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
        return {"decisions": digest, "accept_review": self.accept_review}

    def choose(self, items: pa.Table) -> Sequence[Result]:
        """One result per row of a table with `item_id`, `sha256`, `verdict` and `verdict_reason`.

        Raises Permanent for a table without verdicts, ValueError for a verdict that is none.
        """
        if "verdict" not in items.column_names:
            raise Permanent("These photos were not judged yet: materialize body_part_verdicts first.")
        columns = (items[name].to_pylist() for name in ("item_id", "sha256", "verdict", "verdict_reason"))
        return [self._result(*row) for row in zip(*columns, strict=True)]

    def _result(self, item_id: str, sha256: str, verdict: str, reason: str) -> Result:
        decision = self.decisions.get((item_id, sha256))
        if decision is not None:
            reviewed = {"reviewed_by": decision.by}
            return Made(reviewed) if decision.verdict == "accept" else Rejected("rejected by review", reviewed)
        match verdict:
            case "keep":
                return Made()
            case "reject":
                return Rejected(reason)
            case "review":
                return Made({"reviewed_by": TAKEN_UNSEEN}) if self.accept_review else Review(reason)
            case _:
                raise ValueError(f"A verdict is keep, reject or review, not {verdict!r}: judge these photos again.")
