import csv
import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jewel_assets.collect.sidecars import Credit, Sidecars, read_beside, read_table

CC0 = Credit(None, "CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", None, True)
HEADER = "file,author,licence,licence_url,source_url,may_train\n"


def table(folder: Path, text: str, name: str = "licences.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_csv_says_author_and_licence_of_each_photo(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + "a.jpg,Ana,CC BY 4.0,,https://example.org/a,\nb.jpg,Ben,mine,,,yes\n")
    read = read_table([path])
    assert not read.problems
    by = "https://creativecommons.org/licenses/by/4.0/"
    assert read.credits["a.jpg"] == Credit("Ana", "CC-BY-4.0", by, "https://example.org/a", True)
    assert read.credits["b.jpg"] == Credit("Ben", "mine", None, None, True)


@pytest.mark.parametrize(
    "text", ["\ufefffile;license\r\na.jpg;CC0\r\n", "File\tLicence\na.jpg\tCC0\n", "licence,file\nCC0,./a.jpg\n"]
)
def test_spreadsheets_write_csv_in_many_ways(tmp_path: Path, text: str) -> None:
    assert read_table([table(tmp_path, text)]).credits == {"a.jpg": CC0}


_FIELD = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20).map(str.strip)
_URL = st.one_of(st.none(), _FIELD.map("https://example.org/{}".format))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        _FIELD.map(lambda name: unicodedata.normalize("NFC", f"photo {name}.jpg")),
        st.tuples(_FIELD, st.sampled_from(["CC0", "mine", ""]), _URL, st.sampled_from(["true", "false", ""])),
        max_size=5,
    )
)
def test_csv_and_json_say_the_same(tmp_path: Path, rows: dict[str, tuple[str, str, str | None, str]]) -> None:
    names = ("file", "author", "licence", "source_url", "may_train")
    listed = [dict(zip(names, (file, *fields), strict=True)) for file, fields in rows.items()]
    with (tmp_path / "licences.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(listed)
    table(tmp_path, json.dumps(listed), "licences.json")
    from_csv, from_json = read_table([tmp_path / "licences.csv"]), read_table([tmp_path / "licences.json"])
    assert from_csv.credits == from_json.credits
    assert not from_csv.problems + from_json.problems
    for file, (author, licence, _, said) in rows.items():
        credit = from_csv.credits[file]
        assert credit.author == (author or None)
        assert credit.may_train == (said == "true" or (said == "" and licence == "CC0"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,licence\na.jpg,CC0\n", "line 1 .* no column `file`"),
        (HEADER + 'a.jpg,"Ana\n', "after line 1"),
        (HEADER + "a.jpg,,,,,perhaps\n", "line 2, 'a.jpg': may_train must be true or false, not 'perhaps'"),
        (HEADER + "a.jpg,,CC0,gopher://x,,\n", "line 2.*licence_url must begin"),
        (HEADER + "a.jpg,,CC0,,,,,\n", "line 2.*more cells"),
        (HEADER + ",,CC0,,,\n", "line 2.*`file` is empty"),
        (HEADER + "a.jpg,,CC0,,,\na.jpg,,mine,,,\n", "line 3.*described otherwise in line 2"),
        ("", "no column `file`"),
    ],
)
def test_a_broken_line_denies_its_photo_and_says_where(tmp_path: Path, text: str, words: str) -> None:
    path = table(tmp_path, text)
    sidecars = Sidecars(tmp_path, [path], {})
    assert sidecars.credit("a.jpg") == Credit()
    (problem,) = sidecars.problems()
    assert str(path) in problem
    assert re.search(words, problem)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1, column 2 is not JSON"),
        (b'{"file": "a.jpg"}', "a JSON list of objects"),
        (b"[" * 100_000, "licences.json"),
        (b'[{"file": "a.jpg", "author": "\xff"}]', "not UTF-8"),
        (b'[{"file": "a.jpg", "author": ["Ana"]}]', "author must be text"),
    ],
)
def test_a_broken_json_denies_and_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "licences.json").write_bytes(content)
    sidecars = Sidecars(tmp_path, [tmp_path / "licences.json"], {})
    assert sidecars.credit("a.jpg") == Credit()
    assert words in sidecars.problems()[0]


def test_the_other_lines_of_a_table_with_a_broken_line_count(tmp_path: Path) -> None:
    read = read_table([table(tmp_path, HEADER + "a.jpg,,CC0,,,maybe\nb.jpg,,CC0,,,\n")])
    assert read.credits == {"a.jpg": Credit(), "b.jpg": CC0}


def test_the_nearest_side_car_is_believed(tmp_path: Path) -> None:
    tables = [
        table(tmp_path, HEADER + "*,root,CC0,,,\nring/a.jpg,root a,CC0,,,\nnecklace/x.jpg,root x,CC0,,,\n"),
        table(tmp_path / "ring", HEADER + "*,ring,mine,,,\nsub/b.jpg,ring b,CC0,,,\n"),
    ]
    beside = tmp_path / "c.json"
    beside.write_text('{"author": "c", "licence": "CC0"}')
    sidecars = Sidecars(tmp_path, tables, {"ring/c": beside, "ring/d.jpg": beside})
    said = {name: sidecars.credit(name).author for name in ("ring/a.jpg", "ring/sub/b.jpg", "ring/c.png", "ring/d.jpg")}
    assert said == {"ring/a.jpg": "ring", "ring/sub/b.jpg": "ring b", "ring/c.png": "c", "ring/d.jpg": "c"}
    assert sidecars.credit("necklace/x.jpg").author == "root x"
    assert sidecars.credit("necklace/y.jpg").author == "root"


def test_a_broken_table_is_not_made_good_by_a_generous_one_above(tmp_path: Path) -> None:
    tables = [table(tmp_path, HEADER + "*,,CC0,,,\n"), table(tmp_path / "ring", "nonsense")]
    assert not Sidecars(tmp_path, tables, {}).credit("ring/a.jpg").may_train


def test_lines_that_name_no_photo_are_told(tmp_path: Path) -> None:
    sidecars = Sidecars(tmp_path, [table(tmp_path, HEADER + "*,,CC0,,,\nring/a.jpg,,,,,\nring/A.jpg,,,,,\n")], {})
    (told,) = sidecars.strangers({"ring/a.jpg"})
    assert told.endswith("line 4: 'ring/A.jpg' is not among the photos that are read.")


def test_a_broken_json_beside_a_photo_denies_it(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.json").write_text("[]")
    credit, problem = read_beside(tmp_path / "a.jpg.json")
    assert credit == Credit()
    assert problem is not None
    assert "one JSON object" in problem
