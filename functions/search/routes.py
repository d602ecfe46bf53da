"""What each route answers: values for JSON, or documents."""

import platform
from collections.abc import Callable
from typing import Any

import ai_edge_litert
import numpy as np
import obstore
import PIL
from numpy.typing import NDArray

from embeddings.gallery import Neighbour
from embeddings.index.generation import Generation
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

Route = Callable[[Request], Any]


class Routes:
    """The HTTP contract: see docs/api.md."""

    def __init__(self, settings: SearchSettings, current: CurrentGeneration) -> None:
        self._settings = settings
        self._limits = Limits(settings.max_upload_bytes, settings.max_pixels)
        self._current = current
        self._images = ImageUrls(settings)
        self.table: dict[str, dict[str, Route]] = {
            "/": {"POST": self._original_search},
            "/random": {"GET": self._original_random},
            "/v1/search": {"POST": self._search},
            "/v1/similar": {"GET": self._similar},
            "/v1/random": {"GET": self._random},
            "/v1/index": {"GET": self._index},
            "/healthz": {"GET": self._health},
            "/openapi.json": {"GET": lambda _request: api_docs.openapi()},
            "/docs": {"GET": lambda _request: api_docs.reference()},
        }
        """Handlers by path and method."""

    def _original_search(self, request: Request) -> list[str]:
        photo, _ = self._upload(request)
        generation = self._generation(request)
        vector = self._embed(request, generation, photo, WHOLE_PHOTO)
        return self._urls(self._neighbours(request, generation, vector, SearchParameters()))

    def _original_random(self, request: Request) -> list[str]:
        generation = self._generation(request)
        key = generation.gallery.random_key()
        vector = generation.gallery.vector(key)
        neighbours = self._neighbours(request, generation, vector, SearchParameters(), key)
        return self._images.of([key]) + self._urls(neighbours)

    def _search(self, request: Request) -> dict[str, Any]:
        photo, fields = self._upload(request)
        given = fields | request.query
        parameters, box = search_parameters(given), box_parameter(given)
        generation = self._generation(request)
        vector = self._embed(request, generation, photo, box)
        neighbours = self._neighbours(request, generation, vector, parameters)
        return self._answer(generation, neighbours, {**parameters.stated(), "box": list(box)})

    def _similar(self, request: Request) -> dict[str, Any]:
        parameters = search_parameters(request.query)
        key = request.query.get("key", "")
        if not key:
            raise RequestError(
                400,
                "parameter-invalid",
                "The parameter key is missing",
                "Say which image: key=shirts/1042.jpg, as in an answer's results.",
            )
        return self._similar_to(request, self._generation(request), key, parameters)

    def _random(self, request: Request) -> dict[str, Any]:
        parameters = search_parameters(request.query)
        generation = self._generation(request)
        return self._similar_to(request, generation, generation.gallery.random_key(parameters.prefix), parameters)

    def _index(self, request: Request) -> dict[str, Any]:
        generation = self._generation(request)
        manifest = generation.manifest
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
        """Without touching storage: whether this instance can answer, and what runs in it."""
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

    def _similar_to(
        self, request: Request, generation: Generation, key: str, parameters: SearchParameters
    ) -> dict[str, Any]:
        vector = generation.gallery.vector(key)
        neighbours = self._neighbours(request, generation, vector, parameters, key)
        url = self._images.of([key])[0]
        return self._answer(generation, neighbours, {"key": key, "url": url, **parameters.stated()})

    def _generation(self, request: Request) -> Generation:
        with request.timing.step("index"):
            generation = self._current.get()
        request.generation = generation.manifest.generation
        return generation

    def _upload(self, request: Request) -> tuple[bytes, dict[str, str]]:
        with request.timing.step("upload"):
            return read_upload(request.body, request.content_type, self._settings.max_upload_bytes)

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
        *exclude: str,
    ) -> list[Neighbour]:
        with request.timing.step("search"):
            return generation.gallery.search(vector, exclude=exclude, **parameters.stated())

    def _urls(self, neighbours: list[Neighbour]) -> list[str]:
        return self._images.of([neighbour.key for neighbour in neighbours])

    def _answer(self, generation: Generation, neighbours: list[Neighbour], query: dict[str, Any]) -> dict[str, Any]:
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
