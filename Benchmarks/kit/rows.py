"""A row of the table: what was measured, against what, and whether that is enough."""

import dataclasses
import statistics


@dataclasses.dataclass
class Row:
    key: str
    scenario: str
    yardstick: str
    #: What is compared with the limits, and its unit: `x` for a ratio.
    measure: float
    unit: str
    #: The limits; nothing: the row is for information.
    must: float | None = None
    aim: float | None = None
    #: The two figures behind the measure, in `figure_unit`.
    value: float | None = None
    reference: float | None = None
    figure_unit: str = "µs"
    #: The measure of each run.
    samples: list = dataclasses.field(default_factory=list)
    note: str = ""

    @property
    def verdict(self):
        if self.must is None:
            return ""
        if self.measure > self.must:
            return "MISSED"
        return "aim" if self.aim is not None and self.measure <= self.aim else "met"

    def limit(self, value):
        if value is None:
            return ""
        return f"{value:g} x" if self.unit == "x" else f"{value:,g} {self.unit}"

    def cells(self):
        spread = f" ({min(self.samples):.2f} to {max(self.samples):.2f})" if len(self.samples) > 1 else ""
        measured = f"{self.measure:.2f} x" if self.unit == "x" else f"{self.measure:,.2f} {self.unit}"
        figures = "" if self.value is None else f"{self.value:,.2f}"
        if self.reference is not None:
            figures += f" / {self.reference:,.2f}"
        if figures:
            figures += f" {self.figure_unit}"
        return [self.scenario, self.yardstick, figures, measured + spread, self.limit(self.must), self.limit(self.aim), self.verdict]


HEAD = ["scenario", "yardstick", "this / yardstick", "measured (lowest to highest)", "must", "aim", ""]


def ratio(key, scenario, yardstick, pairs, must=None, aim=None, figure_unit="µs", note=""):
    """A row from (value, reference) pairs, one a run: the median of the runs' ratios."""
    # At small size both may be less than a clock tick.
    ratios = [value / reference if reference else 0.0 for value, reference in pairs]
    return Row(
        key, scenario, yardstick, statistics.median(ratios), "x", must, aim, statistics.median(value for value, _ in pairs),
        statistics.median(reference for _, reference in pairs), figure_unit, ratios, note)


def text_table(rows):
    """The rows for a terminal."""
    cells = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)
