"""The routes: what each one answers, as a value for JSON or as a document."""

import platform
from collections.abc import Callable
from typing import Any, NamedTuple

import ai_edge_litert
import numpy as np
import obstore
import PIL
from numpy.typing import NDArray

from embeddings.index.generation import Generation
from embeddings.neighbours import Neighbour
from embeddings.preprocess import WHOLE_PHOTO, Box, Limits, photo_pixels
from functions import VERSION
from functions.search import api_docs
from functions.search.current_generation import CurrentGeneration
from functions.search.image_urls import ImageUrls
from functions.search.parameters import SearchParameters, box_parameter, search_parameters
from functions.search.problems import RequestError
from functions.search.request import Request
from functions.search.upload import read_upload
from functions.settings import SearchSettings

KEPT_SECONDS = 60
"""How long browsers and CDNs may keep what depends on the generation and the parameters alone."""


class Route(NamedTuple):
    """A path's one method and what answers it."""

    method: str
    answer: Callable[[Request], Any]
    """Returns a value for JSON, or an `api_docs.Document`."""
    limited: bool = True
    """Whether it is refused when the service is busy."""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Every method the path accepts."""
        return (self.method, *(("HEAD",) if self.method == "GET" else ()), "OPTIONS")


class Routes:
    """The HTTP contract; docs/api.md and openapi.json describe it."""

    def __init__(self, settings: SearchSettings, current: CurrentGeneration) -> None:
        self._limits = Limits(settings.max_upload_bytes, settings.max_pixels)
        self._current = current
        self._images = ImageUrls(settings)
        # Those without a limit cost nothing, and a health check must not take a busy service for dead.
        self.table = {
            "/": Route("POST", self._original_search),
            "/random": Route("GET", self._original_random),
            "/v1/search": Route("POST", self._search),
            "/v1/similar": Route("GET", self._similar),
            "/v1/random": Route("GET", self._random),
            "/v1/index": Route("GET", self._index),
            "/healthz": Route("GET", self._health, limited=False),
            "/openapi.json": Route("GET", lambda request: _kept(request, api_docs.openapi()), limited=False),
            "/docs": Route("GET", lambda request: _kept(request, api_docs.reference()), limited=False),
        }

    # The answers, in the table's order.

    def _original_search(self, request: Request) -> list[str]:
        photo, _ = self._upload(request)
        generation = self._generation(request)
        vector = self._embed(request, generation, photo, WHOLE_PHOTO)
        return self._urls(self._neighbours(request, generation, vector, SearchParameters()))

    def _original_random(self, request: Request) -> list[str]:
        generation = self._generation(request)
        key = generation.gallery.random_key()
        return self._images.of([key]) + self._urls(self._similar_to(request, generation, key, SearchParameters()))

    def _search(self, request: Request) -> dict[str, Any]:
        photo, fields = self._upload(request)
        given = fields | request.query
        parameters, box = search_parameters(given), box_parameter(given)
        generation = self._generation(request)
        vector = self._embed(request, generation, photo, box)
        neighbours = self._neighbours(request, generation, vector, parameters)
        return self._results(generation, neighbours, {**parameters.stated(), "box": list(box)})

    def _similar(self, request: Request) -> dict[str, Any]:
        parameters = search_parameters(request.query)
        key = request.query.get("key", "")
        if not key:
            raise RequestError(
                400,
                "parameter-invalid",
                "The parameter key is missing",
                "Give the key of an image, such as key=shirts/1042.jpg; every result has one.",
            )
        generation = self._generation(request)
        seconds, urls = self._images.keeping(KEPT_SECONDS)
        request.keep(seconds, VERSION, generation.manifest.generation, urls, sorted(request.query.items()))
        return self._results_for(request, generation, key, parameters)

    def _random(self, request: Request) -> dict[str, Any]:
        parameters = search_parameters(request.query)
        generation = self._generation(request)
        return self._results_for(request, generation, generation.gallery.random_key(parameters.prefix), parameters)

    def _index(self, request: Request) -> dict[str, Any]:
        generation = self._generation(request)
        manifest = generation.manifest
        request.keep(KEPT_SECONDS, VERSION, manifest.generation, manifest.held, self._current.stale)
        return {
            "generation": manifest.generation,
            "built_at": manifest.built_at,
            "count": manifest.count,
            "failed": manifest.failed,
            "model": manifest.model.sha256,
            "dimension": manifest.dimension,
            "held": manifest.held,
            "stale": self._current.stale,
            "folders": [{"name": name, "count": count} for name, count in generation.gallery.folders.items()],
        }

    def _health(self, _request: Request) -> dict[str, Any]:
        """Tell, without touching storage, whether this instance can answer and what runs in it."""
        generation = self._current.generation
        status = "cold" if generation is None else "stale" if self._current.stale else "ok"
        return {
            "status": status,
            "generation": None if generation is None else generation.manifest.generation,
            "versions": {
                "garment-search": VERSION,
                "python": platform.python_version(),
                "litert": ai_edge_litert.__version__,
                "numpy": np.__version__,
                "obstore": obstore.__version__,
                "pillow": PIL.__version__,
            },
        }

    # The steps they share; each is timed.

    def _upload(self, request: Request) -> tuple[bytes, dict[str, str]]:
        with request.timing.step("upload"):
            return read_upload(request.body, request.content_type, self._limits.max_bytes)

    def _generation(self, request: Request) -> Generation:
        with request.timing.step("index"):
            generation = self._current.get()
        request.generation = generation.manifest.generation
        return generation

    def _embed(self, request: Request, generation: Generation, photo: bytes, box: Box) -> NDArray[np.float32]:
        with request.timing.step("decode"):
            pixels = photo_pixels(photo, box, self._limits)
        with request.timing.step("embed"):
            return generation.embedder.embed_pixels(pixels)

    def _neighbours(
        self,
        request: Request,
        generation: Generation,
        vector: NDArray[np.float32],
        parameters: SearchParameters,
        *,
        exclude: tuple[str, ...] = (),
    ) -> list[Neighbour]:
        with request.timing.step("search"):
            return generation.gallery.search(vector, exclude=exclude, **parameters.stated())

    def _similar_to(
        self, request: Request, generation: Generation, key: str, parameters: SearchParameters
    ) -> list[Neighbour]:
        vector = generation.gallery.vector(key)
        return self._neighbours(request, generation, vector, parameters, exclude=(key,))

    # The shape of their answers.

    def _urls(self, neighbours: list[Neighbour]) -> list[str]:
        return self._images.of([neighbour.key for neighbour in neighbours])

    def _results_for(
        self, request: Request, generation: Generation, key: str, parameters: SearchParameters
    ) -> dict[str, Any]:
        neighbours = self._similar_to(request, generation, key, parameters)
        [url] = self._images.of([key])
        return self._results(generation, neighbours, {"key": key, "url": url, **parameters.stated()})

    def _results(self, generation: Generation, neighbours: list[Neighbour], query: dict[str, Any]) -> dict[str, Any]:
        manifest = generation.manifest
        return {
            "results": [
                {"key": neighbour.key, "url": url, "score": neighbour.score}
                for neighbour, url in zip(neighbours, self._urls(neighbours), strict=True)
            ],
            "index": {
                "generation": manifest.generation,
                "count": manifest.count,
                "built_at": manifest.built_at,
                "model": manifest.model.sha256,
            },
            "query": query,
        }


def _kept(request: Request, document: api_docs.Document) -> api_docs.Document:
    request.keep(KEPT_SECONDS, document.body)
    return document
