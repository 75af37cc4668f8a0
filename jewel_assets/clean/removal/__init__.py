"""Background removal: several engines, one place that chooses. What others use is exported here."""

from jewel_assets.clean.removal.auto import AutoRemover
from jewel_assets.clean.removal.choose import Engine, choose_remover
from jewel_assets.clean.removal.foreground import cut_out
from jewel_assets.clean.removal.network import FAMILIES, NetworkRemover
from jewel_assets.clean.removal.outline import faint_share
from jewel_assets.clean.removal.plain import PlainRemover
from jewel_assets.clean.removal.remover import LARGEST_FAINT_SHARE, REVIEW_BELOW, Matte, Remover

__all__ = [
    "FAMILIES",
    "LARGEST_FAINT_SHARE",
    "REVIEW_BELOW",
    "AutoRemover",
    "Engine",
    "Matte",
    "NetworkRemover",
    "PlainRemover",
    "Remover",
    "choose_remover",
    "cut_out",
    "faint_share",
]
