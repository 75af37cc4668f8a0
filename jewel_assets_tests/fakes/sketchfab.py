"""A stand-in for Sketchfab: its interface at 127.0.0.1, its storage at localhost, in the shapes of its documentation.

An address that the interface hands out is signed and expires. Showing the token to the storage, or asking it again with
an address that it refused as expired, is a violation.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, quote

from jewel_assets.categories import CATEGORIES
from jewel_assets_tests.fakes.models import glb, gltf_zip
from jewel_assets_tests.fakes.server import FakeServer, Reply, Seen, json_reply

TOKEN = "fake-sketchfab-token-0123456789abcdef"

LABELS = {
    "by": "CC Attribution",
    "by-sa": "CC Attribution-ShareAlike",
    "by-nd": "CC Attribution-NoDerivs",
    "by-nc": "CC Attribution-NonCommercial",
    "by-nc-sa": "CC Attribution-NonCommercial-ShareAlike",
    "by-nc-nd": "CC Attribution-NonCommercial-NoDerivs",
    "cc0": "CC0 Public Domain",
    "free-st": "Free Standard",
    "st": "Standard",
    "ed": "Editorial",
}
MOST_PER_PAGE = 24


@dataclass
class _Signed:
    """An address that was handed out."""

    uid: str
    flavour: str
    expires_at: float  # time.monotonic()
    refused: bool = False


class FakeSketchfab(FakeServer):
    """`total` models for each query, whose licences go round `slugs`. What differs is set by number or by uid."""

    def __init__(self, total: int = 30, slugs: tuple[str, ...] = ("cc0", "by"), expires: float = 300) -> None:
        super().__init__()
        self.total = total
        self.slugs = slugs
        self.expires = expires  # seconds
        self.changes: dict[int, Mapping[str, Any]] = {}  # number of a result -> fields that are other ones
        self.given: dict[str, bytes] = {}  # uid -> what the storage gives instead of its archive
        self.withdrawn: set[str] = set()  # uids that may no longer be downloaded
        self.gone: set[str] = set()
        self.stale = 0  # so many addresses are handed out that have expired already
        self.signed: dict[str, _Signed] = {}  # signature -> what it is for
        self.storage_url = self.other_url  # where addresses lead

    @property
    def storage(self) -> str:
        """The storage's host."""
        return f"localhost:{self.port}"

    def uid(self, query: str, number: int) -> str:
        """32 hexadecimal digits, as Sketchfab's are."""
        return hashlib.md5(f"{query} {number}".encode()).hexdigest()

    def uids(self, query: str) -> list[str]:
        """Of all models of a query."""
        return [self.uid(query, number) for number in range(self.total)]

    def archive(self, query: str, number: int, flavour: str) -> bytes:
        """The bytes of a model; those with an odd number have no GLB."""
        category = next((name for name in CATEGORIES if name.rstrip("s") in query), "ring")
        return (glb if flavour == "glb" else gltf_zip)(category, number)

    def reply(self, seen: Seen) -> Reply:
        """See https://docs.sketchfab.com/data-api/v3/ and https://sketchfab.com/developers/download-api."""
        if seen.path.startswith("/archives/"):
            return self._stored(seen)
        if seen.host == self.storage:
            self.violations.append(f"{seen.path} was asked of the storage")
        token = seen.headers.get("authorization")
        if token is not None and token != f"Token {TOKEN}":
            return json_reply({"detail": "Invalid token."}, 401)
        if seen.path == "/v3/search":
            return self._search(seen)
        if seen.path.startswith("/v3/models/") and seen.path.endswith("/download"):
            if token is None:
                return json_reply({"detail": "Authentication credentials were not provided."}, 401)
            return self._download(seen.path.split("/")[3])
        return json_reply({"detail": "Not found."}, 404)

    def _search(self, seen: Seen) -> Reply:
        query, start = seen.query.get("q", ""), int(seen.query.get("cursor", "").removeprefix("cD0") or 0)
        count = int(seen.query.get("count", MOST_PER_PAGE))
        if count > MOST_PER_PAGE:
            self.violations.append(f"{count} results were asked for: more than {MOST_PER_PAGE} are ignored")
            count = MOST_PER_PAGE
        slugs = parse_qs(seen.query_text).get("licenses", [])
        for slug in slugs:
            if slug not in LABELS:
                wrong = f"Select a valid choice. {slug} is not one of the available choices."
                return json_reply({"detail": {"licenses": [wrong]}}, 400)
        numbers = [number for number in range(self.total) if not slugs or self._slug(number) in slugs]
        shown = numbers[start : start + count]
        following = f"cD0{start + count}" if start + count < len(numbers) else None
        flavours = seen.query.get("archives_flavours") == "true"
        answer = {
            "cursors": {"next": following, "previous": f"cD0{max(0, start - count)}" if start else None},
            "next": f"{self.url}/v3/search?q={quote(query)}&cursor={following}" if following else None,
            "previous": None,
            "results": [self._result(query, number, flavours) for number in shown],
        }
        return json_reply(answer, headers={"ETag": f'"{query}-{start}"'})

    def _slug(self, number: int) -> str:
        return self.slugs[number % len(self.slugs)]

    def _archives(self, query: str, number: int, flavours: bool) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for flavour in ("glb", "gltf"):
            if flavour == "glb" and number % 2:
                continue
            size = len(self.archive(query, number, flavour))
            one = {
                "type": flavour,
                "size": size,
                "faceCount": 384,
                "vertexCount": 192,
                "textureCount": 1,
                "textureMaxResolution": 64,
            }
            small = one | {"size": size // 2, "textureMaxResolution": 32}
            told[flavour] = [small, one] if flavours and flavour == "glb" else one
        usdz = {"type": "usdz", "size": 1000, "faceCount": 384, "vertexCount": 192, "textureCount": 1}
        return told | {"usdz": usdz, "source": usdz | {"type": "source", "size": 400 << 20}}

    def _result(self, query: str, number: int, flavours: bool) -> Mapping[str, Any]:
        uid, maker = self.uid(query, number), f"maker{number % 5}"
        image = {
            "uid": f"t{number}",
            "url": f"https://media.sketchfab.com/models/{uid}/thumbnails/a/448.jpeg",
            "width": 448,
            "height": 252,
            "size": 9000,
        }
        return {
            "uri": f"{self.url}/v3/models/{uid}",
            "uid": uid,
            "name": f"{query.title()} {number}",
            "description": "Made with love",
            "viewerUrl": f"https://sketchfab.com/3d-models/{query.replace(' ', '-')}-{uid}",
            "embedUrl": f"https://sketchfab.com/models/{uid}/embed",
            "isDownloadable": True,
            "isAgeRestricted": False,
            "isProtected": False,
            "publishedAt": "2024-01-23T07:43:40.123456",
            "createdAt": "2024-01-22T10:00:00.000000",
            "staffpickedAt": None,
            "viewCount": 100 + number,
            "likeCount": number,
            "commentCount": 0,
            "animationCount": 0,
            "soundCount": 0,
            "faceCount": 384,
            "vertexCount": 192,
            "price": None,
            "tags": [{"name": "jewelry", "slug": "jewelry", "uri": f"{self.url}/v3/tags/jewelry"}],
            "categories": [{"name": "Fashion & Style"}],
            "thumbnails": {"images": [image]},
            "user": {
                "uid": f"u{number % 5}",
                "username": maker,
                "displayName": f"Maker Number {number % 5}",
                "profileUrl": f"https://sketchfab.com/{maker}",
                "account": "basic",
                "avatar": {"images": []},
                "uri": f"{self.url}/v3/users/u{number % 5}",
            },
            "license": {"uid": f"l-{self._slug(number)}", "label": LABELS[self._slug(number)]},
            "archives": self._archives(query, number, flavours),
        } | dict(self.changes.get(number, {}))

    def _download(self, uid: str) -> Reply:
        if uid in self.gone or (model := self._model(uid)) is None:
            return json_reply({"detail": "Not found."}, 404)
        if uid in self.withdrawn:
            return json_reply({"detail": "Model is not downloadable"}, 400)
        query, number = model
        told = {}
        for flavour in ("gltf",) if number % 2 else ("gltf", "glb"):
            size = len(self.given.get(uid) or self.archive(query, number, flavour))
            told[flavour] = {"url": self._sign(uid, flavour), "size": size, "expires": int(self.expires)}
        told["usdz"] = {"url": f"{self.storage_url}/archives/{uid}/usdz/x.usdz", "size": 1000, "expires": 300}
        self.stale = max(0, self.stale - 1)
        # What a cache would fall for: an answer that can be asked for on condition that it changed.
        return json_reply(told, headers={"ETag": f'"{uid}"', "Last-Modified": formatdate(usegmt=True)})

    def _model(self, uid: str) -> tuple[str, int] | None:
        for query in {seen.query.get("q", "") for seen in self.asked("/v3/search")}:
            if uid in self.uids(query):
                return query, self.uids(query).index(uid)
        return None

    def _sign(self, uid: str, flavour: str) -> str:
        signature = hashlib.sha256(f"{uid}{flavour}{self.next_number()}".encode()).hexdigest()[:28]
        lasts = -1.0 if self.stale else self.expires
        self.signed[signature] = _Signed(uid, flavour, time.monotonic() + lasts)
        extension = "glb" if flavour == "glb" else "zip"
        query = f"AWSAccessKeyId=ASIAFAKEFAKE&Signature={signature}&x-amz-security-token=session-{signature[:12]}"
        place = f"{self.storage_url}/archives/{uid}/{flavour}/{signature[:6]}/model.{extension}"
        return f"{place}?{query}&Expires={int(time.time() + lasts)}"

    def _stored(self, seen: Seen) -> Reply:
        if seen.host != self.storage:
            self.violations.append(f"{seen.path} was asked of the interface")
        if "authorization" in seen.headers:
            self.violations.append("the token was shown to the storage")
        signed = self.signed.get(seen.query.get("Signature", ""))
        if signed is None or signed.uid not in seen.path:
            return _s3_error("SignatureDoesNotMatch", "The request signature we calculated does not match.")
        if time.monotonic() > signed.expires_at:
            if signed.refused:
                self.violations.append(f"{seen.path} was asked again with an address that has expired")
            signed.refused = True
            return _s3_error("AccessDenied", "Request has expired")
        model = self._model(signed.uid)
        assert model is not None
        body = self.given.get(signed.uid) or self.archive(*model, signed.flavour)
        told = {"ETag": f'"{hashlib.md5(body).hexdigest()}"', "Last-Modified": "Tue, 23 Jan 2024 12:43:40 GMT"}
        return Reply(200, body, told, "binary/octet-stream")


def _s3_error(code: str, message: str) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
    text += "<RequestId>7B4A0FABBEXAMPLE</RequestId><HostId>aHR0cHM6Ly9leGFtcGxl</HostId></Error>"
    return Reply(403, text.encode(), media_type="application/xml")
