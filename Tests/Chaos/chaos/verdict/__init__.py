"""The verdict on a history. Knows nothing of how the history was made: the same rules judge one node and several."""

from .checker import check
from .rules import RULES, Tolerance, Violation

__all__ = ["RULES", "Tolerance", "Violation", "check"]
