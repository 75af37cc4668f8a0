"""Pictures of jewellery drawn by the tests: no two seeds alike, each with a subject, holes and a plain ground."""

from pathlib import Path

import numpy as np

from jewel_assets.images import Pixels, encode_jpeg

METALS = {"gold": (212, 175, 88), "silver": (178, 180, 184), "rose gold": (206, 150, 124)}
STONES = ((180, 30, 50), (40, 90, 190), (30, 140, 90), (225, 230, 240), (120, 60, 160))


def draw_piece(category: str, seed: int, side: int = 320) -> Pixels:
    """A piece on white, (side, side, 3): a ring with its hole, a pair of drops, a chain, a bangle or a watch."""
    import cv2

    chance = np.random.default_rng([seed, *category.encode()])
    metal = list(METALS.values())[chance.integers(len(METALS))]
    stone = STONES[chance.integers(len(STONES))]
    picture = np.full((side, side, 3), 255, np.uint8)
    middle = (side // 2 + int(chance.integers(-12, 13)), side // 2 + int(chance.integers(-12, 13)))
    radius = int(side * chance.uniform(0.22, 0.34))
    width = int(chance.integers(8, 22))
    if category == "ring":
        cv2.circle(picture, middle, radius, metal, width, cv2.LINE_AA)
        top = (middle[0], middle[1] - radius)
        cv2.circle(picture, top, int(chance.integers(14, 30)), stone, -1, cv2.LINE_AA)
    elif category == "earrings":
        for sign in (-1, 1):
            x = middle[0] + sign * side // 5
            cv2.line(picture, (x, side // 4), (x, middle[1]), metal, 4, cv2.LINE_AA)
            axes = (int(chance.integers(16, 30)), int(chance.integers(24, 60)))
            cv2.ellipse(picture, (x, middle[1] + 20), axes, 0, 0, 360, stone, -1, cv2.LINE_AA)
            cv2.ellipse(picture, (x, middle[1] + 20), axes, 0, 0, 360, metal, 5, cv2.LINE_AA)
    elif category == "necklace":
        for angle in np.linspace(0.1, np.pi - 0.1, int(chance.integers(14, 26))):
            link = (int(middle[0] + 120 * np.cos(angle)), int(60 + 170 * np.sin(angle)))
            cv2.circle(picture, link, 9, metal, 4, cv2.LINE_AA)
        cv2.circle(picture, (middle[0], 240), int(chance.integers(18, 34)), stone, -1, cv2.LINE_AA)
    elif category == "wristwatch":
        cv2.rectangle(picture, (middle[0] - 26, 10), (middle[0] + 26, side - 10), (60, 50, 46), -1)
        cv2.circle(picture, middle, 62, metal, -1, cv2.LINE_AA)
        cv2.circle(picture, middle, 50, (245, 245, 240), -1, cv2.LINE_AA)
        for turn in chance.uniform(0, 2 * np.pi, 2):
            tip = (int(middle[0] + 40 * np.cos(turn)), int(middle[1] + 40 * np.sin(turn)))
            cv2.line(picture, middle, tip, (30, 30, 30), 3, cv2.LINE_AA)
    else:
        axes = (int(radius * 1.3), int(radius * chance.uniform(0.6, 0.95)))
        cv2.ellipse(picture, middle, axes, 0, 0, 360, metal, width, cv2.LINE_AA)
    return np.clip(picture + chance.normal(0, 1.2, picture.shape), 0, 255).astype(np.uint8)


def photo_folder(root: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """A folder of drawn photos: `counts` maps the names of its sub-folders (any alias) to how many photos each gets."""
    from jewel_assets.categories import category_of

    for name, count in counts.items():
        folder = root / name
        folder.mkdir(parents=True)
        for number in range(count):
            pixels = draw_piece(category_of(name) or "jewelry", seed + number)
            (folder / f"piece {number}.jpg").write_bytes(encode_jpeg(pixels))
    return root


TINTS = {"gold": (205, 160, 70), "silver": (182, 185, 190), "pearl": (228, 220, 212), "enamel": (40, 80, 160)}


def draw_texture(theme: str, seed: int, side: int = 320) -> Pixels:
    """A surface, (side, side, 3): grain, dents or a pattern in the theme's colour. Every other one has no seam,
    the rest are cut out of a larger one.
    """
    chance = np.random.default_rng([seed, *theme.encode()])
    whole = side if seed % 2 else side * 3 // 2
    across, down = np.meshgrid(np.arange(whole), np.arange(whole))
    kind = ("grain", "dents", "pattern")[seed % 3]
    if kind == "pattern":
        turns = 2 * np.pi * int(chance.integers(5, 12)) / whole
        height = np.sin(turns * across) * np.sin(turns * down) + 0.3 * np.sin(2 * turns * (across + down))
    else:
        frequency = np.hypot(np.fft.fftfreq(whole)[:, None], np.fft.fftfreq(whole)[None]) * whole
        low, high = (2, 9) if kind == "dents" else (8, 60)
        band = (frequency >= low) & (frequency <= high)
        height = np.fft.ifft2(np.fft.fft2(chance.normal(size=(whole, whole))) * band / np.maximum(frequency, 1)).real
        height = height / height.std()
    light = np.roll(height, 1, 0) - np.roll(height, -1, 0) + 0.5 * (np.roll(height, 1, 1) - np.roll(height, -1, 1))
    tint = np.array(TINTS.get(theme, tuple(chance.integers(60, 220, 3))), float)
    shade = 1 + 0.22 * light / max(light.std(), 1e-6) + 0.05 * height
    return np.clip(shade[..., None] * tint, 0, 255).astype(np.uint8)[:side, :side]
