"""Collecting photos: sources, licences, and the reading of files from outside."""

from jewel_assets.collect.folder import FOLDER_SCHEMA, FolderSurvey, list_folder, survey_folder
from jewel_assets.collect.photo_file import Photo, PhotoLimits, Refused, decode_photo
from jewel_assets.collect.read_photo import ReadPhoto

__all__ = [
    "FOLDER_SCHEMA",
    "FolderSurvey",
    "Photo",
    "PhotoLimits",
    "ReadPhoto",
    "Refused",
    "decode_photo",
    "list_folder",
    "survey_folder",
]
