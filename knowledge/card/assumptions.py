"""The specification in words: every prior written from its own values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, log, sqrt
from typing import Any

from knowledge.card.records import Assumptions, Choice, Condition, Prior
from knowledge.card.texts import AssumptionTexts, CardError, ChoiceText
from knowledge.logistic import probability
from knowledge.normal import Z95
from knowledge.synthesis.spec import Spec

# What a form makes of a value: the prior as the statistician writes it, and what it means.
Written = tuple[str, str]


def assumptions(spec: Spec, texts: AssumptionTexts, structure: tuple[str, ...]) -> Assumptions:
    """All assumptions of ``spec``.

    Raises:
        CardError: a text asks for a form that does not exist.
    """
    priors = []
    for text in texts.prior:
        if text.form not in FORMS:
            raise CardError(f"assumptions.toml: {text.field}: no form is called {text.form!r}")
        written, meaning = FORMS[text.form](getattr(spec, text.field))
        priors.append(
            Prior(
                field=text.field,
                quantity=text.quantity,
                prior=written,
                meaning=meaning,
                reason=text.reason,
                facts=text.facts,
            )
        )
    choices = tuple(Choice(field=text.field, text=_choice(spec, text)) for text in texts.choice)
    conditions = tuple(Condition(text=text.text, facts=text.facts) for text in texts.condition)
    return Assumptions(structure=structure, choices=choices, priors=tuple(priors), conditions=conditions)


def _choice(spec: Spec, text: ChoiceText) -> str:
    value = getattr(spec, text.field)
    key = "+".join(value) if isinstance(value, tuple) else str(value).lower()
    if key not in text.by_value:
        raise CardError(f"assumptions.toml: {text.field}: no text for {key!r}")
    return text.by_value[key]


def spec_figures(spec: Spec) -> dict[str, str]:
    """The plain numbers of the specification, for use in sentences."""
    return {
        name: f"{value!r}" for name, value in spec if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _whole(fraction: float) -> str:
    return f"{100 * fraction:.0f}"


def _log2_normal(value: tuple[float, float]) -> Written:
    mean, sd = value
    low, high = (2.0 ** (mean + sign * Z95 * sd) for sign in (-1, 1))
    return f"log2 ~ N({mean:g}, {sd:g})", f"{2.0**mean:.2f} × the limit ({low:.2f} to {high:.2f})"


def _log2_sd(value: tuple[float, float]) -> Written:
    low, high = value
    return f"sd ~ U({low:g}, {high:g})", f"one sd up multiplies LDH by {2.0**low:.1f} to {2.0**high:.1f}"


def _beta(value: tuple[float, float]) -> Written:
    a, b = value
    mean = a / (a + b)
    sd = sqrt(mean * (1.0 - mean) / (a + b + 1.0))
    return f"Beta({a:g}, {b:g})", f"mean {_whole(mean)} %, sd {_whole(sd)} points"


def _uniform(value: tuple[float, float]) -> Written:
    low, high = value
    return f"U({low:g}, {high:g})", f"anything from {low:g} to {high:g}, on the latent normal scale"


def _taus(value: tuple[float, ...]) -> Written:
    share = "halves" if len(value) == 2 else "thirds" if len(value) == 3 else f"{len(value)} shares"
    factors = ", ".join(f"{exp(Z95 * tau):.0f}" for tau in value)
    listed = ", ".join(f"{tau:g}" for tau in value)
    return f"equal {share} of {listed}", f"95 % of odds ratios within a factor of {factors} of 1"


def _logit_normal(value: tuple[float, float]) -> Written:
    centre, sd = value
    low, high = (probability(log(centre / (1.0 - centre)) + sign * Z95 * sd) for sign in (-1, 1))
    return f"logit ~ N(logit {centre:g}, {sd:g})", f"{_whole(centre)} % ({_whole(low)} to {_whole(high)})"


def _logit_flat(value: float) -> Written:
    low, high = probability(-Z95 * value), probability(Z95 * value)
    return f"logit ~ N(0, {value:g})", f"{_percent(low)} to {_percent(high)}"


def _percent(fraction: float) -> str:
    if fraction < 0.01:
        return "below 1 %"
    return "above 99 %" if fraction > 0.99 else f"{_whole(fraction)} %"


def _half_normal(value: float) -> Written:
    low, high = (exp(sign * Z95 * value) for sign in (-1, 1))
    return (
        f"half-normal({value:g})",
        f"an sd of {value:g}: odds of a centre {low:.1f} to {high:.1f} times the average",
    )


def _hold(value: float) -> Written:
    return f"mean ± {value:g} sd of log2 LDH", "of each simulated population"


FORMS: Mapping[str, Callable[[Any], Written]] = {
    "log2_normal": _log2_normal,
    "log2_sd": _log2_sd,
    "beta": _beta,
    "uniform": _uniform,
    "taus": _taus,
    "logit_normal": _logit_normal,
    "logit_flat": _logit_flat,
    "half_normal": _half_normal,
    "hold": _hold,
}
