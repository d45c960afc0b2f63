"""Where a detector's heavy work runs: its own threads, so that the event loop never waits for it.

It knows nothing of what runs. What a job's error says stays here: it could quote a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_Job = tuple["Future[Any]", Callable[[Any], Any], Any]


class JobFailed(Exception):
    """A detector's work raised. Names the detector and the kind of error, never its words."""


class LaneClosed(Exception):
    """This detector is closed and takes no more work."""


class Lane:
    """Runs jobs one after another on `threads` daemon threads, in the order they came.

    Daemons, not a ThreadPoolExecutor: a hung job must not keep the process from ending.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._name = name
        self._threads = threads
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = Lock()
        self._started = False
        self._closed = False
        self.ended = 0
        """Jobs that were run to their end, well or not: it stands still while a job hangs."""

    async def run(self, work: Callable[[Given], Made], given: Given) -> Made:
        """`work(given)`, off the loop. Raise JobFailed when it raises, LaneClosed after `close`.

        Cancelled while it waits, the job is never begun; once begun it runs to its end unheard.
        """
        future: Future[Made] = Future()
        with self._lock:
            if self._closed:
                raise LaneClosed
            self._start()
            self._jobs.put((future, work, given))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take no more work and let the threads end; jobs still waiting raise LaneClosed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in range(self._threads):
                self._jobs.put(None)

    def _start(self) -> None:
        """Threads begin with the first job: a lane that is never used costs nothing."""
        if self._started:
            return
        self._started = True
        for number in range(self._threads):
            Thread(target=self._serve, name=f"{self._name}-{number}", daemon=True).start()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work, given = job
            if not future.set_running_or_notify_cancel():
                continue
            if self._closed:
                future.set_exception(LaneClosed())
                continue
            try:
                made = work(given)
            except BaseException as error:  # noqa: BLE001 - a thread that dies would hang every later job
                future.set_exception(JobFailed(f"{self._name}: {type(error).__name__}"))
            else:
                future.set_result(made)
            with self._lock:
                self.ended += 1
            # The thread waits for the next job without holding this one's text.
            del job, given, future
