"""results/firth.json as tables, on the screen and in README.md."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

README = Path(__file__).with_name("README.md")
_BLOCK = re.compile(r"(<!-- begin firth: [^\n]* -->\n).*?(<!-- end firth -->)", flags=re.DOTALL)
_QUESTIONS = {"fit": "coefficients only", "full": "with 4 p-values and 8 profile limits"}


def refresh(path: Path) -> None:
    """Print the tables of the results at ``path`` and put them into README.md."""
    tables = as_markdown(json.loads(path.read_text()))
    click.echo(tables)
    README.write_text(in_text(README.read_text(), tables))


def in_text(text: str, tables: str) -> str:
    """``text`` with the tables in place of those between its marks.

    Raises:
        ValueError: the marks are missing.
    """
    if not _BLOCK.search(text):
        raise ValueError("README.md has no marks for the tables of firth.json")
    return _BLOCK.sub(lambda found: f"{found[1]}\n{tables}\n\n{found[2]}", text)


def as_markdown(body: dict[str, Any]) -> str:
    """A table of speeds, ratios and differences for each kind of data sets and question."""
    machine, settings = body["machine"], body["settings"]
    load = " and ".join(f"{each:g}" for each in machine["load_average_1_and_5_minutes"])
    versions = ", ".join(f"{name} {version}" for name, version in {**_packages(machine), **body["r"]}.items())
    parts = [
        f"Measured {body['measured'][:10]} on {machine['cpu']}, {machine['cores']} cores, load average {load} over 1 "
        f"and 5 minutes; {settings['rounds']} rounds. Python {machine['python']}, {versions}."
    ]
    for described in body["cohorts"]:
        for question, words in _QUESTIONS.items():
            rows = _rows(body, described["cohorts"], question)
            if rows:
                parts += [f"**{_title(described)}; {words}**", rows]
    return "\n\n".join(parts)


def _packages(machine: dict[str, Any]) -> dict[str, str]:
    return {name: machine["packages"][name] for name in ("numpy", "firthmodels", "numba")}


def _title(described: dict[str, Any]) -> str:
    title = f"{described['cohorts'].capitalize()} data sets, {described['sets']:,} ({described['left_out']} left out)"
    if "distinct" in described:
        return f"{title}, {described['distinct']:,} different tables"
    return f"{title}, {described['compared_separated']} of the first {described['compared']} separated"


def _rows(body: dict[str, Any], cohorts: str, question: str) -> str:
    speeds = [each for each in body["speeds"] if (each["cohorts"], each["question"]) == (cohorts, question)]
    if not speeds:
        return ""
    full = question == "full"
    head = ["contender", "a CPU second", "a second", "batched ours is", "no answer", "other fit", "coefficients within"]
    if full:
        head += ["no p-value", "other p-value", "p-values within", "no limit", "other limit", "limits within"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for speed in speeds:
        key = {"cohorts": cohorts, "question": question, "contender": speed["contender"]}
        agreed = next(each for each in body["agreement"] if key.items() <= each.items())
        row = [
            speed["contender"],
            "" if speed["cores"] > 1 else _count(speed["per_processor_second"]),
            _count(speed["per_second"]),
            _ratio(body["ratios"], key),
            f"{agreed['fits_without_answer']} of {agreed['sets']}",
            str(agreed["fits_that_differ"]),
            _small(agreed["coef_largest_difference"]),
        ]
        if full:
            row += [
                f"{agreed['pvalues_without_answer']} of {agreed['pvalues']}",
                str(agreed["pvalues_that_differ"]),
                _small(agreed["pvalue_largest_difference"]),
                f"{agreed['limits_without_answer']} of {agreed['limits']}",
                _others(agreed),
                _small(agreed["limit_largest_difference"]),
            ]
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _ratio(ratios: Sequence[dict[str, Any]], key: dict[str, str]) -> str:
    """Of a full answer the checked form's, and in brackets that of the unchecked one."""
    found = [each for each in ratios if (each["cohorts"], each["question"], each["against"]) == tuple(key.values())]
    if not found:
        return ""
    checked = next(each for each in found if not each["ours"].endswith("unchecked"))
    budget = "" if checked["at_least"] is None else f" (budget {checked['at_least']:g}: {checked['verdict']})"
    unchecked = [f" ({each['ratio']:.3g} x)" for each in found if each is not checked]
    return f"{checked['ratio']:.3g} x{budget}{''.join(unchecked)}"


def _others(agreed: dict[str, Any]) -> str:
    """How many limits differ, and on which side of the level the profile is there."""
    if not agreed["limits_that_differ"]:
        return "0"
    within = agreed["limits_that_differ_profile_still_above_level"]
    beyond = agreed["limits_that_differ_profile_already_below_level"]
    return f"{agreed['limits_that_differ']} ({within} too near, {beyond} too far)"


def _count(value: float) -> str:
    """Three significant figures."""
    digits = len(str(int(value)))
    return f"{round(value, 3 - digits):,.0f}"


def _small(value: float | None) -> str:
    return "" if value is None else f"{value:.0e}" if value else "0"
