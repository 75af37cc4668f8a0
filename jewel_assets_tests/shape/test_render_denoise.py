"""Denoising and developing: less grain, edges kept, whites white."""

import numpy as np
import pytest

from jewel_assets.shape.render.denoise import denoised, engine
from jewel_assets.shape.render.develop import BRIGHTEST, combined, developed, whitened


def scene(noise: float, seed: int = 0):
    """A light square on a dark ground, guides without noise, and the picture with it."""
    clean = np.full((48, 48, 3), 0.2, np.float32)
    clean[12:36, 12:36] = (0.8, 0.6, 0.3)
    normals = np.zeros((48, 48, 3), np.float32)
    normals[..., 2] = 1
    normals[12:36, 12:36] = (0.6, 0, 0.8)
    rng = np.random.default_rng(seed)
    noisy = np.maximum(clean * (1 + noise * rng.standard_normal(clean.shape)), 0).astype(np.float32)
    return clean, noisy, clean, normals


def psnr(a, b):
    return -10 * np.log10(float(((a - b) ** 2).mean()))


@pytest.mark.parametrize("by", sorted({"guided", engine()}))
def test_grain_goes_and_edges_stay(by):
    clean, noisy, albedo, normals = scene(0.25)
    variance = np.asarray((0.25 * clean.mean(axis=2)) ** 2 / 3, np.float32)
    result = denoised(noisy, albedo, normals, variance, by)
    assert psnr(result, clean) > psnr(noisy, clean) + 8
    step = result[24, 12:16].mean() - result[24, 8:12].mean()
    assert step == pytest.approx(clean[24, 14].mean() - 0.2, rel=0.1)


def test_a_clean_picture_stays_as_it_is():
    clean, _, albedo, normals = scene(0.0)
    result = denoised(clean, albedo, normals, np.zeros((48, 48), np.float32), "guided")
    assert psnr(result, clean) > 45


def test_denoising_is_the_same_on_a_second_run():
    _, noisy, albedo, normals = scene(0.3)
    assert np.array_equal(denoised(noisy, albedo, normals), denoised(noisy, albedo, normals))


def test_a_spark_in_one_pass_is_cut_and_a_lamp_in_all_is_kept():
    passes = np.full((6, 4, 4, 3), 0.5, np.float32)
    passes[2, 1, 1] = 900.0
    passes[:, 3, 3] = 3.0
    mean = combined(passes)
    assert mean[1, 1].max() < 1.0  # the mean would be 150
    assert mean[3, 3] == pytest.approx(3.0)
    assert combined(np.full((1, 2, 2, 3), 1e6, np.float32)).max() <= BRIGHTEST + 1e-4


def test_the_tone_curve_is_monotone_linear_in_the_dark_and_white_at_the_top():
    ramp = np.repeat(np.linspace(0, 3, 600, dtype=np.float32)[:, None, None], 3, axis=2)
    shown = developed(ramp)[:, 0, 0].astype(int)
    assert (np.diff(shown) >= 0).all()
    assert shown[0] == 0
    assert shown[-1] == 255
    middle = developed(np.full((1, 1, 3), 0.18, np.float32))[0, 0, 0]
    assert middle == pytest.approx(118, abs=1)  # sRGB of 18 % grey


def test_whitening_lifts_the_paper_and_not_the_piece():
    linear = np.full((20, 20, 3), 0.6, np.float32)
    alpha = np.zeros((20, 20), np.float32)
    alpha[5:15, 5:15] = 1
    linear[5:15, 5:15] = 0.3
    linear[16, :] = 0.3  # a shadow
    out = whitened(linear, alpha)
    assert out[0, 0] == pytest.approx(1.05)
    assert out[10, 10] == pytest.approx(0.3)
    assert out[16, 0] == pytest.approx(1.05 / 2)
