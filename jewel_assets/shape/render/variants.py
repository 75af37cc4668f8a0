"""Which of Mitsuba's variants run on this machine, and how they are chosen.

`scalar_rgb` runs everywhere. `llvm_ad_rgb` wants LLVM's shared library of a version that Dr.Jit knows; with another one
the whole process aborts, so it is tried in a process of its own and the answer is remembered. `cuda_ad_rgb` wants an
NVIDIA driver. Nothing here is decided by a version number alone: a variant counts as present when it rendered.
"""

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from jewel_assets.errors import Permanent

REPRODUCIBLE = "scalar_rgb"
"""The variant whose pictures are the same bit for bit on every run."""

VARIANTS = ("cuda_ad_rgb", "llvm_ad_rgb", REPRODUCIBLE)
"""From the fastest to the surest."""

_PROBE = """
import mitsuba as mi
mi.set_variant({variant!r})
scene = mi.load_dict({{"type": "scene", "integrator": {{"type": "path"}}, "shape": {{"type": "sphere"}},
                      "light": {{"type": "constant"}}, "sensor": {{"type": "perspective",
                      "film": {{"type": "hdrfilm", "width": 4, "height": 4}}}}}})
print("rendered", mi.TensorXf(mi.render(scene, spp=1)).shape)
"""
_PROBE_SECONDS = 120.0  # a first kernel takes 3 s to compile on one idle core; shared cores are slower


def mitsuba(variant: str) -> Any:
    """Mitsuba with `variant` set.

    Raises Permanent with what to install when it is missing, or when this machine cannot run the variant.
    """
    if importlib.util.find_spec("mitsuba") is None:
        raise Permanent("Rendering needs Mitsuba, which is not installed: pip install 'jewel-assets[render]'.")
    if variant not in VARIANTS:
        raise Permanent(f"There is no render variant {variant!r}; choose auto, {', '.join(VARIANTS)}.")
    if variant not in available():
        wants = {
            "llvm_ad_rgb": "LLVM's shared library (Debian: apt install libllvm19; or set DRJIT_LIBLLVM_PATH to it)",
            "cuda_ad_rgb": "an NVIDIA GPU with its driver",
        }
        raise Permanent(f"{variant} does not run on this machine: it wants {wants[variant]}. Use {REPRODUCIBLE}.")
    if variant == "llvm_ad_rgb":
        os.environ.setdefault("DRJIT_LIBLLVM_PATH", str(_llvm()))
    import mitsuba as mi

    if mi.variant() != variant:
        mi.set_variant(variant)
    return mi


def choose(variant: str = "auto") -> str:
    """`variant` itself, or for "auto" the fastest that runs here."""
    return available()[0] if variant == "auto" else variant


@cache
def available() -> tuple[str, ...]:
    """The variants that run here, the fastest first. Empty without Mitsuba."""
    if importlib.util.find_spec("mitsuba") is None:
        return ()
    faster = []
    if _has_nvidia() and _renders("cuda_ad_rgb", {}):
        faster.append("cuda_ad_rgb")
    if (library := _llvm()) is not None:
        faster.append("llvm_ad_rgb")
        os.environ.setdefault("DRJIT_LIBLLVM_PATH", str(library))
    return (*faster, REPRODUCIBLE)


@cache
def _llvm() -> Path | None:
    """The first of this machine's LLVM libraries, from the newest, with which a picture comes out; None without one."""
    for library in llvm_candidates():
        if _renders("llvm_ad_rgb", {"DRJIT_LIBLLVM_PATH": str(library)}):
            return library
    return None


def llvm_candidates() -> list[Path]:
    """Shared libraries of LLVM, the newest version first; if DRJIT_LIBLLVM_PATH is set, that one alone."""
    if named := os.environ.get("DRJIT_LIBLLVM_PATH"):
        return [Path(named)] if Path(named).exists() else []
    machine = platform.machine()
    folders = [
        Path(f"/usr/lib/{machine}-linux-gnu"),
        Path("/usr/lib64"),
        Path("/usr/local/lib"),
        Path("/opt/homebrew/opt/llvm/lib"),
        Path("/usr/local/opt/llvm/lib"),
        *sorted(Path("/usr/lib").glob("llvm-*/lib")),
    ]
    names = ("libLLVM*.so*", "libLLVM*.dylib")
    found = {file.resolve() for folder in folders for name in names for file in folder.glob(name)}

    def version(file: Path) -> int:
        numbers = re.findall(r"\d+", file.name)
        return int(numbers[0]) if numbers else 0

    return sorted(found, key=lambda file: (-version(file), str(file)))


def _has_nvidia() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def _renders(variant: str, settings: dict[str, str]) -> bool:
    """Whether a process of its own gets a picture out of `variant`. Remembered per version of Mitsuba and library."""
    library = settings.get("DRJIT_LIBLLVM_PATH", "")
    stamp = str(Path(library).stat().st_mtime_ns) if library else ""
    key = "|".join([variant, metadata.version("mitsuba"), metadata.version("drjit"), library, stamp, platform.node()])
    answers = _answers()
    if key not in answers:
        try:
            run = subprocess.run(
                [sys.executable, "-c", _PROBE.format(variant=variant)],
                env={**os.environ, **settings},
                capture_output=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False  # a busy machine, perhaps: not worth remembering
        answers = {**_answers(), key: run.returncode == 0 and b"rendered" in run.stdout}
        _remember(answers)
    return bool(answers[key])


def _memory() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "jewel-assets" / "render-variants.json"


def _answers() -> dict[str, bool]:
    try:
        answers = json.loads(_memory().read_text())
    except (OSError, ValueError):
        return {}
    return answers if isinstance(answers, dict) else {}


def _remember(answers: dict[str, bool]) -> None:
    """Written beside and renamed, so that a second process never reads half an answer; a read-only home is no error."""
    try:
        _memory().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=_memory().parent, delete=False, suffix=".json") as file:
            json.dump(answers, file, indent=1)
        Path(file.name).replace(_memory())
    except OSError:
        return
