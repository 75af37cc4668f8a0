"""The one place that chooses how backgrounds are removed."""

from typing import Literal

from jewel_assets.clean.removal.auto import AutoRemover
from jewel_assets.clean.removal.network import FAMILIES, NetworkRemover
from jewel_assets.clean.removal.plain import PlainRemover
from jewel_assets.clean.removal.remover import Remover
from jewel_assets.errors import Permanent
from jewel_assets.registry import Registry

Engine = Literal["auto", "network", "plain"]


def choose_remover(
    registry: Registry, engine: Engine = "auto", model: str | None = "u2netp", lazily: bool = False
) -> Remover:
    """The engine that removes backgrounds.

    `auto` decides per image and works without weights too (`model=None`, or a model that is not to be had: the name of
    what ran, on every item, then says "no weights"). `network` uses the named model on every image and raises
    `Permanent` where it is not to be had. `plain` uses no weights. `lazily` lets `auto` load its network at the first
    image that needs it. Raises `Permanent` for a name no engine knows.
    """
    if engine == "plain":
        return PlainRemover()
    if engine not in ("auto", "network"):
        raise Permanent(f"There is no background remover called {engine!r}. Choose auto, network or plain.")
    if model is not None and model not in FAMILIES:
        raise Permanent(
            f"No background remover knows the model {model!r}. Choose one of: {', '.join(sorted(FAMILIES))}."
        )
    found = registry.find(model) if model else None
    if found is None and engine == "network":
        raise Permanent(
            f"The model {model!r} is not in the models folder. Run `jewel models fetch {model}`, set "
            "JEWEL_MODEL_MIRROR to a folder that has it, or choose the engine auto or plain, which work without."
        )
    network = NetworkRemover(found, "best") if found else None
    return network if engine == "network" and network else AutoRemover(network, lazily=lazily)
