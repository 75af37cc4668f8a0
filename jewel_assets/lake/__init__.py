"""Datasets and blobs, and the runner that does something to each item. Shared by all streets."""

from jewel_assets.lake.blobs import Blob, BlobStore
from jewel_assets.lake.datasets import Dataset, Lake, Outcomes, Publication
from jewel_assets.lake.decisions import Decision, DecisionLog, Decisions
from jewel_assets.lake.runner import run_stage
from jewel_assets.lake.schema import GONE, ITEM_SCHEMA, OUTCOME_SCHEMA, blob_field, blob_fields
from jewel_assets.lake.selecting import run_selection
from jewel_assets.lake.stage_report import Progress, StageReport
from jewel_assets.lake.stages import Failed, Item, Made, Rejected, Result, Review, Selection, Stage
from jewel_assets.lake.workers import keep_workers

__all__ = [
    "GONE",
    "ITEM_SCHEMA",
    "OUTCOME_SCHEMA",
    "Blob",
    "BlobStore",
    "Dataset",
    "Decision",
    "DecisionLog",
    "Decisions",
    "Failed",
    "Item",
    "Lake",
    "Made",
    "Outcomes",
    "Progress",
    "Publication",
    "Rejected",
    "Result",
    "Review",
    "Selection",
    "Stage",
    "StageReport",
    "blob_field",
    "blob_fields",
    "keep_workers",
    "run_selection",
    "run_stage",
]
