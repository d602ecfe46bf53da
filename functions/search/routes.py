"""The routes: what each one answers, as a value for JSON or as a document."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import ai_edge_litert
import numpy as np
import obstore
import PIL
from numpy.typing import NDArray

from embeddings.index.generation import Generation
from embeddings.neighbours import Found
from embeddings.preprocess import WHOLE_PHOTO, Box, Limits, photo_pixels
from functions import VERSION
from functions.search import api_docs
from functions.search.current_generation import CurrentGeneration
from functions.search.given import Given
from functions.search.image_urls import ImageUrls
from functions.search.parameters import SearchParameters, box_parameter, search_parameters
from functions.search.problems import RequestError
from functions.search.request import Request
from functions.search.upload import read_upload
from functions.search.words import Words, words_parameter
from functions.settings import SearchSettings

if TYPE_CHECKING:
    from embeddings.products.column import ColumnSummary
    from embeddings.sight import Attribute

MOST_SEEN, LEAST_SEEN = 3, 0.05
"""How many values of an attribute an answer names, and how likely they are at least."""
KEPT_SECONDS = 60
"""How long browsers and CDNs may keep what depends on the generation and the parameters alone."""
_ORIGINAL = SearchParameters(fields=()).options(())
"""The routes of the original demo take no parameters and return no products."""


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
            "/v1/words": Route("GET", self._words),
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
        pixels = self._pixels(request, photo, WHOLE_PHOTO)
        generation = self._generation(request)
        vector, _ = self._described(request, generation, pixels)
        return self._urls(self._found(request, generation, vector, _ORIGINAL))

    def _original_random(self, request: Request) -> list[str]:
        generation = self._generation(request)
        key = generation.gallery.random_key()
        vector = generation.gallery.vector(key)
        found = self._found(request, generation, vector, _ORIGINAL, exclude=(key,))
        return self._images.of([key]) + self._urls(found)

    def _search(self, request: Request) -> dict[str, Any]:
        photo, fields = self._upload(request)
        given = fields.overridden_by(request.query)
        parameters, box = search_parameters(given), box_parameter(given)
        pixels = self._pixels(request, photo, box)
        generation = self._generation(request)
        options, words = parameters.options(generation.gallery.columns), words_parameter(given, generation)
        vector, seen = self._described(request, generation, pixels)
        found = self._found(request, generation, vector, options, words=words)
        return self._results(generation, found, {**parameters.stated(), "box": list(box), **seen}, words)

    def _words(self, request: Request) -> dict[str, Any]:
        parameters = search_parameters(request.query)
        generation = self._generation(request)
        words = words_parameter(request.query, generation)
        if words is None:
            raise RequestError(
                400, "parameter-invalid", "The parameter q is missing", "Give words, such as q=red checked shirt."
            )
        self._keep(request, generation)
        options = parameters.options(generation.gallery.columns)
        found = Found() if words.empty else self._found(request, generation, None, options, words=words)
        return self._results(generation, found, parameters.stated(), words)

    def _similar(self, request: Request) -> dict[str, Any]:
        parameters = search_parameters(request.query)
        key, product = request.query.get("key", ""), request.query.get("product", "")
        if bool(key) == bool(product):
            raise RequestError(
                400,
                "parameter-invalid",
                "The parameters key and product are both given" if key else "The parameter key is missing",
                "Give either the key of an image, such as key=shirts/1042.jpg, or the id of a product, such as "
                "product=1042; every result has its key.",
            )
        generation = self._generation(request)
        words = words_parameter(request.query, generation)
        self._keep(request, generation)
        options = parameters.options(generation.gallery.columns)
        if not product:
            return self._similar_to(request, generation, key, parameters, options, words)
        keys, vector = generation.gallery.product_photos(product)
        found = self._found(request, generation, vector, options, exclude=keys, words=words)
        [url] = self._images.of(keys[:1])
        query = {"product": product, "key": keys[0], "url": url, **parameters.stated()}
        return self._results(generation, found, query, words)

    def _random(self, request: Request) -> dict[str, Any]:
        parameters = search_parameters(request.query)
        generation = self._generation(request)
        options = parameters.options(generation.gallery.columns)
        key = generation.gallery.random_key(parameters.prefix, options["where"])
        words = words_parameter(request.query, generation)
        return self._similar_to(request, generation, key, parameters, options, words)

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
            "columns": [_column(column) for column in generation.gallery.columns],
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
                "python": sys.version.split()[0],
                "litert": ai_edge_litert.__version__,
                "numpy": np.__version__,
                "obstore": obstore.__version__,
                "pillow": PIL.__version__,
            },
        }

    # The steps they share; each is timed.

    def _upload(self, request: Request) -> tuple[bytes, Given]:
        with request.timing.step("upload"):
            return read_upload(request.body, request.content_type, self._limits.max_bytes)

    def _generation(self, request: Request) -> Generation:
        with request.timing.step("index"):
            generation = self._current.get()
        request.generation = generation.manifest.generation
        return generation

    def _pixels(self, request: Request, photo: bytes, box: Box) -> NDArray[np.uint8]:
        """Decode a photo; before the first generation is asked for, because in a cold start it is still on its way."""
        with request.timing.step("decode"):
            return photo_pixels(photo, box, self._limits)

    def _described(
        self, request: Request, generation: Generation, pixels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Embed a photo; return what is seen in it as `seen`, for the answer's `query`, if the model tells."""
        embedder = generation.embedder
        with request.timing.step("embed"):
            vector, outputs = embedder.describe_pixels(pixels)
        if embedder.sight is None or outputs is None:
            return vector, {}
        return vector, {"seen": {each.name: _likeliest(each, outputs) for each in embedder.sight.attributes}}

    def _found(
        self,
        request: Request,
        generation: Generation,
        vector: NDArray[np.float32] | None,
        options: Mapping[str, Any],
        *,
        exclude: Sequence[str] = (),
        words: Words | None = None,
    ) -> Found:
        """Search by a vector, or by words alone, or by a vector that words move."""
        with request.timing.step("search"):
            if words is not None:
                vector, options = words.vector(vector), words.narrowed(options)
            assert vector is not None, "there are words without one"  # noqa: S101
            return generation.gallery.search(vector, exclude=exclude, **options)

    def _keep(self, request: Request, generation: Generation) -> None:
        """Let the answer be kept, which depends on the generation and the parameters alone."""
        seconds, urls = self._images.keeping(KEPT_SECONDS)
        request.keep(seconds, VERSION, generation.manifest.generation, urls, sorted(request.query.every.items()))

    # The shape of their answers.

    def _urls(self, found: Found) -> list[str]:
        return self._images.of([neighbour.key for neighbour in found])

    def _similar_to(
        self,
        request: Request,
        generation: Generation,
        key: str,
        parameters: SearchParameters,
        options: Mapping[str, Any],
        words: Words | None,
    ) -> dict[str, Any]:
        vector = generation.gallery.vector(key)
        found = self._found(request, generation, vector, options, exclude=(key,), words=words)
        [url] = self._images.of([key])
        return self._results(generation, found, {"key": key, "url": url, **parameters.stated()}, words)

    def _results(
        self, generation: Generation, found: Found, query: dict[str, Any], words: Words | None
    ) -> dict[str, Any]:
        manifest = generation.manifest
        results: list[dict[str, Any]] = [
            {"key": neighbour.key, "url": url, "score": neighbour.score}
            for neighbour, url in zip(found, self._urls(found), strict=True)
        ]
        # Either list may be empty: a search describes only what it was asked for.
        for result, product in zip(results, found.products, strict=False):
            if product is not None:
                result["product"] = product
        for result, seen in zip(results, found.seen, strict=False):
            if seen is not None:
                result["seen"] = seen
        for result, others in zip(results, found.others, strict=False):
            result["others"] = others
        return {
            "results": results,
            **({"facets": found.facets} if found.facets else {}),
            "index": {
                "generation": manifest.generation,
                "count": manifest.count,
                "built_at": manifest.built_at,
                "model": manifest.model.sha256,
            },
            "query": {**query, **(words.stated() if words else {})},
        }


def _kept(request: Request, document: api_docs.Document) -> api_docs.Document:
    request.keep(KEPT_SECONDS, document.body)
    return document


def _likeliest(attribute: "Attribute", outputs: NDArray[np.float32]) -> list[dict[str, Any]]:
    found = attribute.likeliest(outputs, MOST_SEEN)
    return [{"value": value, "probability": round(p, 3), "sure": sure} for value, p, sure in found if p >= LEAST_SEEN]


def _column(column: "ColumnSummary") -> dict[str, Any]:
    about: dict[str, Any] = {"name": column.name, "type": column.type}
    if column.type == "price":
        about["currencies"] = list(column.values)
    if column.numeric:
        return {**about, "least": column.least, "most": column.most}
    return {**about, "values": list(column.values)}
