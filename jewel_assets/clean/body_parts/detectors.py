"""The networks that look for parts of a body, each optional: MediaPipe Tasks, and YuNet in OpenCV.

MediaPipe Tasks has no setting for threads; its CPU delegate uses one for these models.
"""

import os
import weakref
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.images import Pixels, fit
from jewel_assets.registry import Model, Registry

FRAME = 0.25  # how far `hand` continues the photo beyond its borders, as a share of its longer side
YUNET_SIDE = 320  # pixels of the longer side for YuNet, whose faces then span 10 to 300 pixels
LEAST_SCORE = 0.1  # faces below it are not even looked at
HAND_DETECTION, HAND_PRESENCE = 0.1, 0.5  # many candidates for palms, of which the landmark network confirms few
POSE_DETECTION, POSE_PRESENCE = 0.2, 0.5


@dataclass(frozen=True)
class Detectors:
    """The models there are; None for one that is not to be had. Small and picklable."""

    hands: Model | None = None  # hand-landmarker
    faces: Model | None = None  # blaze-face-full-range
    yunet: Model | None = None
    pose: Model | None = None  # pose-landmarker-lite
    person: Model | None = None  # selfie-segmenter

    @property
    def models(self) -> tuple[Model, ...]:
        """Those that are here."""
        return tuple(model for field in fields(self) if (model := getattr(self, field.name)) is not None)


def choose_detectors(registry: Registry) -> Detectors:
    """Every detector that the models folder or the mirror has."""
    return Detectors(
        hands=registry.find("hand-landmarker"),
        faces=registry.find("blaze-face-full-range"),
        yunet=registry.find("yunet"),
        pose=registry.find("pose-landmarker-lite"),
        person=registry.find("selfie-segmenter"),
    )


class OpenDetectors:
    """The detectors with their networks loaded. Each method takes RGB pixels (h, w, 3); call none that is missing."""

    def __init__(self, detectors: Detectors, threads: int) -> None:
        os.environ.setdefault("GLOG_minloglevel", "2")  # MediaPipe tells every start of a graph otherwise
        import cv2

        if detectors != Detectors(yunet=detectors.yunet):  # it takes a second
            from mediapipe.tasks import python as tasks
            from mediapipe.tasks.python import vision

        def base(model: Model) -> Any:
            return tasks.BaseOptions(model_asset_path=str(model.path))

        cv2.setNumThreads(threads)
        opened: list[Any] = []
        weakref.finalize(self, _close, opened)
        if detectors.hands:
            hand_options = vision.HandLandmarkerOptions(
                base_options=base(detectors.hands),
                num_hands=2,
                min_hand_detection_confidence=HAND_DETECTION,
                min_hand_presence_confidence=HAND_PRESENCE,
            )
            self._hands = vision.HandLandmarker.create_from_options(hand_options)
            opened.append(self._hands)
        if detectors.faces:
            face_options = vision.FaceDetectorOptions(
                base_options=base(detectors.faces), min_detection_confidence=LEAST_SCORE
            )
            self._faces = vision.FaceDetector.create_from_options(face_options)
            opened.append(self._faces)
        if detectors.yunet:
            size = (YUNET_SIDE, YUNET_SIDE)
            log, level = cv2.utils.logging, cv2.utils.logging.getLogLevel()
            log.setLogLevel(log.LOG_LEVEL_ERROR)  # OpenCV 5 warns that its new engine takes no target; none was asked
            self._yunet = cv2.FaceDetectorYN.create(str(detectors.yunet.path), "", size, LEAST_SCORE)
            log.setLogLevel(level)
        if detectors.pose:
            pose_options = vision.PoseLandmarkerOptions(
                base_options=base(detectors.pose),
                min_pose_detection_confidence=POSE_DETECTION,
                min_pose_presence_confidence=POSE_PRESENCE,
            )
            self._pose = vision.PoseLandmarker.create_from_options(pose_options)
            opened.append(self._pose)
        if detectors.person:
            person_options = vision.ImageSegmenterOptions(
                base_options=base(detectors.person), output_confidence_masks=True, output_category_mask=False
            )
            self._person = vision.ImageSegmenter.create_from_options(person_options)
            opened.append(self._person)

    def hand(self, pixels: Pixels) -> float:
        """The highest handedness score of the hands found, 0 for none. It says how surely left or right, no more."""
        result = self._hands.detect(_mediapipe_image(pixels))
        return max((float(side[0].score) for side in result.handedness), default=0.0)

    def framed_hand(self, pixels: Pixels) -> float:
        """As `hand`, with the photo's border pixels continued outwards: a hand that fills the photo has no margin.

        The palm detector was trained on hands within a scene. Of close-ups of hands it finds some 0.87 in the plain
        photo and nearly all in the continued one; a false alarm hardly ever comes in both.
        """
        import cv2

        margin = round(FRAME * max(pixels.shape[:2]))
        framed = cv2.copyMakeBorder(pixels, *(margin,) * 4, cv2.BORDER_REPLICATE)
        return self.hand(np.asarray(framed, np.uint8))

    def face(self, pixels: Pixels) -> float:
        """The best score of BlazeFace (full range), 0 for no face."""
        found = self._faces.detect(_mediapipe_image(pixels)).detections
        return max((float(face.categories[0].score) for face in found), default=0.0)

    def yunet(self, pixels: Pixels) -> float:
        """The best score of YuNet, 0 for no face."""
        import cv2

        small = cv2.cvtColor(fit(pixels, YUNET_SIDE), cv2.COLOR_RGB2BGR)
        self._yunet.setInputSize((small.shape[1], small.shape[0]))
        faces = self._yunet.detect(small)[1]  # (n, 15): x, y, w, h, five landmarks, score
        return 0.0 if faces is None else float(faces[:, 14].max())

    def pose(self, pixels: Pixels) -> float:
        """The mean visibility of the 33 landmarks of the body found, 0 for none."""
        found = self._pose.detect(_mediapipe_image(pixels)).pose_landmarks
        return max((float(np.mean([mark.visibility for mark in marks])) for marks in found), default=0.0)

    def person(self, pixels: Pixels) -> NDArray[np.float32]:
        """The confidence, 0..1, that a pixel belongs to a person: (h, w) float32."""
        masks = self._person.segment(_mediapipe_image(pixels)).confidence_masks
        return np.array(masks[-1].numpy_view(), np.float32).reshape(pixels.shape[:2])


def _mediapipe_image(pixels: Pixels) -> Any:
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


def _close(opened: list[Any]) -> None:
    for task in opened:
        try:
            task.close()
        except RuntimeError:  # it closes through a thread pool, which at exit is gone before anything else is asked
            task._handle = None  # so it does not try again; the operating system takes the memory back
