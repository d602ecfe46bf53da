"""Storage that fails at its n-th call, during a rebuild in a local folder."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from embeddings.errors import StorageError, UnavailableError
from embeddings.rebuild import checkpoint
from embeddings.storage.reader import Reader
from embeddings.storage.writers.local import LocalWriter
from tests.rebuild.gallery import Shop

Kind = Literal["error", "timeout", "lost answer", "short read", "kill"]

GRAIN = 2
BEFORE = {"stays.jpg": "red", "changes.jpg": "green", "goes.jpg": "blue"}
NEW = {f"new/{number}.jpg": colour for number, colour in enumerate(("pink", "navy", "olive", "teal", "black"))}
OLD_KEYS = sorted(BEFORE)
NEW_KEYS = sorted(BEFORE.keys() - {"goes.jpg"} | NEW.keys())
TO_EMBED = len(NEW) + 1


def fill(shop: Shop) -> None:
    """Make a gallery, and an index that is a few photos behind it."""
    shop.put(BEFORE)
    shop.rebuild()
    shop.photos.delete(["goes.jpg"])
    shop.put({**NEW, "changes.jpg": "purple"})


WRITES = tuple(f"LocalWriter.{name}" for name in ("put", "compare_and_set", "delete"))
CALLS = (*WRITES, *(f"LocalWriter.{name}" for name in ("list", "stat", "get")), "Reader.get")


@dataclass
class Fault:
    """A kind of failure, and the number of the call that it hits."""

    kind: Kind
    at: int
    calls: list[str] = field(default_factory=list)
    happened: bool = False

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        # Losing the answer to a read is failing, and the reader itself notices a short read.
        if name not in {"lost answer": WRITES, "short read": ("LocalWriter.get",)}.get(self.kind, CALLS):
            return call()
        self.calls.append(name)
        if len(self.calls) - 1 != self.at:
            return call()
        self.happened = True
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "error":
            raise StorageError(f"{name}: injected")
        if self.kind == "timeout":
            raise UnavailableError(f"{name}: injected")
        answer = call()
        if self.kind == "short read":
            return replace(answer, data=answer.data[: len(answer.data) // 2])
        raise UnavailableError(f"{name}: injected")


@contextmanager
def injected(fault: Fault) -> Iterator[None]:
    """Lead every call of storage through the fault, and make checkpoints small."""
    real: dict[tuple[type, str], Any] = {
        (kind, name): getattr(kind, name)
        for kind in (LocalWriter, Reader)
        for name in ("list", "stat", "get", "put", "compare_and_set", "delete")
        if f"{kind.__name__}.{name}" in CALLS
    }
    grain = checkpoint.GRAIN
    checkpoint.GRAIN = GRAIN

    def wrapped(kind: type, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            method = real[kind, name]
            if name == "list":
                return fault.around(f"{kind.__name__}.list", lambda: iter(list(method(*arguments, **options))))
            return fault.around(f"{kind.__name__}.{name}", lambda: method(*arguments, **options))

        return call

    for kind, name in real:
        setattr(kind, name, wrapped(kind, name))
    try:
        yield
    finally:
        checkpoint.GRAIN = grain
        for (kind, name), method in real.items():
            setattr(kind, name, method)
