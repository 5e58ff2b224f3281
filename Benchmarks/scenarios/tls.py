"""What TLS costs: a handshake, and a device that is connected and idle."""

from kit.load import Swarm
from kit.process import CPU
from kit.rows import ratio
from kit.servers import Identity, Mosquitto, Pspd

from .devices import slope

SUITES = {"1.3": "TLS_AES_128_GCM_SHA256", "1.2": "ECDHE-ECDSA-AES128-GCM-SHA256"}
NOBODY = ("--user", "none", "--password", "none")


def tls(place):
    """A handshake, full and resumed, and the memory of an idle device, beside mosquitto with the same certificate, suite and version."""
    return _handshakes(place) + _memory(place)


def _handshakes(place):
    """Each connection ends with its handshake."""
    size, identity = place.size, Identity(place)
    pairs = {(version, resumed): [] for version in SUITES for resumed in (False, True)}
    with Pspd(place, identity=identity) as server, Mosquitto(place, identity, anonymous=False) as broker:
        for _ in range(size.runs):
            for (version, resumed), measured in pairs.items():
                measured.append(tuple(_handshake(place, each, version, resumed) for each in (server, broker)))
    return [
        ratio(f"tls-{version}-{'resumed' if resumed else 'full'}",
              f"TLS {version}, {'resumed' if resumed else 'full'} handshake, accept and close with it, CPU a connection ({SUITES[version]}, P-256, X25519)",
              "mosquitto", measured, 1.1, 1.0)
        for (version, resumed), measured in pairs.items()]


def _handshake(place, server, version, resumed):
    count = place.size.online
    flags = ("--tls", version, "--suite", SUITES[version], *NOBODY, *(("--resume",) if resumed else ()))
    with Swarm(place, server.mqtts, count, 0, *flags) as swarm:
        if resumed:
            # A session for each: they stay for the answer to their CONNECT, a refusal, and with it comes the ticket.
            _lose_all(swarm, "connect")
        server.settle()
        with CPU(server) as used:
            tally = _lose_all(swarm, "handshake")
        if tally["resumed"] != (count if resumed else 0):
            raise RuntimeError(f"{tally['resumed']} of {count} handshakes were resumed")
    return used.per(count)


def _lose_all(swarm, order):
    """Returns when all are connected and closed again."""
    swarm(order)
    tally = swarm("wait connected 300")["tally"]
    if tally["lost"] != swarm.count:
        raise RuntimeError(f"{order}: {tally}")
    return tally


def _memory(place):
    size, identity = place.size, Identity(place)
    flags, pairs = ("--tls", "1.3", "--suite", SUITES["1.3"]), []
    for _ in range(size.runs):
        with Pspd(place, identity=identity) as server:
            server.make_app()
            server.make_devices(range(size.crowd))
            ours = slope(place, server, *flags, to=server.mqtts)
        with Mosquitto(place, identity) as broker:
            pairs.append((ours, slope(place, broker, *flags, *NOBODY, "--subscribe", "dev/{}", to=broker.mqtts)))
    return [
        ratio("tls-idle", f"memory of an idle device with TLS 1.3, RSS from {size.first_crowd:,} to {size.crowd:,}",
              "mosquitto, one subscription each", pairs, 1.1, 1.0, "B")]
