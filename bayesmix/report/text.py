"""Numbers as people read them: sensible digits, real minus signs, nothing for what is not there."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from bayesmix.drawing.style import MINUS

DASH = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"
TIMES = "\N{MULTIPLICATION SIGN}"


def fixed(value: float | None, decimals: int = 3) -> str:
    """A number with a real minus sign, thin spaces between thousands from five digits on; a dash for what is missing.

    Examples
    --------
    >>> fixed(0.12345, 2), fixed(None)
    ('0.12', '–')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{value:,.{decimals}f}".replace(",", THIN if abs(value) >= 9999.5 else "")
    if not any(c in "123456789" for c in text):
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def prose(text: str) -> str:
    """Plain-text signs as a reader expects them: a real minus before numbers, ±.

    Examples
    --------
    >>> prose("-1.5 (+- 0.2) since 2026-11-20")
    '−1.5 (± 0.2) since 2026-11-20'
    >>> prose("https://example.org/-1")
    'https://example.org/-1'
    """
    return re.sub(r"(?<![\w./=-])-(?=\.?\d)", MINUS, text.replace("+-", "±"))


def decimals_for(spread: float | None, digits: int = 2) -> int:
    """Decimals that show ``digits`` significant digits of a standard deviation; between 0 and 6."""
    if spread is None or not math.isfinite(spread) or spread <= 0:
        return 3
    return min(6, max(0, digits - 1 - math.floor(math.log10(spread))))


def decimals_of(values: Iterable[float], most: int = 4) -> int:
    """The fewest decimals, up to ``most``, that show all of these values as they are; of missing ones there are none.

    Examples
    --------
    >>> decimals_of([2.9, 3.067]), decimals_of([63.0, 55.0])
    (3, 0)
    """
    shown = [v for v in values if not math.isnan(v)]
    exact = (d for d in range(most) if all(abs(v - round(v, d)) <= 1e-9 * (1 + abs(v)) for v in shown))
    return next(exact, most)


def significant(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, in powers of ten where it is very small or large.

    Examples
    --------
    >>> significant(0.00123456), significant(15), significant(2.5e-9), significant(9.999e-6)
    ('0.00123', '15', '2.5 × 10⁻⁹', '1 × 10⁻⁵')
    """
    if value is None or not math.isfinite(value) or value == 0:
        return fixed(value, 0)
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])
    if -4 <= exponent < 9:
        text = fixed(value, min(12, max(0, digits - 1 - exponent)))
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa = fixed(value / 10**exponent, digits - 1)
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    power = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} {TIMES} 10{power}"


def whole(value: float | None) -> str:
    """A count."""
    return fixed(value, 0)


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as a percentage."""
    return DASH if value is None or math.isnan(value) else f"{fixed(100 * value, decimals)}%"


def interval(lower: float | None, upper: float | None, decimals: int = 3) -> str:
    """Two ends."""
    return f"{fixed(lower, decimals)} to {fixed(upper, decimals)}"


def p_value(p: float, n: int, decimals: int) -> str:
    """A share of n: where it is none or all of them, below or above what n can tell.

    Examples
    --------
    >>> p_value(0.25, 200, 3), p_value(0.0, 200, 3), p_value(1.0, 2000, 4)
    ('0.250', '< 0.005', '> 0.9995')
    """
    if 0 < p < 1:
        return fixed(p, decimals)
    return f"< {significant(1 / n)}" if p <= 0 else f"> {significant(1 - 1 / n, 4)}"


def plural(n: float, one: str, many: str | None = None) -> str:
    """``1 row``, ``2 rows``."""
    return f"{whole(n)} {one if n == 1 else many or one + 's'}"


def listed(items: Iterable[str], *, most: int = 6) -> str:
    """``a, b and c``; a long list is cut."""
    names = list(items)
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"
