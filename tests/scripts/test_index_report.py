"""`index_report.py`: every figure against a plain computation, and the page that a reader sees."""

import base64
import json
import re
from collections import Counter
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.index.publish import Content, Pointer, publish
from embeddings.index.sources import Refusal, Sources
from scripts.drawn_gallery import draw_gallery
from scripts.index_report import main
from scripts.reporting.near_duplicates import find_duplicates
from scripts.reporting.projection import COLUMNS, ROWS, on_grid, on_plane
from scripts.reporting.score_distribution import measure_scores
from tests.rebuild.gallery import MODEL, Shop


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def vectors() -> np.ndarray:
    """200 vectors of dimension 12 in clusters, some of them copies of earlier ones."""
    rng = np.random.default_rng(1)
    made = rng.standard_normal((8, 12))[rng.integers(8, size=200)] + 0.4 * rng.standard_normal((200, 12))
    made[[50, 120, 199]] = made[[3, 3, 70]]
    return unit(made)


def test_every_near_duplicate_is_found_across_tiles(vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("scripts.reporting.near_duplicates._TILE", 7)
    found = find_duplicates(vectors, 1.0)
    assert found.pairs == 4  # 3 with 50 and 120, 50 with 120, 70 with 199
    assert sorted([row for row, _ in group] for group in found.groups) == [[3, 50, 120], [70, 199]]
    assert {score for group in found.groups for _, score in group} == {1.0}
    assert found.surplus == 3

    found = find_duplicates(vectors, 0.95)
    same = np.triu(vectors @ vectors.T >= 0.95, 1)
    assert found.pairs == same.sum() > 20
    rows = [row for group in found.groups for row, _ in group]
    assert sorted(rows) == np.flatnonzero(same.any(axis=0) | same.any(axis=1)).tolist()
    for (first, _), *others in found.groups:
        assert not same[:, first].any(), "a group begins with an image that resembles no earlier one"
        members = {first, *(row for row, _ in others)}
        for row, score in others:
            leader = int(same[:, row].argmax())
            assert leader in members
            assert score == pytest.approx(vectors[row] @ vectors[leader], abs=1e-6)
    weakest = [min(score for _, score in group) for group in found.groups]
    assert weakest == sorted(weakest, reverse=True)


def test_scores_are_those_of_a_plain_search(vectors: np.ndarray):
    scores = measure_scores(vectors)
    assert scores is not None
    plain = vectors @ vectors.T
    np.fill_diagonal(plain, -1)
    np.testing.assert_allclose(scores.best, np.sort(plain, axis=1)[:, ::-1][:, :16], atol=1e-6)
    others = plain[~np.eye(len(plain), dtype=bool)]
    assert scores.pairs.mean() == pytest.approx(others.mean(), abs=0.01)
    assert (scores.pairs < scores.suggested).mean() == pytest.approx(0.95, abs=0.01)
    effect = scores.effect(scores.suggested)
    assert effect.pairs == pytest.approx(0.05, abs=0.01)
    assert effect.answered == (plain.max(axis=1) >= scores.suggested).mean()
    assert effect.results == pytest.approx((np.sort(plain, axis=1)[:, -16:] >= scores.suggested).sum(axis=1).mean())


def test_the_map_is_the_principal_plane_and_its_grid_holds_everything_once(vectors: np.ndarray):
    plane = on_plane(vectors)
    points = plane.points
    centred = vectors - vectors.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    expected = centred @ directions[:2].T
    got = points - points.mean(axis=0)
    np.testing.assert_allclose(np.abs(got), np.abs(expected), atol=1e-4)
    assert plane.variance == pytest.approx((singular[:2] ** 2).sum() / (singular**2).sum(), abs=1e-4)

    grid = on_grid(vectors, plane)
    assert len({len(line) for line in grid}) == 1
    cells = [cell for line in grid for cell in line]
    assert sum(cell.count for cell in cells) == len(vectors)
    assert max(cell.count for cell in cells) <= 2
    assert len({cell.row for cell in cells}) == len(cells)
    left, right = ([points[line[column].row, 0] for line in grid] for column in (0, -1))
    assert max(left) < min(right)
    for top, bottom in zip(grid[0], grid[-1], strict=True):
        assert points[top.row, 1] > points[bottom.row, 1]
    large = on_grid(np.repeat(vectors, 3, axis=0), replace(plane, points=np.repeat(points, 3, axis=0)))
    assert (len(large), len(large[0])) == (ROWS, COLUMNS)


@pytest.fixture
def drawn(tmp_path: Path) -> Shop:
    """34 drawn garments and a copy; also a file that is not a photo, and a photo deleted since the rebuild."""
    made = Shop(str(tmp_path / "gallery"), str(tmp_path / "index"))
    files = draw_gallery(tmp_path / "gallery", count=34)
    made.put({"bags/copy <b>of</b>.jpg": files[0].read_bytes(), "bags/broken.jpg": b"text"})
    made.rebuild()
    files[-1].unlink()
    return made


def test_the_page_shows_everything_and_needs_no_other_file(
    drawn: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    assert main(["--index", drawn.index, "--gallery", drawn.gallery, "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    record = json.loads(said.out)
    generation = drawn.load()
    assert record["index"]["generation"] == generation.manifest.generation
    assert record["index"]["count"] == 35
    assert record["folders"] == Counter(key.partition("/")[0] for key in generation.gallery.keys)
    assert list(record["failures"]) == ["bags/broken.jpg"]
    groups = [[each["key"] for each in group] for group in record["near_duplicates"]["groups"]]
    copies = {"bags/copy <b>of</b>.jpg", drawn_first(tmp_path)}
    assert any(copies <= set(group) for group in groups)
    assert "1 of 35 photos could not be read" in said.err

    page = (out / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r'(?:src|href)="([a-z]+):', page)) == {"data"}
    assert "<script" not in page
    assert "copy <b>" not in page
    text = unescape(re.sub(r"<[^>]+>", " ", page))
    assert "bags/broken.jpg" in text
    assert "this is not a JPEG" in text
    assert f"{record['scores']['suggested_min_score']:.2f} (suggested)" in text
    heights = [int(y) for y in re.findall(r'<text x="[\d.]+" y="(-?\d+)"', page)]
    assert heights
    assert all(y < 0 or y > 260 for y in heights)  # above or below the curves, never behind them
    images = [base64.b64decode(data) for data in re.findall(r'src="data:image/\w+;base64,([^"]+)"', page)]
    sizes = Counter(max(Image.open(BytesIO(image)).size) for image in images)
    assert sizes[96] >= 34
    with Image.open(out / "map.png") as drawing:
        assert drawing.size in {Image.open(BytesIO(image)).size for image in images}
        assert len(drawing.getcolors(1_000_000) or ()) > 7, "a colour for each folder"


def drawn_first(folder: Path) -> str:
    """Return the key of the copied garment."""
    return draw_gallery(folder / "gallery", count=1)[0].relative_to(folder / "gallery").as_posix()


def test_the_summary_without_a_gallery(drawn: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    assert main(["--index", drawn.index, "--out", str(out), "--duplicates", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("35 images, 1 not indexed, ")
    assert "       6  bags" in said
    assert "near-duplicates (cosine at least 1): 1 groups; 1 images could go" in said
    assert "suggested min_score: " in said
    assert said.strip().endswith(f"report: {out / 'report.html'}")
    assert (out / "report.html").read_text(encoding="utf-8").count("data:image/jpeg") == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_an_index_of_few_images_has_a_report(count: int, shop: Shop, tmp_path: Path):
    keys = {f"{number}.jpg": "etag" for number in range(count)}
    vectors = unit(np.random.default_rng(0).standard_normal((count, 8))).astype(np.float16)
    sources = Sources(keys, {"gone.jpg": Refusal("", "storage did not give it")})
    publish(shop.index_files, Content(vectors, sources, MODEL.read_bytes()), Pointer(None, None), with_model=True)
    assert main(["--index", shop.index, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "map.png").exists() == (count > 0)


def test_it_reads_from_a_bucket_and_reports_a_missing_file(
    any_shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    any_shop.rebuild()
    words = ["--index", any_shop.index, "--out", str(tmp_path / "out")]
    assert main([*words, "--gallery", any_shop.gallery]) == 0
    assert "3 images, 0 not indexed" in capsys.readouterr().out
    any_shop.index_files.delete(any_shop.paths("generations/"))
    assert main(words) == 1
    assert re.search(r"^error: .* of the index is missing; roll back, or rebuild", capsys.readouterr().err, re.M)


def test_it_says_what_became_of_the_product_feed(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = """id,image_link,title,color,brand,price
1,red.jpg,<b>Red</b>,red/green,,15 USD
2,blue.jpg,,,,
3,gone.jpg,Gone,,,1 USD
4,lost.jpg,Lost,,,1 USD
5,green.jpg,Green,,,free
"""
    shop.photos.put("feed.csv", feed.encode())
    shop.rebuild()
    arguments = ["--index", shop.index, "--out", str(tmp_path / "report")]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "products: 2; 2 images show one; 3 rows of the feed failed; empty columns: brand" in said
    assert "2  the gallery has no photo named …" in said
    page = (tmp_path / "report" / "report.html").read_text()
    assert "line 6, <code>5</code>: price is &#x27;free&#x27;" in page
    assert "<td>color</td><td>1</td><td>50%</td>" in page
    assert "<td>brand</td><td>0</td><td>0%</td>" in page
    assert main([*arguments, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["products"]
    assert (record["photos"], record["products"], record["rows_failed"]) == (2, 2, 3)
    assert record["filled"]["price"] == 1
    assert record["empty_columns"] == ["brand"]
