"""Resources turn settings into plain objects and stop there."""

import dagster as dg

from jewel_assets.lake import Lake
from jewel_assets.registry import Registry
from jewel_assets.settings import settings


class LakeResource(dg.ConfigurableResource[Lake]):
    """Where datasets and blobs live (default `JEWEL_LAKE`). Opens the lake; knows nothing of what is in it."""

    root: str | None = None

    def create_resource(self, context: dg.InitResourceContext) -> Lake:
        """Open the lake at `root`, a path or an fsspec URL."""
        return Lake(self.root or settings().lake)


class ModelsResource(dg.ConfigurableResource[Registry]):
    """The model registry (`JEWEL_MODELS`, `JEWEL_MODEL_MIRROR`, `JEWEL_ALLOW_MODELS`)."""

    def create_resource(self, context: dg.InitResourceContext) -> Registry:
        """Open the registry; loads no model."""
        return Registry.from_settings()


@dg.definitions
def resources() -> dg.Definitions:
    """What assets ask for by name, and how the steps of a run are executed."""
    return dg.Definitions(
        resources={"lake": LakeResource(), "models": ModelsResource()},
        # Steps are started from a server that has loaded the definitions already. Their number at a time is bounded
        # because each may hold a model: without it Dagster takes the machine's cores, not the container's.
        executor=dg.multiprocess_executor.configured(
            {"max_concurrent": 2, "start_method": {"forkserver": {"preload_modules": ["jewel_assets.definitions"]}}}
        ),
    )
