"""Collecting photos: sources, licences, and the reading of files from outside."""

from jewel_assets.collect.answers import KeyRefused
from jewel_assets.collect.collecting import Plan, plan
from jewel_assets.collect.configured import SWITCHES, is_on, source_of
from jewel_assets.collect.fetch_file import FetchFile, FetchPhoto
from jewel_assets.collect.fetch_model import FetchModel
from jewel_assets.collect.folder import FOLDER_SCHEMA, TEXTURES, FolderKind, FolderSurvey, list_folder, survey_folder
from jewel_assets.collect.licences import forbids_training, refuses_publishing
from jewel_assets.collect.photo_file import Photo, PhotoLimits, Refused, decode_photo
from jewel_assets.collect.queries import queries_for
from jewel_assets.collect.read_photo import ReadPhoto
from jewel_assets.collect.source import fetched_folder, open_fetcher

__all__ = [
    "FOLDER_SCHEMA",
    "SWITCHES",
    "TEXTURES",
    "FetchFile",
    "FetchModel",
    "FetchPhoto",
    "FolderKind",
    "FolderSurvey",
    "KeyRefused",
    "Photo",
    "PhotoLimits",
    "Plan",
    "ReadPhoto",
    "Refused",
    "decode_photo",
    "fetched_folder",
    "forbids_training",
    "is_on",
    "list_folder",
    "open_fetcher",
    "plan",
    "queries_for",
    "refuses_publishing",
    "source_of",
    "survey_folder",
]
