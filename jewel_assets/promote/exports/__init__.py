"""Packages for Instagram: written, and judged. Nothing is ever posted."""

from jewel_assets.promote.exports.formats import CAROUSEL, FORMATS, FREE, JPEG_BYTES, Format
from jewel_assets.promote.exports.manifest import MANIFEST, Manifest
from jewel_assets.promote.exports.pack import Package, Picture, Post, pack, slug
from jewel_assets.promote.exports.validate import Problem, validate

__all__ = [
    "CAROUSEL",
    "FORMATS",
    "FREE",
    "JPEG_BYTES",
    "MANIFEST",
    "Format",
    "Manifest",
    "Package",
    "Picture",
    "Post",
    "Problem",
    "pack",
    "slug",
    "validate",
]
