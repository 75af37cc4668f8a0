"""The source `sketchfab`: downloadable 3D models, https://docs.sketchfab.com/data-api/v3/ and its download API.

A model is fetched in two steps: the interface hands out an address that is signed and good for some minutes, and the
storage gives the archive to whoever has that address. So it is asked for at the moment it is needed, never shown the
token, never kept, never quoted; once it has expired it is asked for anew. Sketchfab publishes no number of requests
that it allows: we ask once a second and wait when it answers 429.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from jewel_assets.collect.answers import Answer, Delayed, Gone, Received, Refusal
from jewel_assets.collect.fetcher import Fetcher
from jewel_assets.collect.licences import recognise
from jewel_assets.collect.limits import HostRule
from jewel_assets.collect.source import SEARCH_FRESH_S, Found, Source, Withdrawn, host_of, read_results, the_object

PER_PAGE = 24  # the most that a page may have; a larger number is ignored
MAX_BYTES = 200 << 20  # of an archive
MAX_FACES = 1_000_000  # a piece of jewellery has fewer; a scan of a whole bust has more
PAGES = 4  # times as many pages as `most` models need are asked for at most: some results are skipped
FLAVOURS = ("glb", "gltf")

_UID = re.compile(r"[0-9A-Za-z]{1,64}")
_NO_AI = {"noai", "noimageai"}
_EXPIRED = {400, 403}
"""How the storage (S3) answers to a signature that is too old (403), or whose session token is (400)."""


@dataclass(frozen=True)
class Terms:
    """A licence as Sketchfab calls it (https://api.sketchfab.com/v3/licenses), and as we do."""

    slug: str
    label: str
    name: str
    url: str


_OWN = "https://sketchfab.com/licenses"
_CC = "https://creativecommons.org"
TERMS = (
    Terms("cc0", "CC0 Public Domain", "CC0 1.0", f"{_CC}/publicdomain/zero/1.0/"),
    Terms("by", "CC Attribution", "CC BY 4.0", f"{_CC}/licenses/by/4.0/"),
    Terms("by-sa", "CC Attribution-ShareAlike", "CC BY-SA 4.0", f"{_CC}/licenses/by-sa/4.0/"),
    Terms("by-nd", "CC Attribution-NoDerivs", "CC BY-ND 4.0", f"{_CC}/licenses/by-nd/4.0/"),
    Terms("by-nc", "CC Attribution-NonCommercial", "CC BY-NC 4.0", f"{_CC}/licenses/by-nc/4.0/"),
    Terms("by-nc-sa", "CC Attribution-NonCommercial-ShareAlike", "CC BY-NC-SA 4.0", f"{_CC}/licenses/by-nc-sa/4.0/"),
    Terms("by-nc-nd", "CC Attribution-NonCommercial-NoDerivs", "CC BY-NC-ND 4.0", f"{_CC}/licenses/by-nc-nd/4.0/"),
    Terms("free-st", "Free Standard", "Sketchfab-Free-Standard", _OWN),
    Terms("st", "Standard", "Sketchfab-Standard", _OWN),
    Terms("ed", "Editorial", "Sketchfab-Editorial", _OWN),
)
FREE = tuple(terms.slug for terms in TERMS if terms.slug not in ("st", "ed"))
"""Licences whose models need not be bought."""


@dataclass(frozen=True)
class Sketchfab(Source):
    """Models that may be downloaded, as a GLB or as the ZIP of a glTF."""

    token: str = field(repr=False)
    url: str = "https://api.sketchfab.com"
    storage: str = "sketchfab-prod-media.s3.amazonaws.com"  # host of the archives
    licences: tuple[str, ...] = FREE  # slugs that are searched for
    max_faces: int = MAX_FACES
    max_bytes: int = MAX_BYTES
    per_second: float = 1.0  # requests to the interface
    connections: int = 2  # archives at a time
    fresh_s: float = SEARCH_FRESH_S
    total_s: float = 600.0  # for one archive
    name: str = "sketchfab"

    @property
    def rules(self) -> Mapping[str, HostRule]:
        """The interface by a rate, the storage by connections; the interface hands its addresses out to programs."""
        return {
            host_of(self.url): HostRule(self.per_second, 1, obeys_robots=False),
            self.storage: HostRule(20.0, self.connections, obeys_robots=False),
        }

    @property
    def secrets(self) -> Sequence[str]:
        """The token."""
        return [self.token]

    @property
    def requests_each(self) -> Mapping[str, int]:
        """One for the address, one for the archive."""
        return {host_of(self.url): 1, self.storage: 1}

    def search(self, fetcher: Fetcher, query: str, most: int) -> Iterator[Found | Withdrawn]:
        """Models by relevance. Left out is what cannot be had, is not for all ages, has no licence or is too large."""
        taken = 0
        seen: set[str] = set()
        asked: set[str | None] = set()
        cursor: str | None = None
        for _ in range(PAGES * -(-most // PER_PAGE)):
            asked.add(cursor)
            told = the_object(self._ask(fetcher, "search", self._parameters(query, cursor), self.fresh_s))
            for found in read_results(told.get("results"), self._found):
                if found.source_id in seen:
                    continue
                seen.add(found.source_id)
                yield found
                taken += isinstance(found, Found)
                if taken >= most:
                    return
            cursor = _dict(told.get("cursors")).get("next")
            if not cursor or not told.get("next") or cursor in asked:  # a cursor that comes again leads in a circle
                return

    def fetch(self, fetcher: Fetcher, row: Mapping[str, Any]) -> Received:
        """Ask for the address of the archive and receive it; once more if the address expired in between.

        Raises what `Fetcher.json` and `Fetcher.file` do, and Refusal "not downloadable", "no glTF download".
        """
        refused: Refusal | None = None
        for _ in range(2):
            address = self._address(fetcher, str(row["source_id"]), str(row["extra"]["flavour"]))
            try:
                return fetcher.file(address, max_bytes=self.max_bytes, total_s=self.total_s)
            except Refusal as error:
                if error.status not in _EXPIRED:
                    raise
                refused = error
        raise Delayed(
            "address refused by storage",
            f"{refused} Two addresses that were new a moment ago were refused: see whether this machine's clock is "
            "right; the next run tries again.",
        )

    def look_again(self, fetcher: Fetcher, source_id: str) -> Found | Withdrawn | None:
        """What its page says of it today: its licence, and whether it is tagged NoAI by now."""
        try:
            told = the_object(self._ask(fetcher, f"models/{source_id}", None, None))
        except Gone:
            return Withdrawn(source_id, "no longer there")
        if "archives" in told:
            return self._found(told)
        return Withdrawn(source_id, "tagged NoAI") if _forbids_ai(told) else None

    def _parameters(self, query: str, cursor: str | None) -> Mapping[str, Any]:
        return {
            "type": "models",
            "q": query,
            "downloadable": "true",
            "archives_flavours": "true",
            "licenses": list(self.licences),
            "max_face_count": self.max_faces,
            "count": PER_PAGE,
            "cursor": cursor,
        }

    def _ask(self, fetcher: Fetcher, path: str, params: Mapping[str, Any] | None, fresh_s: float | None) -> Answer:
        """Ask the interface; with `fresh_s` None the answer is not remembered."""
        headers = {"Authorization": f"Token {self.token}"}
        remember = fresh_s is not None
        return fetcher.json(f"{self.url}/v3/{path}", params, headers, fresh_s=fresh_s or 0.0, remember=remember)

    def _address(self, fetcher: Fetcher, uid: str, flavour: str) -> str:
        """A signed address of the model's archive, of the other flavour if there is none of this one any more."""
        try:
            told = self._ask(fetcher, f"models/{uid}/download", None, None).json()
        except Refusal as error:
            if error.status == 400:  # "Model is not downloadable"
                raise Refusal("not downloadable", f"{error} Its owner has withdrawn the download.", 400) from None
            raise
        offers = [_first(_dict(told).get(name)) for name in (flavour, *FLAVOURS)]
        offer = next((offer for offer in offers if offer.get("url")), None)
        if offer is None:
            raise Refusal("no glTF download", f"Sketchfab offers neither a GLB nor a glTF of the model {uid}.")
        if _count(offer.get("size")) > self.max_bytes:
            raise Refusal(
                "file too large", f"The archive of {uid} has {offer['size']:,} bytes; at most {self.max_bytes:,}."
            )
        address = str(offer["url"])
        if urlsplit(self.url).scheme == "https" and urlsplit(address).scheme != "https":
            raise Refusal("strange address", f"Sketchfab names an address of {uid} that is not https: not fetched.")
        return address

    def _found(self, result: Mapping[str, Any]) -> Found | Withdrawn | None:
        uid, terms = str(result.get("uid") or ""), terms_of(_dict(result.get("license")))
        if not _UID.fullmatch(uid):
            return None
        if terms is None or result.get("isDownloadable") is not True:
            return Withdrawn(uid, "no longer for download")
        if result.get("isAgeRestricted") or result.get("isProtected"):
            return Withdrawn(uid, "not for everybody")
        no_ai = _forbids_ai(result)
        if no_ai and recognise(terms.name) is None:
            return Withdrawn(uid, "tagged NoAI, under a licence that says nothing")
        chosen = self._choose(_dict(result.get("archives")))
        faces = _count(result.get("faceCount")) or (chosen[1] if chosen else 0)
        if chosen is None or faces > self.max_faces:
            return Withdrawn(uid, "tagged NoAI") if no_ai else None
        flavour, _, size = chosen
        user = _dict(result.get("user"))
        author, profile = user.get("displayName") or user.get("username"), user.get("profileUrl")
        title = " ".join(str(result.get("name") or "Untitled").split())
        page = result.get("viewerUrl") or f"https://sketchfab.com/3d-models/{uid}"
        changed = next((result[name] for name in ("updatedAt", "publishedAt", "createdAt") if result.get(name)), "")
        by = f"{author or 'an unnamed author'}" + (f" ({profile})" if profile else "")
        return Found(
            source_id=uid,
            version=f"{uid} {changed} {flavour} {size}",
            file_url=f"{self.url}/v3/models/{uid}/download",
            source_url=page,
            author=author,
            author_url=profile,
            licence="no-ai" if no_ai else terms.name,
            licence_url=terms.url or None,
            title=title,
            credit=f'"{title}" ({page}) by {by} is licensed under {terms.name}'
            + (f" ({terms.url})" if terms.url else ""),
            extra={"flavour": flavour, "faces": faces, "bytes": size},
        )

    def _choose(self, archives: Mapping[str, Any]) -> tuple[str, int, int] | None:
        """Flavour, faces and bytes of the archive to fetch, or None if none is small enough.

        The shape is the same in both and is what we are here for, so after faces bytes decide: the flavours differ
        by their textures. At equal size it is the GLB, in which nothing needs unpacking. Of several archives of one
        flavour the download gives whichever it likes, so the largest must be small enough.
        """
        choices = []
        for flavour in FLAVOURS:
            of_it = [archive for archive in _all(archives.get(flavour)) if _count(archive.get("size"))]
            if of_it:
                size = max(_count(archive["size"]) for archive in of_it)
                choices.append((flavour, max(_count(archive.get("faceCount")) for archive in of_it), size))
        fitting = [choice for choice in choices if choice[2] <= self.max_bytes]
        return min(fitting, key=lambda choice: (-choice[1], choice[2]), default=None)


def terms_of(licence: Mapping[str, Any]) -> Terms | None:
    """The licence that an answer names by slug or label, None where it names none; one that we do not know as it is."""
    slug, label = (str(licence.get(name) or "").strip() for name in ("slug", "label"))
    for terms in TERMS:
        if slug.casefold() == terms.slug or (not slug and label.casefold() == terms.label.casefold()):
            return terms
    return Terms(slug, label, label or slug, str(licence.get("url") or "")) if slug or label else None


def _forbids_ai(result: Mapping[str, Any]) -> bool:
    """Whether the model carries the tag NoAI, however it is written. (Sketchfab Terms of Use on generative AI.)"""
    tags = result.get("tags")
    for tag in tags if isinstance(tags, list) else [tags]:
        words = [tag.get("name"), tag.get("slug")] if isinstance(tag, dict) else [tag]
        if any(re.sub(r"[^a-z]", "", str(word).casefold()) in _NO_AI for word in words):
            return True
    return False


def _all(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, or one object as a list."""
    return _dicts(value) if isinstance(value, list) else [_dict(value)]


def _first(value: object) -> Mapping[str, Any]:
    return next(iter(_all(value)), {})


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    """A natural number, or 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
