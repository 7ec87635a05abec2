"""Values in messages: whatever was given, a sentence about it stays short and readable."""

from __future__ import annotations

import math
import reprlib

MOST = 80  # characters


class _Repr(reprlib.Repr):
    """``repr`` that leaves out the middle of what is long, without building all of it first."""

    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # Python writes out no more than 4,300 digits
            digits = math.ceil(x.bit_length() * math.log10(2))
            return f"a whole number of about {digits:,} digits"


_repr = _Repr()
_repr.maxstring = _repr.maxlong = _repr.maxother = MOST
_repr.maxlevel = 3


def quoted(value: object) -> str:
    """``repr`` of any value, in at most 80 characters: of a longer one the middle is left out."""
    return shortened(_repr.repr(value))


def shortened(text: str, most: int = MOST) -> str:
    """Text of at most ``most`` characters: of a longer one the middle is left out."""
    if len(text) <= most:
        return text
    kept = most - len("...")
    return f"{text[: kept - kept // 2]}...{text[len(text) - kept // 2 :]}"
