"""How fast the machine is at this moment: on a shared one it changes by the hour, and with it every absolute figure."""

import time


def pace():
    """Seconds of processor time for a fixed piece of work, the best of three."""
    return min(_work() for _ in range(3))


def _work():
    began = time.process_time()
    total = 0
    for number in range(3_000_000):
        total += number * number
    return time.process_time() - began


def told(paces):
    """As the page's conditions have it: of the scenarios' paces, before and after each."""
    low, high = min(paces), max(paces)
    times = f"{low:.2f} s" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f} s"
    return f"a fixed piece of work took {times}; absolute figures compare with those of a run in which it took as long"
