from .blobs import Blob, BlobStore
from .datasets import Dataset, Lake, Outcomes, Publication
from .decisions import Decision, DecisionLog, Decisions
from .runner import run_stage
from .schema import GONE, ITEM_SCHEMA, OUTCOME_SCHEMA, blob_field, blob_fields
from .selecting import run_selection
from .stage_report import Progress, StageReport
from .stages import Failed, Item, Made, Rejected, Result, Review, Selection, Stage
from .workers import keep_workers

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
