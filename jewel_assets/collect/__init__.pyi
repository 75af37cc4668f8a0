from .answers import KeyRefused
from .collecting import Plan, plan
from .configured import SWITCHES, is_on, source_of
from .fetch_file import FetchFile, FetchPhoto
from .fetch_model import FetchModel
from .folder import FOLDER_SCHEMA, TEXTURES, FolderKind, FolderSurvey, list_folder, survey_folder
from .licences import forbids_training, refuses_publishing
from .photo_file import Photo, PhotoLimits, Refused, decode_photo
from .queries import queries_for
from .read_photo import ReadPhoto
from .source import fetched_folder, open_fetcher

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
