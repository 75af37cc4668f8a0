"""Every setting of the project in one place: environment variables `JEWEL_*`, also read from `.env`."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from jewel_assets.errors import Permanent


class Settings(BaseSettings):
    """What the user can set. Field `lake` is the variable `JEWEL_LAKE`, and so on."""

    model_config = SettingsConfigDict(env_prefix="JEWEL_", env_file=".env", env_ignore_empty=True, extra="ignore")

    lake: str = Field("data_lake", description="Where datasets and blobs live: a path or a URL (`s3://bucket/lake`).")
    photos: Path | None = Field(
        None, description="A folder of photos with one sub-folder per category: the source `folder`."
    )
    textures: Path | None = Field(
        None, description="A folder of textures with one sub-folder per texture theme: the source `texture_folder`."
    )
    models: Path = Field(Path("models"), description="The folder with `registry.toml` and the fetched weights.")
    model_mirror: str | None = Field(
        None, description="A folder or base address to take weights from before their publishers are asked."
    )
    allow_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names, separated by commas, of models with a restrictive licence that you may use."
    )
    workers: int = Field(0, ge=0, description="Worker processes per stage; 0 lets `workers x threads` fill the cores.")
    threads: int = Field(1, ge=1, description="Threads of each worker (OpenCV, ONNX Runtime, OpenVINO, MNN, torch).")
    max_failed_share: float = Field(
        0.2, ge=0, le=1, description="A stage publishes nothing when a larger share of its items failed."
    )
    max_image_pixels: int = Field(100_000_000, gt=0, description="Larger images are refused as decompression bombs.")
    max_image_side: int = Field(20_000, gt=0, description="Images with a longer side (pixels) are refused.")

    unsplash_key: SecretStr | None = Field(None, description="Access key of an Unsplash application: its photos.")
    sketchfab_token: SecretStr | None = Field(None, description="API token of a Sketchfab account: 3D models.")
    open_collections: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Collections to ask that need no key, commas between: `openverse`, `met`."
    )
    unsplash_training_permission: str | None = Field(
        None,
        description="A sentence saying who permits to train on Unsplash photos; without it they are never trained on.",
    )
    pinterest_permission: str | None = Field(
        None,
        description="A sentence saying who permits to keep pins, as Pinterest does not; without it, Pinterest is off.",
    )
    queries: Path | None = Field(None, description="A TOML file of your own with what is searched for.")
    templates: Path | None = Field(
        None, description="A folder of templates of your own (TOML files) for promotional images."
    )
    captions: Path | None = Field(
        None, description="A folder of phrases of your own (TOML, a file per language) for captions."
    )
    contact: str | None = Field(
        None, description="A mail or web address of yours; every request names it, as Wikimedia, for one, asks."
    )
    private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts or networks within yours that may be fetched from, commas between; else none may."
    )
    unsplash_url: str = Field("https://api.unsplash.com", description="Unsplash's interface, or a stand-in for it.")
    sketchfab_url: str = Field("https://api.sketchfab.com", description="Sketchfab's interface, or a stand-in for it.")
    pinterest_url: str = Field("https://www.pinterest.com", description="Pinterest's pages, or a stand-in for them.")
    openverse_url: str = Field("https://api.openverse.org", description="Openverse's interface, or a stand-in for it.")
    met_url: str = Field(
        "https://collectionapi.metmuseum.org", description="The Met's interface, or a stand-in for it."
    )

    @field_validator("unsplash_url", "sketchfab_url", "pinterest_url", "openverse_url", "met_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("it should be an address that begins with https:// (or http://)")
        return value.rstrip("/")

    @field_validator("open_collections")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        strange = sorted(set(value) - {"openverse", "met"})
        if strange:
            raise ValueError(f"there is no open collection {strange[0]!r}: openverse and met are known")
        return value

    @field_validator("allow_models", "open_collections", "private_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def cores(self) -> int:
        """CPU cores this process may use (its affinity, where the system tells)."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once (`settings.cache_clear()` forgets them).

    Raises `Permanent`, naming the variable, for a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"JEWEL_{str(e['loc'][0]).upper()}={e['input']}: {e['msg']}" for e in error.errors())
        raise Permanent(f"A setting cannot be used (environment or .env): {wrong}.") from error
