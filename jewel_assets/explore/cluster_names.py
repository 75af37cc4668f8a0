"""Names that a designer can say: "yellow gold openwork earrings". By CLIP where it is there, else measured."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.explore.classical import openings_of
from jewel_assets.explore.embedders import Vectors
from jewel_assets.explore.framing import SUBJECT, framed
from jewel_assets.images import Pixels

SIDE = 128  # pixels of the square that pictures are measured on
MAJORITY = 0.6  # share from which one category gives the noun
TELLING = 0.4  # standard deviations from the other clusters from which a measure is worth a word
STONE_SHARE = 0.03  # of a piece's pixels from which a stone of that colour is taken to be there
STONE_PIECES = 0.5  # share of a cluster's pieces with that stone from which its name mentions it
SECOND_METAL = 0.3  # share of the metal from which a piece is two-tone


@dataclass(frozen=True)
class Words:
    """What could be said of a cluster: its material, then what sets it apart, the most telling first, then the noun."""

    material: str
    details: tuple[str, ...]
    noun: str


@cache
def vocabulary() -> Mapping[str, Any]:
    """The words of `design_words.toml`."""
    return tomllib.loads(Path(__file__).with_name("design_words.toml").read_text(encoding="utf-8"))


def noun_of(categories: Mapping[str, int]) -> str:
    """What most pieces are: "rings"; where none has the `MAJORITY`, the two most frequent: "rings and bracelets"."""
    nouns = vocabulary()["nouns"]
    ranked = [nouns.get(name, name) for name, _ in sorted(categories.items(), key=lambda pair: (-pair[1], pair[0]))]
    if not ranked:
        return "designs"
    return ranked[0] if max(categories.values()) >= MAJORITY * sum(categories.values()) else " and ".join(ranked[:2])


def words_by_measure(samples: Sequence[Sequence[Pixels]], nouns: Sequence[str]) -> list[Words]:
    """Words for each cluster from the palette and the silhouettes of some of its cut-outs (RGBA)."""
    measured = [[_measured(picture) for picture in cluster] for cluster in samples]
    shapes = _standing_out([[shape for shape, _ in cluster] for cluster in measured], nouns)
    words = []
    for cluster, telling, noun in zip(measured, shapes, nouns, strict=True):
        material, stones = _material([shares for _, shares in cluster])
        words.append(Words(material, (*stones[:1], *telling, *stones[1:]), noun))
    return words


def words_by_clip(
    centroids: Vectors, nouns: Sequence[str], embed_text: Callable[[Sequence[str]], Vectors]
) -> list[Words]:
    """Words for each cluster from CLIP: those nearer to its centroid (k, d) than to the other clusters' centroids.

    Both sides are centred first (pictures lie far from all words, and some words near to all pictures).
    """
    spoken = vocabulary()["clip"]
    pictures = centroids - (centroids.mean(axis=0) if len(centroids) > 1 else 0)

    def ranked(words: Sequence[str]) -> list[list[str]]:
        texts = embed_text([spoken["prompt"].format(word=word) for word in words])
        nearness = pictures @ (texts - texts.mean(axis=0)).T  # (k, words)
        return [[words[index] for index in np.argsort(-row, kind="stable")] for row in nearness]

    pairs = zip(ranked(spoken["metal"]), ranked(spoken["details"]), nouns, strict=True)
    return [Words(metal[0], tuple(details[:6]), noun) for metal, details, noun in pairs]


def unique_names(words: Sequence[Words], taken: Sequence[str] = ()) -> list[str]:
    """One name for each, none of them twice nor in `taken`: more words, and in the end a number, until it is so."""
    used, names = set(taken), []
    for word in words:
        candidates = [
            " ".join(filter(None, [word.material, *word.details[:count], word.noun]))
            for count in range(min(1, len(word.details)), len(word.details) + 1)
        ]
        base = candidates[0]
        numbered = (f"{base} {number}" for number in range(2, len(used) + 3))
        name = next(name for name in (*candidates[:3], *numbered) if name not in used)
        used.add(name)
        names.append(name)
    return names


def _material(pieces: Sequence[Mapping[str, float]]) -> tuple[str, list[str]]:
    """The metal, or the pair of metals, and the stones, most frequent first, from the colours of some pieces."""
    words = vocabulary()

    def mean(name: str) -> float:
        return sum(shares.get(name, 0.0) for shares in pieces) / max(len(pieces), 1)

    metals = sorted((-mean(name), name) for name in words["metals"])
    stones = sorted((-mean(name), name) for name in words["stones"])
    metal = -sum(share for share, _ in metals)
    if -stones[0][0] > metal:
        material = stones[0][1]  # enamel, beads, dyed leather: the colour is the material
    elif -metals[1][0] >= SECOND_METAL * metal:
        material = words["pairs"].get(f"{metals[0][1]} and {metals[1][1]}", words["pairs"]["other"])
    else:
        material = metals[0][1]
    common = {
        name: sum(shares.get(name, 0.0) >= STONE_SHARE for shares in pieces) >= max(STONE_PIECES * len(pieces), 1)
        for _, name in stones
    }
    return material, [f"{name}-stone" for _, name in stones if common[name] and name != material]


def _standing_out(measured: Sequence[Sequence[Mapping[str, float]]], nouns: Sequence[str]) -> list[list[str]]:
    """For each cluster the words of the measures in which it differs from the others, the most different first.

    It is compared with the clusters of the same noun: that rings are small and round is no news. The only one of its
    noun needs no such word, so none is telling.
    """
    words: Mapping[str, Mapping[str, str]] = vocabulary()["shapes"]
    names = list(words)
    everything = np.array([[one[name] for name in names] for cluster in measured for one in cluster], np.float64)
    spread = everything.std(axis=0) if len(everything) else np.ones(len(names))
    means = np.array([[np.mean([one[name] for one in cluster] or [0.0]) for name in names] for cluster in measured])
    found = []
    for row, noun in zip(means, nouns, strict=True):
        alike = np.array([other == noun for other in nouns])
        deviation = (row - means[alike].mean(axis=0)) / np.maximum(spread, 1e-9)
        told = [
            (index, words[names[index]].get("high" if deviation[index] > 0 else "low")) for index in range(len(names))
        ]
        order = sorted((-abs(deviation[index]), word) for index, word in told if word)
        found.append([word for size, word in order if -size >= TELLING])
    return found


def _measured(cutout: Pixels) -> tuple[dict[str, float], dict[str, float]]:
    """The measures that `[shapes]` has words for, and the share of each colour, of one RGBA cut-out."""
    import cv2

    picture = framed(cutout, SIDE, margin=0.02, ground=128)
    mask = (picture[..., 3] >= SUBJECT).astype(np.uint8)
    mask[[0, -1]] = mask[:, [0, -1]] = 0
    area = float(mask.sum())
    if area == 0:
        return dict.fromkeys(vocabulary()["shapes"], 0.0), {}
    ys, xs = np.nonzero(mask)
    hull = cv2.convexHull(np.column_stack([xs, ys]).astype(np.int32))
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    inside = inside if inside.any() else mask > 0
    light = cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1))
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    shape = {
        "width": float(np.log2((np.ptp(xs) + 1) / (np.ptp(ys) + 1))),
        "filled": area / max(cv2.contourArea(hull), area),
        "openings": float(np.log2(1 + (openings_of(mask) > 6).sum())),
        "thickness": float(np.median(depth[mask > 0])) / SIDE,
        "relief": float(slope[inside].mean()),
        "top": float((ys < (ys.min() + ys.max()) / 2).mean()),
    }
    return shape, palette(picture[..., :3][inside])


def palette(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Share of each of the vocabulary's colours among RGB pixels (n, 3): each pixel takes the nearest in CIE Lab."""
    import cv2

    words = vocabulary()
    named = [(name, lab) for group in ("metals", "stones") for name, labs in words[group].items() for lab in labs]
    lab = cv2.cvtColor((pixels[None].astype(np.float32) / 255), cv2.COLOR_RGB2LAB)[0]
    anchors = np.array([anchor for _, anchor in named], np.float32)
    # Lightness counts half: the same gold is dark in its shadows and bright in its highlights.
    scale = np.array([0.5, 1, 1], np.float32)
    nearest = np.linalg.norm((lab[:, None] - anchors[None]) * scale, axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(named)) / max(len(pixels), 1)
    shares: dict[str, float] = {}
    for (name, _), share in zip(named, counts, strict=True):
        shares[name] = shares.get(name, 0.0) + float(share)
    return shares
