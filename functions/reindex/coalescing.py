"""Google sends events one by one, each in a request of its own: those that come during a rebuild share the next."""

import threading
from concurrent.futures import Future
from typing import NamedTuple

from embeddings.rebuild import Summary
from functions.reindex.work import Work, bring_up_to_date, merged
from functions.settings import ReindexSettings


class _Waiting(NamedTuple):
    work: Work
    done: "Future[Summary]"


_turn = threading.Lock()
_waiting: list[_Waiting] = []
_waiting_lock = threading.Lock()


def bring_up_to_date_together(work: Work, settings: ReindexSettings) -> Summary:
    """As `bring_up_to_date`, for all who wait in this process at once; returns when `work` is in a rebuild that ended.

    A burst of a thousand photos would otherwise publish a thousand generations.

    Raises:
        GarmentSearchError: to all whose work was in the rebuild.
    """
    mine = _Waiting(work, Future())
    with _waiting_lock:
        _waiting.append(mine)
    with _turn:
        if not mine.done.done():
            _do(settings)
    return mine.done.result()


def _do(settings: ReindexSettings) -> None:
    with _waiting_lock:
        batch = _waiting[:]
        _waiting.clear()
    try:
        summary = bring_up_to_date(merged(each.work for each in batch), settings)
    except BaseException as error:  # noqa: BLE001 - handed on to all who wait for it
        for each in batch:
            each.done.set_exception(error)
    else:
        for each in batch:
            each.done.set_result(summary)
