"""Remembering answers for a while: bounded, asked for once at a time, and kept in reserve for when nobody answers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T
    asked_at: float
    fresh_until: float


class Remembered(Generic[T]):
    """Answers by key.

    Args:
        fresh_s: seconds for which an answer is given without asking again.
        reserve_s: seconds since it was asked for within which an old answer does where asking fails.
        retry_s: seconds after a failure before asking again, where an old answer does.
        most: number of answers kept; the one longest unused goes first.
        monotonic: seconds that never step back.
        keep: whether an answer is worth keeping; one that is not puts an older one out as well.
    """

    def __init__(
        self,
        *,
        fresh_s: float,
        reserve_s: float,
        retry_s: float,
        most: int,
        monotonic: Callable[[], float],
        keep: Callable[[T], bool] = lambda _value: True,
    ) -> None:
        self._fresh_s, self._reserve_s, self._retry_s, self._most = fresh_s, reserve_s, retry_s, most
        self._monotonic, self._keep = monotonic, keep
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer for ``key``, kept or asked for; who comes while it is being asked for shares that.

        Raises:
            Exception: what ``ask`` raised, where no old answer does.
        """
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            if self._monotonic() < kept.fresh_until:
                return kept.value
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key, ask))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        # Whoever gives up waiting must not take the answer from the others.
        return await asyncio.shield(task)

    def _asked(self, key: str, done: asyncio.Task[T]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # every waiter may be gone; asyncio would complain that nobody looked

    async def _ask(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await ask()
        except Exception:
            kept, now = self._kept.get(key), self._monotonic()
            if kept is None or now - kept.asked_at > self._reserve_s:
                raise
            kept.fresh_until = now + self._retry_s
            return kept.value
        if not self._keep(value):
            self._kept.pop(key, None)
            return value
        now = self._monotonic()
        self._kept[key] = _Kept(value, now, now + self._fresh_s)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value
