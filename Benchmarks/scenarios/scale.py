"""A million devices and a million rows: starting, and answering callers beside heavy work of operators."""

import os
import statistics
import threading

from kit.load import finish, push, start_push
from kit.rows import Row, ratio
from kit.servers import Pspd, device_lines

DATA = "large"


#: The groupcast of the data directory that this process has filled.
_filled = {}


def _fill(place):
    """A data directory with so many devices and rows, left as by a crash. Half of the devices are below the organisation `half`."""
    size = place.size
    if size in _filled:
        return _filled[size]
    with Pspd(place, DATA) as server:
        server.make_app()
        server.make_devices(range(size.half), "half")
        server.make_devices(range(size.half, size.large))
        task = server.groupcast(1, "half")
        sent = 0
        while sent < size.large:
            report = push(
                place, server, "--count", min(size.large - sent, 200_000), "--duration", 600, "--targets", size.large, "--tag", "scale")
            sent += report["accepted"]
        server.kill()
    _filled[size] = task
    return task


def start(place):
    """How long until it serves, and how much memory it holds then: after a crash, and after a proper end."""
    size = place.size
    _fill(place)
    seconds, memory, crashed = [], [], None
    for _ in range(size.runs + 1):
        with Pspd(place, DATA, keep=True) as server:
            if crashed is None:
                crashed = server.seconds_to_ready
                continue
            seconds.append(server.seconds_to_ready)
            memory.append(server.rss() / 2**20)
    what = f"start with {size.large:,} devices and {size.large:,} rows"
    return [
        Row("start", what + ", until ready", "", statistics.median(seconds), "s", 5, 1, samples=seconds),
        Row("start-crash", what + ", after a crash", "", crashed, "s", 5, 1),
        Row("start-memory", what + ", memory when it is ready", "", statistics.median(memory), "MiB", 1024, 300, samples=memory),
    ]


def beside(place):
    """p99 of a push while devices are imported, a task is paged through, and statistics run."""
    size = place.size
    pairs = []
    task = _fill(place)
    with Pspd(place, DATA, keep=True) as server:
        flags = ("--rate", 200, "--duration", 2 * size.seconds, "--targets", size.large, "--connections", 32)
        for run in range(size.runs):
            alone = push(place, server, *flags)["latency"]["p99"] / 1000
            over, troubles = threading.Event(), []
            works = [
                threading.Thread(target=_repeat, args=(work, over, troubles))
                for work in (_importing(server, size, run), _paging(server, task), lambda: server.call("GET", "/psp/push/stats?tag=scale"))
            ]
            running = start_push(place, server, *flags)
            for work in works:
                work.start()
            report = finish(running)
            over.set()
            for work in works:
                work.join()
            if troubles:
                raise RuntimeError(troubles[0])
            pairs.append((report["latency"]["p99"] / 1000, alone))
    return [
        ratio("operators", f"p99 of a push beside an import of {size.imported:,}, paging through {size.half:,} and statistics over {size.large:,} tasks",
              "p99 without them", pairs, 3.0, 1.5, "ms")
    ]


def _repeat(work, over, troubles):
    # Who calls here must not keep the one who takes the time from the processor.
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
    try:
        while not over.is_set():
            if work() is None:
                return
    except Exception as trouble:  # shown by the one who waits
        troubles.append(trouble)


def _importing(server, size, run):
    """Each call imports new devices; what is sent was made before, so that this process takes little time from the server."""
    bodies = [device_lines(range(size.imported), "imported", f"new-{run}-{number}") for number in range(8)]
    server.operate("PUT", "/psp/admin/orgs/imported", {"name": "imported"})

    def work():
        if not bodies:
            return None
        server.import_lines(bodies.pop())
        return True

    return work


def _paging(server, task):
    after = ""

    def work():
        nonlocal after
        page = server.call("GET", f"/psp/push/task/{task}/devices?state=pending&limit=1000{after}")
        after = f"&after={page['next']}" if "next" in page else ""
        return True

    return work
