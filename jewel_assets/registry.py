"""Which models there are, what their licences allow, and how each comes to lie, verified, in the models folder.

`registry.toml` says what is known; the models folder holds what is here; a mirror (a folder or a base address) serves
machines without a network; a publisher is asked by `fetch` alone, which only `jewel models fetch` calls.
"""

import contextlib
import errno
import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jewel_assets.errors import Permanent, Transient
from jewel_assets.settings import settings

if TYPE_CHECKING:
    from jewel_assets.download import Progress

SHIPPED = Path(__file__).with_name("registry.toml")  # a link to models/registry.toml; a copy of it once installed
REGISTRY = "registry.toml"
RECORDED = "recorded.json"
LOCK_TIMEOUT_S = 1800.0  # another process may be fetching a gigabyte


@dataclass(frozen=True)
class Model:
    """A verified file of weights on this machine. Small and picklable: a stage takes it to its workers."""

    name: str
    path: Path  # absolute
    sha256: str  # of the file as it is here: what a stage's `weights()` reports
    licence: str  # SPDX identifier


class Known(BaseModel):
    """A file that is accepted for a model; `bytes` is its size, where that is known too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(gt=0)] | None = None


class Entry(BaseModel):
    """What `registry.toml` says of one model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$")]  # a plain name: it cannot leave the folder
    purpose: str
    urls: tuple[Annotated[str, Field(pattern=r"^https?://")], ...] = ()
    licence: str
    licence_url: str
    commercial: bool  # may results be used commercially?
    default: bool = False  # does the pipeline use it unless told otherwise?
    known: tuple[Known, ...] = ()

    @property
    def size(self) -> int | None:
        """Bytes of the first known file whose size is known."""
        return next((known.bytes for known in self.known if known.bytes), None)


Where = Literal["here", "in the mirror", "to fetch", "refused"]
HashState = Literal["known", "recorded", "recorded at first fetch"]


class Registry:
    """The models of one folder.

    `folder` holds the weights and, beside them, `recorded.json`: the hashes seen first. Its own `registry.toml`, where
    there is one, adds to the shipped one and overrides it by name. `mirror` is a folder or an http(s) or file address
    under which the same file names lie. `allowed` names models that may be used although their licence forbids
    commercial use. `pause_s` and `read_timeout_s` are `download`'s.
    """

    def __init__(
        self,
        folder: Path,
        mirror: str | None = None,
        allowed: Sequence[str] = (),
        *,
        pause_s: float = 1.0,
        read_timeout_s: float = 60.0,
    ) -> None:
        self.folder = folder.absolute()
        self.mirror = mirror
        self.allowed = frozenset(allowed)
        self.pause_s = pause_s
        self.read_timeout_s = read_timeout_s
        self._entries = _read(SHIPPED)
        own = self.folder / REGISTRY
        if own.is_file() and not own.samefile(SHIPPED):
            self._entries |= _read(own)

    @classmethod
    def from_settings(cls) -> Self:
        """The registry that `JEWEL_MODELS`, `JEWEL_MODEL_MIRROR` and `JEWEL_ALLOW_MODELS` describe."""
        chosen = settings()
        return cls(chosen.models, chosen.model_mirror, chosen.allow_models)

    def entries(self) -> list[Entry]:
        """Every model that is known, in the order of the file."""
        return list(self._entries.values())

    def entry(self, name: str) -> Entry:
        """What is known of one model. Raises `Permanent` for a name that is not in the registry."""
        try:
            return self._entries[name]
        except KeyError:
            near = get_close_matches(name, self._entries, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(self._entries)}."
            raise Permanent(f"There is no model called {name} in the registry. {hint}") from None

    def find(self, name: str) -> Model | None:
        """The verified file of a model, from the models folder or the mirror; None if neither has it.

        Never asks a publisher. From a mirror it is copied into the models folder, or, where that cannot be written
        and the mirror is a folder, used in place. Raises `Permanent` when the licence forbids use, a hash is wrong or
        the mirror is not there, `Transient` when a mirror is out of reach for now.
        """
        entry = self._permitted(name)
        if (self.folder / entry.file).is_file():
            return self._verified(entry, self.folder / entry.file)
        return self._take(entry, self.mirror, None) if self.mirror else None

    def present(self) -> dict[str, str]:
        """Name -> SHA-256 of the models in the models folder that may be used."""
        here = (entry.name for entry in self.entries() if self.where(entry.name) == "here")
        return {model.name: model.sha256 for name in here if (model := self.find(name)) is not None}

    def fetch(self, name: str, source: str | Path | None = None, progress: "Progress | None" = None) -> Model:
        """The verified file of a model: the one here, else from `source`, else from the mirror, else its publisher.

        `source` is a folder or a base address; when it is given, nothing else is asked. The first time, the hash is
        recorded. Raises `Permanent` or `Transient` with the reason.
        """
        entry = self._permitted(name)
        if (self.folder / entry.file).is_file():
            return self._verified(entry, self.folder / entry.file)
        for base in (str(source),) if source else (self.mirror,) if self.mirror else ():
            if (model := self._take(entry, base, progress)) is not None:
                return model
        if source:
            raise Permanent(f"{name} is not in {source}: a file called {entry.file} is looked for there.")
        return self._ask_publisher(entry, progress)

    def check(self, name: str) -> Model:
        """The model in the models folder, its hash computed afresh. Raises `Permanent` if it is wrong or not there."""
        entry = self.entry(name)
        path = self.folder / entry.file
        if not path.is_file():
            raise Permanent(f"{name} is not here: `jewel models fetch {name}` gets it.")
        _hashes.clear()
        return self._verified(entry, path)

    def nearest(self, name: str) -> Path | None:
        """The file of a model in the models folder, else in a mirror that is a folder, unchecked; None without one."""
        file = self.entry(name).file
        mirror = _as_folder(self.mirror) if self.mirror else None
        return next((folder / file for folder in (self.folder, mirror) if folder and (folder / file).is_file()), None)

    def where(self, name: str) -> Where:
        """Where a model would come from now. An http mirror is not asked: what may be in it counts as to fetch."""
        entry = self.entry(name)
        if not (entry.commercial or name in self.allowed):
            return "refused"
        nearest = self.nearest(name)
        if nearest is None:
            return "to fetch"
        return "here" if nearest.parent == self.folder else "in the mirror"

    def hash_state(self, name: str) -> HashState:
        """How a file of this model is checked: against a published hash, or the one recorded at the first fetch."""
        if self.entry(name).known:
            return "known"
        return "recorded" if name in self._recorded() else "recorded at first fetch"

    def _permitted(self, name: str) -> Entry:
        entry = self.entry(name)
        if not (entry.commercial or name in self.allowed):
            raise Permanent(
                f"The licence of {name} ({entry.licence}, {entry.licence_url}) forbids commercial use, so it is not "
                f"used. If your use is allowed, set JEWEL_ALLOW_MODELS={name}."
            )
        return entry

    def _take(self, entry: Entry, base: str, progress: "Progress | None") -> Model | None:
        """The model from a folder or a base address, or None if it does not have it."""
        folder = _as_folder(base)
        if folder is None:
            from jewel_assets.download import NotThere

            try:
                return self._install(entry, f"{base.rstrip('/')}/{entry.file}", progress)
            except NotThere:
                return None
        if not folder.is_dir():
            raise Permanent(f"There is no folder {folder} to take models from: check JEWEL_MODEL_MIRROR or --from.")
        path = folder / entry.file
        if not path.is_file():
            return None
        try:
            return self._install(entry, path, progress)
        except _Unwritable:
            return self._verified(entry, path.absolute())  # use it where it lies

    def _ask_publisher(self, entry: Entry, progress: "Progress | None") -> Model:
        if not entry.urls:
            raise Permanent(f"{entry.name} has no publisher's address: put {entry.file} into {self.folder}.")
        failures: list[Permanent | Transient] = []
        for url in entry.urls:
            try:
                return self._install(entry, url, progress)
            except (Permanent, Transient) as error:
                failures.append(error)
        reasons = " ".join(str(failure) for failure in failures)
        for failure in failures:  # one address that may work later is reason enough to try again
            if isinstance(failure, Transient):
                raise Transient(reasons, failure.retry_after) from failure
        raise Permanent(reasons)

    def _install(self, entry: Entry, source: str | Path, progress: "Progress | None") -> Model:
        """Bring one file into the models folder: under a lock, to a temporary name, verified, then renamed."""
        target = self.folder / entry.file
        with self._locked(entry.file):
            if target.exists():  # another process was faster
                return self._verified(entry, target)
            part = self.folder / f".{entry.file}.part"  # one name: what a killed process left is overwritten here
            try:
                if isinstance(source, Path):
                    shutil.copyfile(source, part)
                else:
                    from jewel_assets.download import download

                    download(source, part, progress=progress, pause_s=self.pause_s, read_timeout_s=self.read_timeout_s)
                sha256 = self._accepted(entry, part, str(source))
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        self._record(entry, target, sha256, str(source))
        return Model(entry.name, target, sha256, entry.licence)

    def _verified(self, entry: Entry, path: Path) -> Model:
        """The file at `path` as a model. A hash that nothing is known of yet is recorded (trust on first use)."""
        sha256 = self._accepted(entry, path, str(path))
        if not entry.known and entry.name not in self._recorded():
            with contextlib.suppress(_Unwritable):  # then there is nowhere to record it
                self._record(entry, path, sha256, "found in the models folder")
        return Model(entry.name, path, sha256, entry.licence)

    def _accepted(self, entry: Entry, path: Path, origin: str) -> str:
        """The SHA-256 of a file that may stand for this model. Raises `Permanent` for any other file."""
        try:
            _plausible(entry, path, origin)
            found = _sha256(path)
        except OSError as error:
            raise Permanent(f"{origin} cannot be read: {error}.") from error
        if entry.known:
            accepted, why = {known.sha256 for known in entry.known}, f"{REGISTRY} knows"
        else:
            accepted, why = {self._recorded().get(entry.name, {}).get("sha256", found)}, f"{RECORDED} remembers"
        if found not in accepted:
            raise _wrong(entry, path, origin, f"{why} {' or '.join(sorted(accepted))}", found)
        return found

    def _recorded(self) -> dict[str, dict[str, str]]:
        path = self.folder / RECORDED
        try:
            recorded = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Permanent(f"{path} cannot be read ({error}): repair it, or delete it to record anew.") from error
        return {str(name): dict(record) for name, record in recorded.items()}

    def _record(self, entry: Entry, path: Path, sha256: str, origin: str) -> None:
        with self._locked(RECORDED):
            recorded = self._recorded()
            if entry.name in recorded and recorded[entry.name]["sha256"] == sha256:
                return
            at = datetime.now(UTC).isoformat(timespec="seconds")
            recorded[entry.name] = {"file": path.name, "sha256": sha256, "from": origin, "at": at}
            part = self.folder / f".{RECORDED}.part"
            part.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n", "utf-8")
            part.replace(self.folder / RECORDED)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """One process at a time may write what `name` means; errors of the file system become sentences."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / f".{name}.lock", timeout=LOCK_TIMEOUT_S):
                yield
        except Timeout as error:
            raise Transient(f"Another process has been fetching {name} for {LOCK_TIMEOUT_S:.0f} s.") from error
        except OSError as error:
            raise _explained(error, self.folder) from error


class _Unwritable(Permanent):
    """The models folder cannot be written."""


def _explained(error: OSError, folder: Path) -> Exception:
    """What an error of the file system means for someone who fetches models into `folder`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Permanent(f"No space left in {folder}: free some, then fetch again.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return _Unwritable(f"The models folder {folder} cannot be written ({error}): point JEWEL_MODELS elsewhere.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return _Unwritable(f"{folder} is not a folder: point JEWEL_MODELS at one.")
    return error


def _read(path: Path) -> dict[str, Entry]:
    """The entries of one `registry.toml`. Raises `Permanent` with the place of what is wrong in it."""
    try:
        tables: Mapping[str, Mapping[str, object]] = tomllib.loads(path.read_text("utf-8")).get("models", {})
        return {name: Entry.model_validate({"name": name, **table}) for name, table in tables.items()}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Permanent(f"The model registry {path} cannot be read: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Permanent(
            f"The model registry {path} is wrong at `{place}` ({first['input']!r}): {first['msg']}."
        ) from error


def _as_folder(base: str) -> Path | None:
    """The folder that a mirror's address means; None for http(s)."""
    address = urlsplit(base)
    if address.scheme in ("http", "https"):
        return None
    return Path(unquote(address.path)) if address.scheme == "file" else Path(base).expanduser()


_hashes: dict[tuple[int, int, int, int], str] = {}  # (device, inode, size, time of change) -> SHA-256


def _sha256(path: Path) -> str:
    """SHA-256 of a file, computed once per process for as long as its inode, size and time stay the same."""
    stat = path.stat()
    stamp = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if stamp not in _hashes:
        with path.open("rb") as file:
            _hashes[stamp] = hashlib.file_digest(file, "sha256").hexdigest()
    return _hashes[stamp]


_MAGIC = {".tflite": (4, b"TFL3"), ".pth": (0, b"PK"), ".safetensors": (8, b"{")}  # offset, bytes


def _plausible(entry: Entry, path: Path, origin: str) -> None:
    """Refuse what a proxy, a Git LFS server or a broken copy gives in place of a model, whatever is known of it."""
    with path.open("rb") as file:
        head = file.read(512)
    suffix = Path(entry.file).suffix
    offset, magic = _MAGIC.get(suffix, (0, b""))
    if not head:
        found = "empty"
    elif re.match(rb"\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        found = "a web page"
    elif head.startswith(b"version https://git-lfs"):
        found = "a Git LFS pointer"
    elif not head[offset:].startswith(magic) or (suffix == ".task" and b"PK\x03\x04" not in head[:8]):
        found = "of another kind"
    else:
        return
    what = f"What came from {origin} for {entry.name} is {found}, not {entry.file}."
    raise Permanent(f"{what} {_remedy(entry, path, origin)}")


def _wrong(entry: Entry, path: Path, origin: str, expected: str, found: str) -> Permanent:
    what = f"{origin} is not the {entry.name} that is expected: its SHA-256 is {found}, {expected}."
    return Permanent(f"{what} {_remedy(entry, path, origin)}")


def _remedy(entry: Entry, path: Path, origin: str) -> str:
    if str(path) == origin:  # a file that lies there, not one that was just brought
        return (
            f"Delete it and run `jewel models fetch {entry.name}`; if you put it there yourself, say so: its hash "
            f"belongs in {REGISTRY}, or, where none is known, its old entry out of {RECORDED}."
        )
    return f"Nothing was kept. If it is a release that you trust, add its hash to {REGISTRY} in your models folder."
