"""Payloads of the shape Slack documents, with anything in the place of anything."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.support.fuzz_choices import Choices
from tests.support.fuzz_text import BAD_NUMBERS, CANARIES, MARKUP, MISCHIEF

Path = tuple[str | int, ...]


def spoilt(choose: Choices, payload: dict[str, Any]) -> dict[str, Any]:
    """A copy in which one to three places hold something else, are missing, or have company."""
    payload = copy.deepcopy(payload)
    for _ in range(1 + choose.below(3)):
        places = list(_places(payload))
        if not places:
            break
        *way, last = choose.pick(places)
        inside: Any = payload
        for step in way:
            inside = inside[step]
        what = choose.below(6)
        if what == 0:
            del inside[last]
        elif what == 1 and isinstance(inside, dict):
            inside[_text(choose)] = anything(choose)
        elif what == 2 and isinstance(inside[last], str):
            inside[last] = inside[last] + _text(choose)
        else:
            inside[last] = anything(choose)
    return payload


def anything(choose: Choices, depth: int = 0) -> Any:
    """A JSON value; NaN too, which Python reads."""
    way = choose.below(12)
    if way < 4:
        return _text(choose)
    if way == 4:
        return choose.pick((0, 1, -1, 1e400, float("nan"), 10**30, 2**63, 0.5, 1_800_000_000))
    if way == 5:
        return choose.pick((True, False))
    if way == 6:
        return None
    if way in (7, 8) and depth < 4:
        return [anything(choose, depth + 1) for _ in range(choose.below(3))]
    if way in (9, 10) and depth < 4:
        return {_text(choose): anything(choose, depth + 1) for _ in range(choose.below(3))}
    deep: Any = []
    for _ in range(choose.pick((3, 60))):
        deep = [deep] if choose.below(2) == 0 else {"x": deep}
    return deep


def _text(choose: Choices) -> str:
    options = (
        *(
            "",
            "U0FELLOW01",
            "yes",
            "480",
            "modal",
            "home",
            "block_actions",
            "message",
            "im",
            "app_mention",
            "T0TARLADEV",
        ),
        *(
            "[" * 2_000,
            "{}",
            '{"version":1,"door":"command"}',
            "null",
            "http://127.0.0.1:9/",
            "https://hooks.slack.com/x",
        ),
        *("x" * 200, "A" * 150, "../../etc/passwd", "1.2", "1-abcd", "1284-3f9a"),
    )
    return choose.pick((choose.pick(options), choose.pick(BAD_NUMBERS + MARKUP + MISCHIEF + CANARIES)))


def _places(content: Any, way: Path = ()) -> Iterator[Path]:
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, each in items:
        yield (*way, name)
        yield from _places(each, (*way, name))
