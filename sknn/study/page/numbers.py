"""Numbers as people write them."""

import numpy as np

MISSING = "–"


def digits(value: float, significant: int = 2) -> str:
    """Write a number with so many significant digits and no exponent.

    Examples
    --------
    >>> digits(1234.5), digits(0.01234), digits(7.0)
    ('1,200', '0.012', '7.0')
    """
    if not np.isfinite(value):
        return MISSING
    rounded = float(f"{value:.{significant}g}")
    places = significant - 1 - int(np.floor(np.log10(abs(rounded)))) if rounded else 0
    return f"{rounded:,.{max(places, 0)}f}"


def seconds(value: float) -> str:
    """Write a time; none at all is missing.

    Examples
    --------
    >>> seconds(0.0042), seconds(4.24), seconds(0.0)
    ('4.2 ms', '4.2 s', '–')
    """
    if not value > 0:
        return MISSING
    return f"{digits(1000 * value)} ms" if value < 0.1 else f"{digits(value)} s"


def data_size(n_bytes: float) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> data_size(812), data_size(48_000), data_size(3.2e6)
    ('812 B', '48 kB', '3.2 MB')
    """
    if not np.isfinite(n_bytes):
        return MISSING
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{digits(n_bytes / size)} {unit}" if n_bytes < 100 * size else f"{n_bytes / size:,.0f} {unit}"
    return f"{n_bytes:.0f} B"


def p_value(value: float) -> str:
    """Write a p value.

    Examples
    --------
    >>> p_value(0.00001), p_value(0.0312), p_value(0.9999)
    ('< 0.001', '0.031', '1')
    """
    if not np.isfinite(value):
        return MISSING
    if value < 0.001:
        return "< 0.001"
    return "1" if value > 0.995 else digits(value)


def places_for(spreads: np.ndarray, significant: float = 1.7) -> int:
    """Tell how many decimal places, from 0 to 5, show so many digits of numbers of about this size.

    Examples
    --------
    >>> places_for(np.array([0.008, 0.012])), places_for(np.array([40.0])), places_for(np.zeros(3))
    (3, 0, 3)
    """
    known = np.abs(spreads[np.isfinite(spreads) & (spreads != 0)])
    return int(np.clip(np.floor(significant - np.log10(np.median(known))), 0, 5)) if len(known) else 3


def fixed(value: float, places: int) -> str:
    """Write a number with so many decimal places."""
    return f"{round(value, places) + 0.0:,.{places}f}".replace("-", "−") if np.isfinite(value) else MISSING


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "fold"), counted(1797, "row"), counted(2, "class", "classes")
    ('1 fold', '1,797 rows', '2 classes')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
