"""Whether a piece, or anyone's mesh, can be cast: rules with limits, sources, places and remedies."""

from jewel_assets.shape.castability.check import check
from jewel_assets.shape.castability.profiles import Profile, profile, profile_for, profiles
from jewel_assets.shape.castability.report import Casting, Finding, Report

__all__ = ["Casting", "Finding", "Profile", "Report", "check", "profile", "profile_for", "profiles"]
