"""What was measured, beside what we aim at; as Markdown for people and as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured thing, for one or more cases.

    Args:
        what: its name.
        unit: of the numbers; "x" for a ratio.
        samples: every single measurement of each case, in the order they were taken.
        aim: the median should be at most this; None where nothing was promised.
    """

    what: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    aim: float | None = None

    def verdict(self, case: str) -> str | None:
        """Whether the aim is met or missed in this case; None without an aim."""
        if self.aim is None:
            return None
        return "met" if median(self.samples[case]) <= self.aim else "missed"


@dataclass(frozen=True)
class Table:
    """Rows with the same cases, each case a column."""

    title: str
    rows: Sequence[Row]

    @property
    def cases(self) -> list[str]:
        """Every case of every row once, in order."""
        return list(dict.fromkeys(case for row in self.rows for case in row.samples))


def ratios(what: str, over: Row, under: Row, aim: float | None = None) -> Row:
    """Row over row, sample by sample: what was taken in one round is compared with itself."""
    samples = {
        case: [a / b for a, b in zip(over.samples[case], under.samples[case], strict=True)]
        for case in over.samples
    }
    return Row(what, "x", samples, aim)


def markdown(table: Table) -> str:
    """The table with a median in each cell and, where something was promised, the verdict."""
    lines = [["", "unit", "aim", *table.cases]]
    lines += [[row.what, row.unit, _aim(row), *_cells(row, table.cases)] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    padded = [[text.ljust(n) for text, n in zip(line, widths, strict=True)] for line in lines]
    return "\n".join([f"**{table.title}**", "", *(f"| {' | '.join(line)} |" for line in padded)])


def as_json(table: Table) -> dict[str, Any]:
    """The table as plain values, with every single measurement."""
    rows = [
        {
            "what": row.what,
            "unit": row.unit,
            "aim": row.aim,
            "cases": {
                case: {
                    "median": median(samples),
                    "samples": list(samples),
                    "verdict": row.verdict(case),
                }
                for case, samples in row.samples.items()
            },
        }
        for row in table.rows
    ]
    return {"title": table.title, "rows": rows}


def _aim(row: Row) -> str:
    return "" if row.aim is None else f"≤ {row.aim:g}"


def _cells(row: Row, cases: Sequence[str]) -> list[str]:
    return [_cell(row, case) if case in row.samples else "" for case in cases]


def _cell(row: Row, case: str) -> str:
    value = median(row.samples[case])
    number = f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"
    return " ".join(filter(None, (number, row.verdict(case))))
