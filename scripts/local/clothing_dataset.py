"""Download the public clothing dataset: 5,000 photos of clothes, CC0, github.com/alexeygrigorev/clothing-dataset."""

import csv
import re
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from http.client import HTTPException
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm import tqdm

# GitHub limits how many files an address may fetch in an hour, but cannot resume the download of an archive. Fetch the
# archive if more photos than this are missing, and single files otherwise.
FEW = 1000

PATIENCE_SECONDS = (1, 5, 20)  # how long to wait after each request for fewer requests
_TIMEOUT_SECONDS = 30
_NO_GARMENT = {"Not sure", "Skip"}
_PLAIN_NAME = re.compile(r"[\w -]+")  # a name from the network must not lead outside the folder
_INTERRUPTIONS = (OSError, HTTPException, tarfile.TarError, EOFError, UnicodeDecodeError)


class FetchError(Exception):
    """The photos could not be downloaded; the message says why and what to do."""


@dataclass(frozen=True)
class Source:
    """The addresses of the dataset's files, and of an archive with all of them."""

    files: str = "https://raw.githubusercontent.com/alexeygrigorev/clothing-dataset/master"
    archive: str = "https://codeload.github.com/alexeygrigorev/clothing-dataset/tar.gz/refs/heads/master"


def fetch_clothing_dataset(folder: Path, source: Source | None = None) -> int:
    """Download missing photos to `<folder>/<label>/<id>.jpg`, and keep those that are there.

    Returns:
        The number of photos downloaded.

    Raises:
        FetchError: there is no network, or the download broke off; photos that arrived stay.
    """
    source = source or Source()
    missing = {name: file for name, file in _listing(source, folder) if not file.exists()}
    with tqdm(total=len(missing), unit=" photos", desc="Fetching", disable=not missing) as bar:
        try:
            arrivals = _from_archive(source, missing) if len(missing) > FEW else _one_by_one(source, missing)
            for file, content in arrivals:
                _write(file, content)
                bar.update()
        except _INTERRUPTIONS as error:
            raise FetchError(
                f"the download broke off after {bar.n:,} of {len(missing):,} photos ({_reason(error)}); "
                "run it again to continue"
            ) from error
        return int(bar.n)


def _listing(source: Source, folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        with _open(f"{source.files}/images.csv") as response:
            table = response.read().decode()
    except _INTERRUPTIONS as error:
        if any(folder.glob("*/*.jpg")):
            print(f"The clothing dataset cannot be reached ({_reason(error)}): using the photos downloaded before.")
            return
        raise FetchError(
            f"the clothing dataset cannot be reached ({_reason(error)}); "
            "check the network, or run `make demo` without GALLERY, which needs none"
        ) from error
    rows = csv.DictReader(StringIO(table))
    if not {"image", "label"} <= set(rows.fieldnames or ()):
        raise FetchError(
            "the clothing dataset cannot be reached (something else answers at its address; check the network)"
        )
    for row in rows:
        image, label = row["image"], row["label"]
        if label not in _NO_GARMENT and _PLAIN_NAME.fullmatch(image) and _PLAIN_NAME.fullmatch(label):
            yield f"{image}.jpg", folder / label.lower() / f"{image}.jpg"


def _from_archive(source: Source, missing: dict[str, Path]) -> Iterator[tuple[Path, bytes]]:
    with _open(source.archive) as response, tarfile.open(fileobj=response, mode="r|gz") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if member.isfile() and path.parent.name == "images" and path.name in missing:
                content = archive.extractfile(member)
                if content is not None:
                    yield missing[path.name], content.read()


def _one_by_one(source: Source, missing: dict[str, Path]) -> Iterator[tuple[Path, bytes]]:
    with ThreadPoolExecutor(8) as pool:
        running = {pool.submit(_photo, f"{source.files}/images/{name}"): file for name, file in missing.items()}
        try:
            for done in as_completed(running):
                content = done.result()
                if content is not None:
                    yield running[done], content
        finally:
            pool.shutdown(cancel_futures=True)


def _photo(url: str) -> bytes | None:
    """Download one photo; return None for the few that the list names but the repository lacks."""
    for patience in PATIENCE_SECONDS:
        try:
            with _open(url) as response:
                return response.read()
        except HTTPError as error:
            if error.code == 404:
                return None
            if error.code not in (429, 503):
                raise
        time.sleep(patience)
    raise OSError("the server asks for fewer requests; try again in an hour")


def _open(url: str) -> IO[bytes]:
    request = Request(url, headers={"User-Agent": "garment-search demo"})  # noqa: S310 - https, from Source
    try:
        response: IO[bytes] = urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310
    except HTTPError as error:
        error.close()
        raise
    return response


def _write(file: Path, content: bytes) -> None:
    """Write the whole photo or nothing, because an existing file counts as downloaded."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.replace(file)


def _reason(error: BaseException) -> str:
    if isinstance(error, URLError) and not isinstance(error, HTTPError):
        return str(error.reason)
    return str(error) or type(error).__name__
