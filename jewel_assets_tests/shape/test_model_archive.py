"""Downloaded archives: an honest one is read; every trick and damage is refused by name, before it is unpacked."""

import base64
import contextlib
import io
import json
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jewel_assets.shape.foreign.archive import LIMITS, Limits, open_model
from jewel_assets.shape.foreign.convert import convert
from jewel_assets.shape.foreign.flatten import flatten
from jewel_assets.shape.foreign.unusable import Unusable
from jewel_assets_tests.shape.foreign_files import Builder, one_mesh, packed, zipped

SMALL = Limits(unpacked_bytes=4 << 20, buffer_bytes=1 << 20, document_bytes=1 << 20, members=50, triangles=10_000)


def box() -> Builder:
    shape = trimesh.creation.box((0.02, 0.02, 0.004))
    return one_mesh(shape.vertices, shape.faces)


BOX = box()
ARCHIVE = BOX.archive()


def files(**changed: bytes | None) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(ARCHIVE)) as archive:
        held: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    return {name: content for name, content in (held | changed).items() if content is not None}


def scene(**changed: Any) -> bytes:
    return json.dumps(json.loads(files()["scene.gltf"]) | changed).encode()


def reason(data: bytes, limits: Limits = SMALL) -> str:
    with pytest.raises(Unusable) as raised:
        open_model(data, limits)
    assert str(raised.value).endswith((".", ")")), raised.value
    assert len(raised.value.reason) < 24
    return raised.value.reason


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_as_sketchfab_packs_it_is_read(method: int) -> None:
    found = open_model(zipped(files(), method), SMALL)
    assert found.kind == "glTF archive"
    assert found.buffers == (BOX.blob,)
    assert convert(ARCHIVE, "ring").facts["extent_x_mm"] == pytest.approx(20, abs=1e-4)


def test_a_folder_around_everything_and_a_glb_within_are_read() -> None:
    within = zipped({f"ring/{name}": content for name, content in files().items()})
    assert open_model(within).buffers == (BOX.blob,)
    assert open_model(zipped({"ring.glb": BOX.glb()})).buffers == (BOX.blob,)
    assert open_model(BOX.glb()).kind == "GLB"


def test_a_texture_is_never_unpacked() -> None:
    spoilt = bytearray(zipped(files(), zipfile.ZIP_STORED))
    place = spoilt.find(b"\x89PNG")
    spoilt[place : place + 4] = b"XXXX"  # its checksum is wrong now
    assert open_model(bytes(spoilt)).buffers == (BOX.blob,)


def test_a_model_without_a_texture_that_it_names_is_read() -> None:
    assert open_model(zipped(files(**{"textures/gold_baseColor.png": None}))).buffers == (BOX.blob,)


# ------------------------------------------------------------------ names and kinds of members


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "textures/../../evil", "/etc/passwd", "C:/evil.dll", "..\\evil.txt", "\\\\host\\evil", "a" * 300],
)
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    assert reason(zipped(files() | {name: b"x"})) == "unsafe name"


def test_a_name_with_a_nul_is_refused_though_readers_cut_it_there() -> None:
    content = zipped(files() | {"evilXtxt": b"x"}).replace(b"evilXtxt", b"evil\0txt")
    assert reason(content) == "unsafe name"


@pytest.mark.parametrize("twin", ["scene.bin", "SCENE.BIN", "./scene.bin", "textures/../scene.bin"])
def test_two_members_that_are_the_same_file_are_refused(twin: str) -> None:
    held = {**files(), "sceneXbin": b"other"} if twin == "scene.bin" else files() | {twin: b"other"}
    content = zipped(held).replace(b"sceneXbin", b"scene.bin")
    assert reason(content) in ("doubled member", "unsafe name")


def test_a_link_is_refused() -> None:
    file = io.BytesIO(ARCHIVE)
    with zipfile.ZipFile(file, "a") as archive:
        link = zipfile.ZipInfo("textures/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert reason(file.getvalue()) == "link in archive"


@pytest.mark.parametrize("where", ["list", "member"])
def test_an_encrypted_member_is_refused_wherever_that_is_said(where: str) -> None:
    spoilt = bytearray(ARCHIVE)
    place = spoilt.find(b"PK\x01\x02") + 8 if where == "list" else spoilt.find(b"PK\x03\x04") + 6
    spoilt[place] |= 1
    assert reason(bytes(spoilt)) == "encrypted archive"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packing_than_zip_has_is_refused(method: int) -> None:
    assert reason(zipped(files(), method)) == "unknown packing"


@pytest.mark.parametrize("name", ["more.zip", "source/ring.7Z", "a.tar.gz", "ring.usdz"])
def test_an_archive_within_the_archive_is_refused_unopened(name: str) -> None:
    assert reason(zipped(files() | {name: ARCHIVE})) == "nested archive"


# ------------------------------------------------------------------ bombs


def test_a_member_that_swells_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(files(**{"scene.bin": b"\0" * (3 << 20)}))

    def opened(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing may be unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", opened)
    assert reason(bomb) == "zip bomb"


def test_many_members_that_swell_a_little_are_refused_together() -> None:
    rng = np.random.default_rng(0)
    lump = np.repeat(rng.integers(0, 256, 4000, np.uint8), 100).tobytes()  # packs some 60 times
    many = zipped(files() | {f"textures/{number}.png": lump for number in range(45)})
    assert reason(many, Limits(members=50, unpacked_bytes=16 << 20)) == "zip bomb"
    assert reason(many, Limits(members=50, small_bytes=1 << 17, ratio=20)) == "zip bomb"


def test_members_that_share_their_bytes_are_refused() -> None:
    """The better zip bomb of Fifield 2019: many entries of the list point at one kernel."""
    content = bytearray(zipped(files() | {"twin.bin": files()["scene.bin"]}))
    offsets = {}
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        offsets = {entry.filename: entry.header_offset for entry in archive.infolist()}
    entry = content.find(b"twin.bin", content.find(b"PK\x01\x02")) - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into("<I", content, entry + 42, offsets["scene.bin"])
    assert reason(bytes(content)) == "overlapping members"


def test_a_list_of_very_many_members_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    many = zipped(files() | {f"{number}": b"" for number in range(60)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert reason(many) == "too many members"


def test_a_member_larger_than_it_says_is_refused() -> None:
    content = bytearray(ARCHIVE)
    entry = content.find(b"scene.bin", content.find(b"PK\x01\x02")) - 46
    size = struct.unpack_from("<I", content, entry + 24)[0]
    struct.pack_into("<I", content, entry + 24, size - 40)
    assert reason(bytes(content)) == "damaged file"


def test_more_bytes_than_are_read_are_refused() -> None:
    assert reason(ARCHIVE, Limits(packed_bytes=100)) == "too large"
    assert reason(ARCHIVE, Limits(buffer_bytes=100)) == "too large"
    assert reason(ARCHIVE, Limits(document_bytes=100)) == "too large"
    assert reason(BOX.glb(), Limits(document_bytes=100)) == "too large"


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("whole", [ARCHIVE, BOX.glb()], ids=["archive", "glb"])
def test_what_is_cut_off_is_damaged(whole: bytes, share: float) -> None:
    assert reason(whole[: int(len(whole) * share)]) == "damaged file"


def test_a_wrong_checksum_is_damage() -> None:
    spoilt = bytearray(zipped(files(), zipfile.ZIP_STORED))
    spoilt[spoilt.find(BOX.blob[:16]) + 3] ^= 1
    assert reason(bytes(spoilt)) == "damaged file"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a model"),
        (b"solid ring\nendsolid ring", "not a model"),
        (b"\xff\xd8\xff\xe0 a photo", "not a model"),
        (zipped({"readme.txt": b"x"}), "no model in archive"),
        (zipped({"a.gltf": b"{}", "b.gltf": b"{}"}), "several models"),
        (zipped({"scene.gltf": b"{"}), "damaged file"),
        (zipped({"scene.gltf": b"[1]"}), "damaged file"),
        (zipped({"scene.gltf": b'{"asset": {"version": "2.0"}, "a": NaN}'}), "damaged file"),
        (zipped({"scene.gltf": b'{"asset":' + b"[" * 100_000}), "damaged file"),
        (zipped({"scene.gltf": b'{"asset": {"version": "1.0"}}'}), "old glTF"),
        (b"glTF" + struct.pack("<II", 1, 20) + bytes(20), "old glTF"),
        (b"glTF" + struct.pack("<II", 2, 20) + struct.pack("<I4s", 0, b"BIN\0"), "damaged file"),
    ],
)
def test_what_is_no_model_has_a_reason(content: bytes, why: str) -> None:
    assert reason(content) == why


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.com/scene.bin",
        "https:scene.bin",
        "file:///etc/passwd",
        "//host/share/scene.bin",
        "/etc/passwd",
        "../scene.bin",
        "%2e%2e/scene.bin",
        "textures/../../scene.bin",
        "..\\scene.bin",
        "C:\\scene.bin",
        "http://[broken",
    ],
)
def test_a_buffer_or_image_elsewhere_is_never_opened(uri: str) -> None:
    size = len(BOX.blob)
    held = files(**{"scene.gltf": scene(buffers=[{"uri": uri, "byteLength": size}])})
    assert reason(zipped(held)) == "external file"
    assert reason(packed(json.loads(scene(buffers=[{"uri": uri, "byteLength": size}])))) == "external file"
    assert reason(zipped(files(**{"scene.gltf": scene(images=[{"uri": uri}])}))) == "external file"


def test_a_buffer_that_did_not_come_with_the_model_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scene.bin").write_bytes(BOX.blob)  # beside the process, which is not in the archive
    assert reason(zipped(files(**{"scene.bin": None}))) == "missing buffer"
    assert reason(packed(json.loads(scene()))) == "missing buffer"


def test_a_name_with_escapes_finds_its_member() -> None:
    size = len(BOX.blob)
    held = files(**{"scene.bin": None, "my scene.bin": BOX.blob})
    held["scene.gltf"] = scene(buffers=[{"uri": "my%20scene.bin", "byteLength": size}])
    assert open_model(zipped(held)).buffers == (BOX.blob,)


def test_a_buffer_within_the_description_is_read_and_bounded() -> None:
    def with_uri(uri: str) -> bytes:
        return zipped({"scene.gltf": scene(buffers=[{"uri": uri, "byteLength": len(BOX.blob)}], images=[])})

    text = base64.b64encode(BOX.blob).decode()
    assert open_model(with_uri(f"data:application/octet-stream;base64,{text}")).buffers == (BOX.blob,)
    assert reason(with_uri("data:text/plain,abc")) == "damaged file"
    assert reason(with_uri("data:;base64,@@@@")) == "damaged file"
    assert reason(with_uri(f"data:;base64,{text[:40]}")) == "damaged file"
    assert reason(with_uri("data:;base64," + "A" * 900_000), Limits(buffer_bytes=600_000)) == "too large"


@pytest.mark.parametrize("size", [-1, 1e3, None, "9", True, 1 << 40])
def test_a_buffer_of_an_impossible_length_is_refused(size: object) -> None:
    held = files(**{"scene.gltf": scene(buffers=[{"uri": "scene.bin", "byteLength": size}])})
    assert reason(zipped(held)) in ("damaged file", "too large")


# ------------------------------------------------------------------ whatever the bytes

WHOLE = {"archive": ARCHIVE, "stored": zipped(files(), zipfile.ZIP_STORED), "glb": BOX.glb()}


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0.5, 1),
)
def test_whatever_bytes_change_a_model_is_read_or_refused_in_a_sentence(
    which: str, changes: list[tuple[float, int]], share: float
) -> None:
    spoilt = bytearray(WHOLE[which])
    for place, value in changes:
        spoilt[int(place * len(spoilt))] = value
    if share < 0.75:
        spoilt = spoilt[: int(share * len(spoilt))]
    with contextlib.suppress(Unusable):  # anything else is a fault
        flatten(open_model(bytes(spoilt), SMALL), SMALL)


def test_the_limits_leave_room_for_real_downloads() -> None:
    assert LIMITS.packed_bytes >= 500 << 20
    assert LIMITS.triangles >= 2_000_000
