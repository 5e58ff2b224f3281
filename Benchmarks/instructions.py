#!/usr/bin/env python3
"""Counts what a push costs: instructions in user mode, by callgrind, on one loop and one kept connection.

    python3 Benchmarks/instructions.py [--record] [--bin DIR] [plain|tagged|acknowledged]...

Unlike time, the count hardly depends on what else the machine does: a feature that makes pushes dearer shows here at once. Each
figure is the difference of two runs with a different number of pushes, so that the start and the end count for nothing. What
the writer does between transactions (indexes, sums) is counted apart: how often it comes to that depends on time.

--record   keep what was counted in Benchmarks/instructions.json, beside which later runs are shown
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

RECORD = Path(__file__).with_name("instructions.json")
MODES = ("plain", "tagged", "acknowledged")
PUSHES = (300, 1_800)
ADMIN_TOKEN = "t" * 32
DEVICE_SECRET = "device-secret"
# What the writer does between transactions.
HOUSEKEEPING = re.compile(r"6UpkeepC3run6isIdle")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modes", nargs="*", choices=[[], *MODES], metavar="MODE")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--bin", type=Path, default=Path(".build/release"))
    options = parser.parse_args()
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    print("thousand instructions a push    counted   recorded   housekeeping")
    with tempfile.TemporaryDirectory(prefix="instructions-") as work:
        server = Path(work, "pspd")
        # Without what debuggers need, which valgrind would read for seconds; with the names of functions.
        subprocess.run(["strip", "-g", "-o", server, options.bin / "pspd"], check=True)
        for mode in options.modes or MODES:
            few, many = (count(server, mode, pushes, Path(work, f"{mode}-{pushes}")) for pushes in PUSHES)
            way, aside = ((b - a) / (PUSHES[1] - PUSHES[0]) / 1_000 for a, b in zip(few, many))
            before = recorded.get(mode)
            print(f"{mode:<28}{way:>11.1f}{before if before is not None else '-':>11}{aside:>15.1f}", flush=True)
            recorded[mode] = round(way, 1)
    if options.record:
        RECORD.write_text(json.dumps(recorded, indent=2) + "\n")


def count(server, mode, pushes, work):
    """Runs the server under callgrind; returns its instructions for requests, and those for housekeeping."""
    work.mkdir()
    profile = work / "callgrind.out"
    settings = {"PSP_HTTP": "127.0.0.1:0", "PSP_MQTT": "127.0.0.1:0", "PSP_ADMIN": "127.0.0.1:0", "PSP_ADMIN_TOKEN": ADMIN_TOKEN}
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", server, "--data", work / "data", "--loops", "1",
               "--log-level", "warning"]
    with (work / "errors").open("w") as errors:
        process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        line = process.stdout.readline()
        ready = dict(re.findall(r"(\w+)=(\S+:\d+)", line))
        if not {"http", "mqtt", "admin"} <= ready.keys():
            raise SystemExit(f"pspd did not start: {line}{(work / 'errors').read_text()}")
        push(ready, mode, pushes)
    finally:
        process.terminate()
        process.wait()
    return totals(profile)


def push(ready, mode, pushes):
    """Sends pushes, one after the other; a device acknowledges each where the mode says so."""
    secret = set_up(ready["admin"])
    device = connect_device(ready["mqtt"]) if mode == "acknowledged" else None
    connection = connect(ready["http"])
    timestamp = str(int(time.time() * 1000))
    token = hashlib.md5(f"a{secret.lower()}{timestamp}".encode()).hexdigest()
    head = (f"POST /psp/push/msg HTTP/1.1\r\nHost: localhost\r\nappkey: a\r\ntimestamp: {timestamp}\r\n"
            f"validation-token: {token}\r\nContent-Type: application/json\r\n")
    for number in range(pushes):
        message = {"type": "unicast", "device_tokens": "d",
                   "payload": {"display_type": "notification", "body": {"title": "hi"}}}
        if mode == "tagged":
            message |= {"tag": f"marketing-{number % 5}", "policy": {"out_biz_no": f"biz-{number:08}"}}
        body = json.dumps(message)
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = b""
        while not answer.endswith(b"}}"):
            answer += receive(connection)
        if b'"SUCCESS"' not in answer:
            raise SystemExit(f"a push was refused: {answer.decode()}")
        if device:
            acknowledge(device)
    for each in filter(None, (device, connection)):
        each.close()


def set_up(address):
    admin = http.client.HTTPConnection(address)

    def put(path, fields):
        admin.request("PUT", f"/psp/admin/{path}", json.dumps(fields), {"Authorization": f"Bearer {ADMIN_TOKEN}"})
        return json.loads(admin.getresponse().read())["data"]

    put("orgs/o", {"name": "o"})
    put("devices/d", {"platform": "android", "org_id": "o", "secret": DEVICE_SECRET})
    secret = put("apps/a", {"name": "a", "interfaces": ["msg"]})["master_secret"]
    admin.close()
    return secret


def connect(address):
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def connect_device(address):
    device = connect(address)
    text = lambda value: struct.pack(">H", len(value)) + value.encode()  # noqa: E731
    # MQTT 3.1.1, user name and password, a session that goes on, no keep-alive.
    body = text("MQTT") + b"\x04\xc0\x00\x00" + text("d") + text("d") + text(DEVICE_SECRET)
    device.sendall(bytes([0x10, len(body)]) + body)
    connack = receive(device, 4)
    if connack[3] != 0:
        raise SystemExit(f"the device was refused: {connack.hex()}")
    return device


def acknowledge(device):
    """Takes one PUBLISH and answers it."""
    first, size, shift = receive(device, 1)[0], 0, 0
    while True:
        byte = receive(device, 1)[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    packet = receive(device, size)
    if first >> 4 != 3:
        raise SystemExit(f"not a PUBLISH: {first:#x}")
    topic = struct.unpack(">H", packet[:2])[0]
    device.sendall(b"\x40\x02" + packet[2 + topic:4 + topic])


def receive(connection, size=None):
    """Exactly so many bytes, or what there is."""
    received = connection.recv(size or 4096)
    while received and size and len(received) < size:
        received += connection.recv(size - len(received))
    if not received:
        raise SystemExit("the server has closed the connection")
    return received


def totals(profile):
    """Instructions in a callgrind profile but for housekeeping, and those of housekeeping."""
    names, callee, whole, aside = {}, None, 0, 0
    with profile.open(errors="replace") as lines:
        for line in lines:
            # A name is written out where it comes first; later only its number.
            if match := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
                if match[2]:
                    names[match[1]] = match[2]
                if line.startswith("c"):
                    called = names[match[1]]
            elif line.startswith("calls="):
                callee = called
            elif callee is not None:
                if HOUSEKEEPING.search(callee):
                    aside += int(line.split()[1])
                callee = None
            elif line.startswith(("totals:", "summary:")):
                whole = int(line.split()[1])
    return whole - aside, aside


if __name__ == "__main__":
    main()
