"""Plots as SVG, by hand: bars are all that is needed."""

from html import escape

WIDTH, LABEL, BAR, GAP, TOP = 760, 300, 22, 10, 44


def bars(title, own, others):
    """Horizontal bars: our own figures, then the yardsticks."""
    values = own | others
    height = TOP + len(values) * (BAR + GAP) + 8
    most = max(values.values()) or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" fill="#202020">{escape(title)}</text>',
    ]
    for index, (name, value) in enumerate(values.items()):
        top = TOP + index * (BAR + GAP)
        length = max(1, (WIDTH - LABEL - 90) * value / most)
        color = "#2f6fb0" if index < len(own) else "#a8b4c0"
        parts += [
            f'<text x="{LABEL - 8}" y="{top + 15}" text-anchor="end" fill="#303030">{escape(_short(name))}</text>',
            f'<rect x="{LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{color}"/>',
            f'<text x="{LABEL + length + 6:.1f}" y="{top + 15}" fill="#303030">{value:,.1f}</text>',
        ]
    return "\n".join(parts) + "\n</svg>\n"


def _short(name, most=42):
    return name if len(name) <= most else name[: most - 1] + "…"
