"""The body-part filter: skin that is not gold, a rule that can be read aloud, and no silent keep."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jewel_assets.clean import Detectors, JudgeBodyParts, KeepProducts, choose_detectors
from jewel_assets.clean.body_parts.judge import SCORES, Thresholds, decide, rejects, weigh
from jewel_assets.clean.body_parts.skin import limb_share
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, decode, encode_png
from jewel_assets.lake.blobs import BlobStore
from jewel_assets.lake.decisions import Decision
from jewel_assets.lake.stages import Item, Made, Rejected, Review
from jewel_assets.registry import Model, Registry

SKIN = (214, 160, 132)
GOLD = (212, 168, 90)
WHITE = (255, 255, 255)
YUNET = Model("yunet", Path("yunet.onnx"), "0" * 64, "MIT")
HANDS = Model("hand-landmarker", Path("hand.task"), "1" * 64, "Apache-2.0")
JUDGED = pa.table(
    {
        "item_id": ["kept", "rejected", "doubtful"],
        "sha256": ["bytes of kept", "bytes of rejected", "bytes of doubtful"],
        "verdict": ["keep", "reject", "review"],
        "verdict_reason": ["clear", "person: hand", "perhaps a face"],
    }
)
ALL = Detectors(hands=HANDS, faces=YUNET, yunet=YUNET, pose=YUNET, person=YUNET)  # only their presence matters here


def ground(colour: tuple[int, int, int] = WHITE, size: tuple[int, int] = (300, 240)) -> Pixels:
    return np.full((*size, 3), colour, np.uint8)


def with_finger(pixels: Pixels, colour: tuple[int, int, int] = SKIN) -> Pixels:
    """A finger from the lower border: a round bar, shaded like a cylinder."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    across = (columns - width / 2) / (0.15 * width)
    inside = (np.abs(across) < 1) & (rows > 0.3 * height)
    shade = 0.55 + 0.45 * np.sqrt(np.clip(1 - across**2, 0, 1))
    bar = np.asarray(colour) * shade[..., None]
    return np.where(inside[..., None], bar, pixels).astype(np.uint8)


def with_gold_ring(pixels: Pixels, width: int = 40) -> Pixels:
    """A broad band of gold: skin-toned nearly everywhere, with the highlights of polished metal."""
    band = pixels.copy()
    centre = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    cv2.ellipse(band, centre, (80, 80), 0, 0, 360, GOLD, width)
    for angle in range(0, 360, 20):
        cv2.ellipse(band, centre, (80, 80), 0, angle, angle + 5, WHITE, width)
    return band


def test_a_finger_that_enters_the_photo_looks_like_a_limb() -> None:
    assert limb_share(with_finger(ground())) == pytest.approx(0.2, abs=0.05)


def test_a_gold_ring_is_no_limb_though_the_skin_box_holds_its_colour() -> None:
    photo = with_gold_ring(ground())
    cr, cb = cv2.cvtColor(np.array([[GOLD]], np.uint8), cv2.COLOR_RGB2YCrCb)[0, 0, 1:]
    assert 133 <= cr <= 173
    assert 77 <= cb <= 127
    assert limb_share(photo) == 0


def test_a_polished_gold_cuff_cut_off_by_the_border_is_no_limb() -> None:
    photo = ground()
    photo[100:200] = GOLD
    for highlight in range(0, 240, 20):
        photo[100:200, highlight : highlight + 5] = WHITE
    assert limb_share(photo) == 0


def test_what_floats_is_no_limb() -> None:
    photo = ground()
    cv2.circle(photo, (120, 150), 60, SKIN, -1)
    assert limb_share(photo) == 0


def test_a_thin_chain_across_the_photo_is_no_limb() -> None:
    photo = ground()
    cv2.line(photo, (0, 0), (239, 299), GOLD, 12)
    assert limb_share(photo) == 0


def test_a_grained_ground_in_skin_colour_is_no_limb() -> None:
    grain = np.random.default_rng(0).normal(0, 8, (300, 240, 1))
    parchment = np.clip(ground(SKIN) + grain, 0, 255).astype(np.uint8)
    assert limb_share(with_gold_ring(parchment)) == 0


def test_smooth_skin_that_fills_the_photo_counts_even_if_lit_evenly() -> None:
    assert limb_share(with_gold_ring(ground(SKIN))) > 0.5


def test_grey_photos_have_no_skin() -> None:
    grey = cv2.cvtColor(cv2.cvtColor(with_finger(ground()), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert limb_share(np.asarray(grey, np.uint8)) == 0


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_the_limb_share_of_any_picture_is_a_share(pixels: Pixels) -> None:
    assert 0 <= limb_share(pixels) <= 1


score = st.one_of(st.none(), st.floats(0, 1))
scores_of_any_photo = st.fixed_dictionaries(dict.fromkeys(SCORES, score))


@given(st.floats(0, 1))
def test_skin_colour_alone_never_rejects(share: float) -> None:
    verdict, _ = decide(weigh({**dict.fromkeys(SCORES), "skin": share}, Thresholds()))
    assert verdict == ("review" if share >= Thresholds().skin else "keep")


@given(scores_of_any_photo, st.sampled_from(SCORES), st.floats(0, 1))
def test_more_of_any_score_never_makes_a_photo_cleaner(scores: dict[str, float | None], name: str, more: float) -> None:
    assume(scores[name] is not None)  # a detector that did not run says nothing: there is nothing to compare with
    order = ["keep", "review", "reject"]
    before = decide(weigh(scores, Thresholds()))[0]
    after = decide(weigh({**scores, name: max(scores[name] or 0, more)}, Thresholds()))[0]
    assert order.index(after) >= order.index(before)


@given(scores_of_any_photo)
def test_the_verdict_is_reject_exactly_when_the_evidence_rejects(scores: dict[str, float | None]) -> None:
    evidence = weigh(scores, Thresholds())
    verdict, reason = decide(evidence)
    assert (verdict == "reject") == rejects(evidence) == reason.startswith("person: ")
    assert (verdict == "keep") == (not evidence) == (reason == "clear")


class Networks:
    """Stands for the loaded detectors: says what it is told, and notes who was asked."""

    def __init__(self, **answers: float) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def answer(pixels: Pixels) -> Any:
            self.asked.append(name)
            value = self.answers.get(name, 0.0)
            if name != "person":
                return value
            mask = np.zeros(pixels.shape[:2], np.float32)
            mask[: round(value * len(mask))] = 1
            return mask

        return answer


def stage_with(networks: Networks, detectors: Detectors = ALL, **options: Any) -> JudgeBodyParts:
    stage = JudgeBodyParts(detectors, **options)
    stage._open = networks  # type: ignore[assignment]
    return stage


def test_a_product_photo_is_kept_and_the_pose_is_not_asked_for() -> None:
    networks = Networks()
    verdict, reason, scores = stage_with(networks).judge(with_gold_ring(ground()))
    assert (verdict, reason) == ("keep", "clear")
    assert scores == {"skin": 0, "person": 0, "face": 0, "yunet": 0, "hand": 0, "hand_framed": 0, "pose": None}


def test_a_sure_face_rejects_and_the_slower_detectors_are_left_out() -> None:
    networks = Networks(face=0.9)
    verdict, reason, scores = stage_with(networks).judge(ground())
    assert (verdict, reason) == ("reject", "person: face")
    assert networks.asked == ["person", "face"]
    assert scores["hand"] is None


def test_every_score_is_measured_on_demand_and_changes_no_verdict() -> None:
    answers = {"face": 0.9, "hand": 0.8, "framed_hand": 0.7, "pose": 0.9, "person": 0.5}
    verdict, reason, scores = stage_with(Networks(**answers), every_score=True).judge(ground())
    assert (verdict, reason) == ("reject", "person: hand")
    assert None not in scores.values()


def test_a_hand_seen_in_only_one_of_two_passes_is_for_a_person_to_decide() -> None:
    assert stage_with(Networks(framed_hand=0.9)).judge(ground())[:2] == ("review", "perhaps a hand")
    assert stage_with(Networks(hand=0.9, framed_hand=0.9)).judge(ground())[:2] == ("reject", "person: hand")


def test_a_finger_without_any_detection_is_reviewed_and_with_a_body_rejected() -> None:
    finger = with_finger(ground())
    assert stage_with(Networks()).judge(finger)[:2] == ("review", "perhaps skin")
    assert stage_with(Networks(person=0.3)).judge(finger)[:2] == ("reject", "person: skin and body")


def test_a_grey_bust_is_reviewed() -> None:
    verdict, reason, _ = stage_with(Networks(person=0.4, pose=0.7)).judge(ground((90, 90, 90)))
    assert (verdict, reason) == ("review", "perhaps a bust or mannequin")


def test_without_weights_everything_is_reviewed_and_says_so() -> None:
    stage = JudgeBodyParts(Detectors())
    stage.setup(1)
    for photo in (ground(), with_finger(ground()), with_gold_ring(ground())):
        verdict, reason, scores = stage.judge(photo)
        assert verdict == "review"
        assert reason in ("no detectors", "perhaps skin")
        assert [name for name, value in scores.items() if value is not None] == ["skin"]
    assert stage.judge(ground())[1] == "no detectors"


@pytest.mark.parametrize(
    ("missing", "reason"),
    [({"hands": None}, "no hand detector"), ({"faces": None, "yunet": None}, "no face detector")],
)
def test_nothing_is_kept_that_no_hand_or_no_face_detector_has_seen(missing: dict[str, None], reason: str) -> None:
    detectors = replace(ALL, **missing)
    assert stage_with(Networks(), detectors).judge(ground())[:2] == ("review", reason)
    assert (
        stage_with(Networks(yunet=0.9, face=0.9, hand=0.9, framed_hand=0.9), detectors).judge(ground())[0] == "reject"
    )


def test_one_face_detector_is_enough_to_keep() -> None:
    assert stage_with(Networks(), replace(ALL, yunet=None, pose=None, person=None)).judge(ground())[0] == "keep"


def test_an_item_keeps_its_blob_and_gains_the_columns_of_the_schema(lake_root: str) -> None:
    blobs = BlobStore(lake_root)
    blob = blobs.put(encode_png(with_finger(ground())), "image/png")
    row = {"item_id": "folder:a", "category": "ring", "sha256": blob.sha256, "media_type": blob.media_type}
    stage = stage_with(Networks())
    (made,) = stage.process([Item(row, blobs)])
    assert isinstance(made, Made)
    assert made.data is None
    assert pa.Table.from_pylist([dict(made.columns)], schema=stage.output).num_rows == 1
    assert made.columns["verdict"] == "review"
    assert made.engine == "skin+hand-landmarker+yunet+yunet+yunet+yunet"


def test_a_stage_that_was_not_set_up_says_what_to_call() -> None:
    with pytest.raises(RuntimeError, match="setup"):
        JudgeBodyParts(ALL).judge(ground())


def test_the_key_of_a_result_depends_on_thresholds_and_on_which_detectors_there_are() -> None:
    row = {"sha256": "ab"}
    stages = [
        JudgeBodyParts(ALL),
        JudgeBodyParts(ALL, Thresholds(skin=0.5)),
        JudgeBodyParts(Detectors()),
        JudgeBodyParts(ALL, every_score=True),
    ]
    assert len({stage.key(row) for stage in stages}) == len(stages)
    assert pickle.loads(pickle.dumps(stages[0])).key(row) == stages[0].key(row)


def test_an_empty_registry_gives_no_detectors(tmp_path: Path) -> None:
    assert choose_detectors(Registry(tmp_path)).models == ()


def test_products_are_kept_people_rejected_and_the_doubtful_reviewed() -> None:
    assert KeepProducts().choose(JUDGED) == [Made(), Rejected("person: hand"), Review("perhaps a face")]


def test_a_person_overrules_every_verdict() -> None:
    accepted = {(name, f"bytes of {name}"): Decision("accept", "Ada") for name in ("kept", "rejected", "doubtful")}
    assert KeepProducts(accepted).choose(JUDGED) == [Made({"reviewed_by": "Ada"})] * 3
    rejected = {key: Decision("reject", "Bo") for key in accepted}
    assert KeepProducts(rejected).choose(JUDGED) == [Rejected("rejected by review", {"reviewed_by": "Bo"})] * 3


def test_a_decision_about_other_bytes_counts_for_nothing() -> None:
    decisions = {("doubtful", "bytes of before"): Decision("accept", "Ada")}
    assert KeepProducts(decisions).choose(JUDGED) == KeepProducts().choose(JUDGED)


def test_all_that_is_for_review_can_be_taken_by_a_switch_that_says_so_but_not_what_a_person_rejected() -> None:
    taken = KeepProducts(accept_review=True)
    unseen = Made({"reviewed_by": "config: accept_review"})
    assert taken.choose(JUDGED) == [Made(), Rejected("person: hand"), unseen]
    taken.decisions = {("doubtful", "bytes of doubtful"): Decision("reject", "Bo")}
    assert taken.choose(JUDGED)[2] == Rejected("rejected by review", {"reviewed_by": "Bo"})


def test_the_selection_runs_anew_when_a_decision_or_the_switch_changes() -> None:
    accept, reject = Decision("accept", "Ada"), Decision("reject", "Ada")
    selections = [
        KeepProducts(),
        KeepProducts(accept_review=True),
        KeepProducts({("a", "1"): accept}),
        KeepProducts({("a", "1"): reject}),
        KeepProducts({("a", "1"): Decision("accept", "Bo")}),
        KeepProducts({("a", "2"): accept}),
    ]
    assert len({str(selection.parameters()) for selection in selections}) == len(selections)
    pair = {("a", "1"): accept, ("b", "2"): reject}
    turned = KeepProducts(dict(reversed(pair.items())))
    assert pickle.loads(pickle.dumps(turned)).parameters() == KeepProducts(pair).parameters()


def test_an_unknown_verdict_is_an_error() -> None:
    with pytest.raises(ValueError, match="'maybe'"):
        KeepProducts().choose(JUDGED.set_column(2, "verdict", pa.array(["maybe"] * 3)))


def test_photos_that_nobody_judged_cannot_be_chosen_from() -> None:
    with pytest.raises(Permanent, match="materialize body_part_verdicts first"):
        KeepProducts().choose(JUDGED.drop_columns(["verdict"]))


@pytest.fixture(scope="module")
def real_stage(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> JudgeBodyParts:
    stage = JudgeBodyParts(choose_detectors(Registry(tmp_path_factory.mktemp("models"), str(shared / "weights"))))
    stage.setup(1)
    return stage


def real_photos(folder: Path, names: list[str]) -> list[Pixels]:
    return [decode((folder / name).read_bytes()) for name in names]


@pytest.mark.shared
def test_real_people_are_not_kept(real_stage: JudgeBodyParts, shared: Path) -> None:
    lines = (shared / "data" / "people" / "labels.csv").read_text().splitlines()[1:]
    names = [line.split(",")[0] for line in sorted(lines) if line.split(",")[1] == "1"][::6]
    verdicts = [real_stage.judge(photo)[0] for photo in real_photos(shared / "data" / "people" / "images", names)]
    assert verdicts.count("keep") <= 0.05 * len(verdicts)


@pytest.mark.shared
def test_real_product_photos_are_kept(real_stage: JudgeBodyParts, shared: Path) -> None:
    for category in ("ring", "necklace", "wristwatch"):  # mostly gold and rose gold
        folder = shared / "data" / "photos" / category
        names = sorted(path.name for path in folder.iterdir())[::8][:15]
        verdicts = [real_stage.judge(photo)[0] for photo in real_photos(folder, names)]
        assert verdicts.count("keep") >= 0.8 * len(verdicts)


@pytest.mark.shared
@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 2), (40, 3000)])
def test_photos_of_odd_sizes_are_judged(real_stage: JudgeBodyParts, size: tuple[int, int]) -> None:
    assert real_stage.judge(ground(size=size))[0] in ("keep", "review", "reject")
