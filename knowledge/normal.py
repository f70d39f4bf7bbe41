"""The normal distribution in numpy alone: the reply path may not wait for scipy's import.

``cdf`` uses Cody's rational approximations of erf and erfc (Math Comp 1969),
``quantile`` is Wichura's algorithm AS 241 (Appl Stat 1988), both to about
1e-15; ``bivariate_upper`` integrates Plackett's identity. The tests hold all
three against scipy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

Z95 = 1.959963984540054  # 97.5 % point: two-sided limits at 95 %
_SQRT2 = np.sqrt(2.0)

# Cody's coefficients for |x| <= 0.46875 (A, B), up to 4 (C, D) and beyond (P, Q).
_ERF_A = (
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
    1.85777706184603153e-1,
)
_ERF_B = (2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_ERF_C = (
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
    2.15311535474403846e-8,
)
_ERF_D = (
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_ERF_P = (
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
    1.63153871373020978e-2,
)
_ERF_Q = (
    2.56852019228982242e0,
    1.87295284992346725e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
_INV_SQRT_PI = 5.6418958354775628695e-1

# AS 241 coefficients, highest power first, for the centre and the two tail ranges.
_Q_CENTRE = (
    (
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.387132872796366608,
    ),
    (
        5226.495278852545925,
        28729.085735721942674,
        39307.89580009271061,
        21213.794301586595867,
        5394.1960214247511077,
        687.1870074920579083,
        42.313330701600911252,
        1.0,
    ),
)
_Q_NEAR = (
    (
        7.7454501427834140764e-4,
        2.27238449892691845833e-2,
        0.24178072517745061177,
        1.27045825245236838258,
        3.64784832476320460504,
        5.7694972214606914055,
        4.6303378461565452959,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.475938084995344946e-4,
        1.51986665636164571966e-2,
        0.14810397642748007459,
        0.68976733498510000455,
        1.6763848301838038494,
        2.05319162663775882187,
        1.0,
    ),
)
_Q_FAR = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        0.29656057182850489123,
        1.78482653991729133580,
        5.46378491116411436990,
        6.65790464350110377720,
    ),
    (
        2.04426310338993978564e-15,
        1.4215117583164458887e-7,
        1.8463183175100546818e-5,
        7.868691311456132591e-4,
        1.48753612908506148525e-2,
        0.13692988092273580531,
        0.59983220655588793769,
        1.0,
    ),
)

# Gauss-Legendre nodes suffice for correlations up to 0.6: the integrand is analytic there.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


def cdf(x: ArrayLike) -> Floats:
    """P(Z <= x) for a standard normal Z, elementwise."""
    z = np.asarray(x, dtype=float)
    tail = 0.5 * _erfc(np.abs(z) / _SQRT2)
    result: Floats = np.where(z < 0, tail, 1.0 - tail)
    return result


def quantile(p: ArrayLike) -> Floats:
    """Standard normal quantile for 0 < p < 1, elementwise; -inf and inf at the ends."""
    u = np.asarray(p, dtype=float)
    q = u - 0.5
    tail = np.where(q < 0, u, 1.0 - u)
    with np.errstate(divide="ignore"):
        r = np.sqrt(-np.log(np.where(tail > 0, tail, 0.0)))
    finite = np.where(np.isfinite(r), r, 5.0)
    centre = q * _ratio(_Q_CENTRE, 0.180625 - q * q)
    near, far = _ratio(_Q_NEAR, finite - 1.6), _ratio(_Q_FAR, finite - 5.0)
    outer = np.sign(q) * np.where(np.isfinite(r), np.where(finite <= 5.0, near, far), np.inf)
    result: Floats = np.where(np.abs(q) <= 0.425, centre, outer)
    return result


def bivariate_upper(p: ArrayLike, q: ArrayLike, correlation: ArrayLike) -> Floats:
    """P(Z1 > a, Z2 > b) where P(Z1 > a) = p and P(Z2 > b) = q, elementwise.

    Plackett: the derivative of the joint probability by the correlation is the
    bivariate normal density. ``correlation`` from 0 to about 0.7.
    """
    first, second, rho = np.broadcast_arrays(np.asarray(p, float), np.asarray(q, float), np.asarray(correlation, float))
    a, b = quantile(1.0 - first), quantile(1.0 - second)
    total = np.zeros(first.shape)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        t = 0.5 * rho * (node + 1.0)
        rest = 1.0 - t * t
        total += weight * np.exp(-(a * a - 2.0 * t * a * b + b * b) / (2.0 * rest)) / np.sqrt(rest)
    result: Floats = first * second + 0.5 * rho * total / (2.0 * np.pi)
    return result


def _ratio(pair: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    result: Floats = np.polyval(pair[0], x) / np.polyval(pair[1], x)
    return result


def _erfc(x: Floats) -> Floats:
    """erfc for x >= 0."""
    small = np.minimum(x, 0.46875)
    y = small * small
    numerator, denominator = _ERF_A[4] * y, y
    for a, b in zip(_ERF_A[:3], _ERF_B[:3], strict=True):
        numerator, denominator = (numerator + a) * y, (denominator + b) * y
    low = 1.0 - small * (numerator + _ERF_A[3]) / (denominator + _ERF_B[3])
    mid_x = np.clip(x, 0.46875, 4.0)
    numerator, denominator = _ERF_C[8] * mid_x, mid_x
    for c, d in zip(_ERF_C[:7], _ERF_D[:7], strict=True):
        numerator, denominator = (numerator + c) * mid_x, (denominator + d) * mid_x
    mid = np.exp(-mid_x * mid_x) * (numerator + _ERF_C[7]) / (denominator + _ERF_D[7])
    high_x = np.clip(x, 4.0, 26.5)
    y = 1.0 / (high_x * high_x)
    numerator, denominator = _ERF_P[5] * y, y
    for p, q in zip(_ERF_P[:4], _ERF_Q[:4], strict=True):
        numerator, denominator = (numerator + p) * y, (denominator + q) * y
    tail = y * (numerator + _ERF_P[4]) / (denominator + _ERF_Q[4])
    high = np.exp(-high_x * high_x) * (_INV_SQRT_PI - tail) / high_x
    result: Floats = np.where(x <= 0.46875, low, np.where(x <= 4.0, mid, high))
    return result
