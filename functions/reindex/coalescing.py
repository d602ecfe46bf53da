"""Shared rebuilds: Google sends each event in a request of its own, and those that come during one share the next."""

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
    """Do `bring_up_to_date` once for all that is waiting in this process; return when `work` has been part of it.

    Otherwise a burst of a thousand photos would publish a thousand generations.

    Raises:
        GarmentSearchError: the rebuild failed; everyone with work in it gets the error.
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
    except BaseException as error:  # noqa: BLE001 - handed to all that wait for it
        for each in batch:
            each.done.set_exception(error)
    else:
        for each in batch:
            each.done.set_result(summary)
