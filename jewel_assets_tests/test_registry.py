"""The model registry against a real HTTP server with faults, wrong files, refused licences and several processes."""

import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jewel_assets.clean import choose_detectors, choose_remover
from jewel_assets.download import NoSuchHost, download
from jewel_assets.errors import Permanent, Transient
from jewel_assets.explore.embed import CLIP_WEIGHTS, choose_embedder
from jewel_assets.registry import RECORDED, SHIPPED, Model, Registry, _explained

WEIGHTS = b"\x08\x07" + bytes(range(256)) * 800  # 200 kB that could be an ONNX file
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
Answer = Callable[[BaseHTTPRequestHandler], None]


class Publisher:
    """An HTTP server on this machine that gives its answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, str | None]] = []  # path, Range header
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.requests.append((self.path, self.headers.get("Range")))
                answer = publisher.answers.pop(0) if len(publisher.answers) > 1 else publisher.answers[0]
                answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    it = Publisher()
    yield it
    it.server.shutdown()
    it.server.server_close()


def gives(body: bytes = WEIGHTS, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def breaks_off(after: int) -> Answer:
    return gives(WEIGHTS[:after], Content_Length=str(len(WEIGHTS)), ETag='"v1"')


def gives_the_rest(handler: BaseHTTPRequestHandler) -> None:
    assert handler.headers["If-Range"] == '"v1"'
    start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
    content_range = f"bytes {start}-{len(WEIGHTS) - 1}/{len(WEIGHTS)}"
    gives(WEIGHTS[start:], 206, Content_Range=content_range, ETag='"v1"')(handler)


def registry_of(folder: Path, *, url: str = "", known: bool = True, extra: str = "", **options: object) -> Registry:
    """A registry whose own `registry.toml` adds one model, `tiny`."""
    folder.mkdir(parents=True, exist_ok=True)
    urls = [f"{url}/tiny.onnx"] if url else []
    accepted = f'known = [{{ sha256 = "{SHA256}" }}]' if known else ""
    (folder / "registry.toml").write_text(
        f'[models.tiny]\nfile = "tiny.onnx"\npurpose = "tests"\nurls = {urls}\nlicence = "MIT"\n'
        f'licence_url = "https://example.org"\ncommercial = true\n{accepted}\n{extra}'
    )
    return Registry(folder, **{"pause_s": 0.01, "read_timeout_s": 0.3, **options})  # type: ignore[arg-type]


def visible(folder: Path) -> set[str]:
    """What a user sees in the models folder, apart from the registry itself."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")} - {"registry.toml"}


# --- the shipped registry ---------------------------------------------------------------------------------------------


def test_the_shipped_registry_lies_in_the_models_folder_of_the_repository() -> None:
    assert SHIPPED.resolve() == Path(__file__).resolve().parent.parent / "models" / "registry.toml"


def test_the_shipped_registry_names_every_model_with_its_licence_and_address(tmp_path: Path) -> None:
    entries = {entry.name: entry for entry in Registry(tmp_path).entries()}
    assert set(entries) == {
        *("u2netp", "u2net", "isnet-general-use", "silueta", "birefnet-general-lite", "bria-rmbg"),
        *("hand-landmarker", "pose-landmarker-lite", "blaze-face-full-range", "selfie-segmenter", "yunet"),
        *("mobilenet-v1-embedder", "open-clip-vit-b-32", "realesr-general-x4v3", "realesr-animevideov3"),
        *("fsrcnn-x2", "fsrcnn-x4"),
        *(folders := ("stable-diffusion-v1-5", "stable-diffusion-inpainting", "stable-diffusion-xl-base-1.0")),
    }
    assert all(entry.licence and entry.licence_url.startswith("https://") for entry in entries.values())
    assert [entry.name for entry in entries.values() if not entry.urls] == [*folders]  # they are put here by hand
    assert len({entry.file for entry in entries.values()}) == len(entries)
    assert [entry.name for entry in entries.values() if not entry.commercial] == ["bria-rmbg"]
    assert not any(entry.default and not entry.commercial for entry in entries.values())


def test_the_models_fetched_by_default_are_those_that_the_defaults_ask_for(tmp_path: Path) -> None:
    asked: list[str] = []

    class Asked(Registry):
        def find(self, name: str) -> Model | None:
            asked.append(name)
            return None

    registry = Asked(tmp_path)
    choose_detectors(registry)
    choose_remover(registry)
    choose_embedder(registry)
    fetched = [entry for entry in registry.entries() if entry.default]
    assert {entry.name for entry in fetched} == {*asked} - {CLIP_WEIGHTS}  # CLIP: only where torch is
    assert sum(entry.size or 0 for entry in fetched) < 20_000_000, "the README says 20 MB"


@pytest.mark.shared
def test_every_weight_on_this_machine_is_one_that_the_registry_accepts(shared: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path, mirror=str(shared / "weights"))
    there = [entry.name for entry in registry.entries() if registry.nearest(entry.name)]
    assert "u2netp" in there
    assert all(registry.find(name) for name in there)


# --- find: the models folder and the mirror, never a publisher --------------------------------------------------------


def test_a_model_that_is_nowhere_is_not_found_and_its_publisher_is_not_asked(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.answers = [gives()]
    registry = registry_of(tmp_path, url=publisher.url)
    assert registry.find("tiny") is None
    assert registry.where("tiny") == "to fetch"
    assert publisher.requests == []


def test_a_model_in_the_models_folder_is_found_with_its_hash(tmp_path: Path) -> None:
    registry = registry_of(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS)
    model = registry.find("tiny")
    assert model == Model("tiny", tmp_path / "tiny.onnx", SHA256, "MIT")
    assert pickle.loads(pickle.dumps(model)) == model


def test_a_relative_models_folder_gives_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registry_of(tmp_path / "models")
    (tmp_path / "models" / "tiny.onnx").write_bytes(WEIGHTS)
    model = Registry(Path("models")).find("tiny")
    assert model is not None
    assert model.path == tmp_path / "models" / "tiny.onnx"


def test_an_unknown_name_is_refused_with_the_names_that_are_near(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"no model called u2nep.*Did you mean u2netp"):
        Registry(tmp_path).find("u2nep")


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_mirror_folder_is_copied_from_and_left_as_it_was(tmp_path: Path, form: str) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "tiny.onnx").write_bytes(WEIGHTS)
    registry = registry_of(tmp_path / "models", mirror=form.format(mirror))
    assert registry.where("tiny") == "in the mirror"
    model = registry.find("tiny")
    assert model is not None
    assert model.path == tmp_path / "models" / "tiny.onnx"
    assert model.path.read_bytes() == WEIGHTS == (mirror / "tiny.onnx").read_bytes()
    assert registry.where("tiny") == "here"


def test_a_mirror_with_an_http_address_is_fetched_from(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [gives()]
    model = registry_of(tmp_path, mirror=f"{publisher.url}/weights/").find("tiny")
    assert model is not None
    assert model.sha256 == SHA256
    assert publisher.requests == [("/weights/tiny.onnx", None)]


def test_a_mirror_that_lacks_the_model_has_nothing_to_find(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [gives(b"no", 404)]
    assert registry_of(tmp_path / "a", mirror=publisher.url).find("tiny") is None
    assert registry_of(tmp_path / "b", mirror=str(tmp_path)).find("tiny") is None


def test_a_mirror_that_is_down_is_transient_and_not_taken_for_an_absent_model(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.answers = [gives(b"", 503)]
    with pytest.raises(Transient, match="503"):
        registry_of(tmp_path, mirror=publisher.url).find("tiny")


def test_a_mirror_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"no folder .*nowhere.*JEWEL_MODEL_MIRROR"):
        registry_of(tmp_path, mirror=str(tmp_path / "nowhere")).find("tiny")


def test_with_a_models_folder_that_cannot_be_written_the_mirror_is_used_in_place(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "tiny.onnx").write_bytes(WEIGHTS)
    registry = registry_of(tmp_path / "models", mirror=str(mirror))
    registry.folder = tmp_path / "models" / "registry.toml"  # a file: not even root can write into it
    model = registry.find("tiny")
    assert model == Model("tiny", mirror / "tiny.onnx", SHA256, "MIT")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_models_folder_still_serves_what_is_in_it(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, known=False)
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS)
    tmp_path.chmod(0o555)
    try:
        assert registry.find("tiny") is not None
    finally:
        tmp_path.chmod(0o755)


def test_a_models_folder_that_cannot_be_written_is_said_when_something_must_come_from_a_server(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.answers = [gives()]
    registry = registry_of(tmp_path, url=publisher.url)
    registry.folder = tmp_path / "registry.toml"
    with pytest.raises(Permanent, match="not a folder: point JEWEL_MODELS"):
        registry.fetch("tiny")


@pytest.mark.parametrize(("number", "words"), [(28, "No space left"), (30, "cannot be written"), (13, "JEWEL_MODELS")])
def test_errors_of_the_disk_become_sentences(tmp_path: Path, number: int, words: str) -> None:
    explained = _explained(OSError(number, os.strerror(number)), tmp_path)
    assert isinstance(explained, Permanent)
    assert words in str(explained)


# --- licences ---------------------------------------------------------------------------------------------------------


def test_a_licence_that_forbids_commercial_use_is_refused_even_if_the_file_is_here(tmp_path: Path) -> None:
    (tmp_path / "bria-rmbg-2.0.onnx").write_bytes(WEIGHTS)
    registry = Registry(tmp_path)
    assert registry.where("bria-rmbg") == "refused"
    for ask in (registry.find, registry.fetch):
        with pytest.raises(Permanent, match=r"forbids commercial use.*JEWEL_ALLOW_MODELS=bria-rmbg"):
            ask("bria-rmbg")


def test_a_refused_model_may_be_used_once_it_is_allowed_by_name(tmp_path: Path) -> None:
    assert Registry(tmp_path, allowed=["u2net"]).where("bria-rmbg") == "refused"
    registry = Registry(tmp_path, allowed=["bria-rmbg"])
    assert registry.where("bria-rmbg") == "to fetch"
    assert registry.find("bria-rmbg") is None


def test_the_settings_reach_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEWEL_MODELS", str(tmp_path))
    monkeypatch.setenv("JEWEL_MODEL_MIRROR", "http://mirror.example")
    monkeypatch.setenv("JEWEL_ALLOW_MODELS", "bria-rmbg, other")
    registry = Registry.from_settings()
    assert (registry.folder, registry.mirror) == (tmp_path, "http://mirror.example")
    assert registry.allowed == {"bria-rmbg", "other"}


# --- hashes -----------------------------------------------------------------------------------------------------------


def test_a_file_with_the_wrong_hash_is_never_used_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    registry = registry_of(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS[:-1] + b"!")
    with pytest.raises(Permanent, match=rf"tiny.onnx is not the tiny.*{SHA256}.*Delete it and run `jewel models fetch"):
        registry.find("tiny")
    with pytest.raises(Permanent):
        registry.fetch("tiny")


def test_a_file_that_changes_after_it_was_verified_is_noticed(tmp_path: Path) -> None:
    registry = registry_of(tmp_path)
    path = tmp_path / "tiny.onnx"
    path.write_bytes(WEIGHTS)
    assert registry.find("tiny") is not None
    path.write_bytes(WEIGHTS[::-1])
    os.utime(path, ns=(1, 1))
    with pytest.raises(Permanent, match=SHA256):
        registry.find("tiny")


def test_check_computes_the_hash_afresh_even_where_size_and_time_are_the_same(tmp_path: Path) -> None:
    registry = registry_of(tmp_path)
    path = tmp_path / "tiny.onnx"
    path.write_bytes(WEIGHTS)
    os.utime(path, ns=(1, 1))
    assert registry.check("tiny").sha256 == SHA256
    path.write_bytes(WEIGHTS[:-1] + b"!")
    os.utime(path, ns=(1, 1))
    with pytest.raises(Permanent):
        registry.check("tiny")


def test_check_of_a_model_that_is_not_here_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="jewel models fetch u2netp"):
        Registry(tmp_path).check("u2netp")


def test_a_wrong_file_in_the_mirror_is_refused_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "tiny.onnx").write_bytes(b"\x08 something else")
    registry = registry_of(tmp_path / "models", mirror=str(tmp_path))
    with pytest.raises(Permanent, match="Nothing was kept"):
        registry.find("tiny")
    assert visible(tmp_path / "models") == set()


def test_the_first_fetch_records_hash_time_and_origin_and_later_files_must_match(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.answers = [gives()]
    registry = registry_of(tmp_path, url=publisher.url, known=False)
    assert registry.hash_state("tiny") == "recorded at first fetch"
    registry.fetch("tiny")
    record = json.loads((tmp_path / RECORDED).read_text())["tiny"]
    assert record["sha256"] == SHA256
    assert record["from"] == f"{publisher.url}/tiny.onnx"
    assert record["at"].endswith("+00:00")
    assert registry.hash_state("tiny") == "recorded"
    (tmp_path / "tiny.onnx").unlink()
    publisher.answers = [gives(WEIGHTS + b"another release")]
    with pytest.raises(Permanent, match=f"recorded.json remembers {SHA256}"):
        registry.fetch("tiny")
    assert visible(tmp_path) == {RECORDED}


def test_a_file_put_there_by_hand_is_recorded_at_its_first_use(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, known=False)
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS)
    assert registry.find("tiny") is not None
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS + b"x")
    with pytest.raises(Permanent, match="remembers"):
        registry.find("tiny")


def test_a_broken_record_is_named_and_not_silently_forgotten(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, known=False)
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS)
    (tmp_path / RECORDED).write_text("{half a rec")
    with pytest.raises(Permanent, match=r"recorded.json cannot be read"):
        registry.find("tiny")


# --- fetch ------------------------------------------------------------------------------------------------------------


def test_fetch_gets_the_file_from_the_publisher_and_reports_its_progress(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [gives()]
    seen: list[tuple[int, int | None]] = []
    model = registry_of(tmp_path, url=publisher.url).fetch(
        "tiny", progress=lambda done, all_: seen.append((done, all_))
    )
    assert model.path.read_bytes() == WEIGHTS
    assert seen[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert visible(tmp_path) == {"tiny.onnx", RECORDED}
    assert not list(tmp_path.glob(".*.part"))


def test_a_model_that_is_here_is_not_fetched_again(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [gives()]
    registry = registry_of(tmp_path, url=publisher.url)
    assert registry.fetch("tiny") == registry.fetch("tiny")
    assert len(publisher.requests) == 1


def test_the_mirror_is_asked_before_the_publisher(tmp_path: Path, publisher: Publisher) -> None:
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS)
    publisher.answers = [gives()]
    registry_of(tmp_path / "models", url=publisher.url, mirror=str(tmp_path)).fetch("tiny")
    assert publisher.requests == []


def test_a_named_source_is_the_only_one_asked(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [gives()]
    registry = registry_of(tmp_path / "models", url=publisher.url)
    with pytest.raises(Permanent, match=r"tiny is not in .*tiny\.onnx"):
        registry.fetch("tiny", source=tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(WEIGHTS)
    assert registry.fetch("tiny", source=tmp_path).path == tmp_path / "models" / "tiny.onnx"
    assert publisher.requests == []


@pytest.mark.parametrize(
    "fault",
    [gives(b"", 500), gives(b"", 503), gives(b"", 429, Retry_After="0"), breaks_off(0), breaks_off(70_000)],
    ids=["500", "503", "429", "nothing", "truncated"],
)
def test_a_passing_fault_is_tried_again(tmp_path: Path, publisher: Publisher, fault: Answer) -> None:
    publisher.answers = [fault, gives(ETag='"v1"')]
    assert registry_of(tmp_path, url=publisher.url).fetch("tiny").sha256 == SHA256
    assert len(publisher.requests) == 2


def test_a_download_that_broke_off_goes_on_where_it_stopped(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [breaks_off(150_000), gives_the_rest]
    assert registry_of(tmp_path, url=publisher.url).fetch("tiny").sha256 == SHA256
    assert publisher.requests[1][1] is not None
    assert publisher.requests[1][1].startswith("bytes=")


def test_a_slow_server_is_transient(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [lambda handler: time.sleep(0.5)]
    with pytest.raises(Transient, match="could not be reached"):
        registry_of(tmp_path, url=publisher.url, read_timeout_s=0.05).fetch("tiny")


def test_a_server_that_is_not_there_is_transient(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="could not be reached"):
        registry_of(tmp_path, url="http://127.0.0.1:9").fetch("tiny")


def test_always_truncated_is_transient_and_leaves_nothing(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [breaks_off(1000)]
    with pytest.raises(Transient, match="broke off"):
        registry_of(tmp_path, url=publisher.url).fetch("tiny")
    assert visible(tmp_path) == set()


def test_a_server_that_asks_for_a_long_pause_is_not_waited_for(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [gives(b"", 429, Retry_After="3600")]
    with pytest.raises(Transient, match="429") as raised:
        registry_of(tmp_path, url=publisher.url).fetch("tiny")
    assert raised.value.retry_after == 3600
    assert len(publisher.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_permanent_and_asked_once(tmp_path: Path, publisher: Publisher, status: int) -> None:
    publisher.answers = [gives(b"", status)]
    with pytest.raises(Permanent, match=str(status)):
        registry_of(tmp_path, url=publisher.url).fetch("tiny")
    assert len(publisher.requests) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"<html>Please log in</html>", "text/html; charset=utf-8", "web page"),
        (b"\n<!DOCTYPE html><p>Please log in", "application/octet-stream", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "text/plain", "Git LFS pointer"),
        (b"", "application/octet-stream", "empty"),
    ],
)
def test_a_page_a_pointer_or_nothing_never_becomes_a_model_even_if_no_hash_is_known(
    tmp_path: Path, publisher: Publisher, body: bytes, content_type: str, words: str
) -> None:
    publisher.answers = [gives(body, Content_Type=content_type)]
    with pytest.raises(Permanent, match=words):
        registry_of(tmp_path, url=publisher.url, known=False).fetch("tiny")
    assert visible(tmp_path) == set()


def test_a_file_of_another_kind_is_refused_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "hand_landmarker.task").write_bytes(WEIGHTS)
    with pytest.raises(Permanent, match="of another kind"):
        Registry(tmp_path).find("hand-landmarker")


def test_the_second_address_is_used_when_the_first_has_lost_the_file(tmp_path: Path, publisher: Publisher) -> None:
    publisher.answers = [gives(b"", 404), gives()]
    registry_of(tmp_path, url=publisher.url)
    text = (tmp_path / "registry.toml").read_text()
    two = text.replace("/tiny.onnx']", f"/tiny.onnx', '{publisher.url}/moved.onnx']")
    (tmp_path / "registry.toml").write_text(two)
    assert Registry(tmp_path).fetch("tiny").sha256 == SHA256
    assert [path for path, _ in publisher.requests] == ["/tiny.onnx", "/moved.onnx"]


def test_a_model_without_an_address_asks_for_the_file(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"no publisher's address: put tiny\.onnx into"):
        registry_of(tmp_path).fetch("tiny")


# --- a user's own entries ---------------------------------------------------------------------------------------------


def test_a_users_registry_adds_to_the_shipped_one_and_overrides_it_by_name(tmp_path: Path) -> None:
    override = '[models.u2netp]\nfile = "mine.onnx"\npurpose = "mine"\nlicence = "MIT"\n'
    registry = registry_of(tmp_path, extra=override + 'licence_url = "https://example.org"\ncommercial = true\n')
    assert registry.entry("u2netp").file == "mine.onnx"
    assert {"tiny", "yunet"} <= {entry.name for entry in registry.entries()}


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ('file = "../../etc/passwd"', "file"),
        ('file = ".hidden"', "file"),
        ('file = "a.onnx"\nurls = ["ftp://example.org/a"]', "urls"),
        ('file = "a.onnx"\nknown = [{ sha256 = "abc" }]', "known"),
        ('file = "a.onnx"\nlicense = "MIT"', "license"),
    ],
)
def test_a_wrong_entry_is_named_with_its_place(tmp_path: Path, wrong: str, place: str) -> None:
    with pytest.raises(Permanent, match=rf"registry.toml is wrong at `{place}"):
        registry_of(
            tmp_path,
            extra=f'[models.bad]\n{wrong}\npurpose = ""\nlicence = "MIT"\nlicence_url = ""\ncommercial = true\n',
        )


def test_a_registry_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text("[models.\n")
    with pytest.raises(Permanent, match=r"registry.toml cannot be read"):
        Registry(tmp_path)


# --- several processes ------------------------------------------------------------------------------------------------


def _fetching_process(folder: Path) -> subprocess.Popen[str]:
    code = (
        "import sys; from pathlib import Path; from jewel_assets.registry import Registry;"
        "print(Registry(Path(sys.argv[1])).fetch('tiny').sha256)"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)


def test_two_processes_that_fetch_at_once_leave_one_whole_file(tmp_path: Path, publisher: Publisher) -> None:
    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)
        gives()(handler)

    publisher.answers = [slowly]
    registry_of(tmp_path, url=publisher.url)
    processes = [_fetching_process(tmp_path) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == [SHA256, SHA256]
    assert (tmp_path / "tiny.onnx").read_bytes() == WEIGHTS
    assert len(publisher.requests) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal of POSIX systems")
def test_a_process_killed_in_mid_download_leaves_nothing_half_visible_and_the_next_one_fetches(
    tmp_path: Path, publisher: Publisher
) -> None:
    done = threading.Event()

    def stalls(handler: BaseHTTPRequestHandler) -> None:
        breaks_off(150_000)(handler)
        done.wait(30)

    publisher.answers = [stalls, gives()]
    registry = registry_of(tmp_path, url=publisher.url, read_timeout_s=5)
    process = _fetching_process(tmp_path)
    part = tmp_path / ".tiny.onnx.part"
    until = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.01)
    assert 0 < part.stat().st_size < len(WEIGHTS)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    done.set()
    assert visible(tmp_path) == set()
    assert registry.find("tiny") is None
    assert registry.fetch("tiny").sha256 == SHA256
    assert not list(tmp_path.glob(".*.part"))


def test_a_machine_without_a_network_is_told_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(NoSuchHost, match="no such host, or no network"):
        download("http://nowhere.invalid/model.onnx", tmp_path / "model.onnx", attempts=4, pause_s=60)
