"""A device: a small MQTT client that notes each thing it sends and receives, and that can misbehave."""

import asyncio
import collections
import contextlib
import fcntl
import json
import os
import socket
import struct

from kit import wire

from . import history as events
from .network import SIOCOUTQ, TCP_REPAIR
from .payload import key_of

PING_EVERY = 1.0  # seconds: what is proved about a connection is proved by pings
PATIENCE = 10.0  # for an answer, before it gives the connection up
RECEIPTS = 0.05  # of the messages


class Link(asyncio.Protocol):
    """One connection, from CONNECT to its end."""

    def __init__(self, phone, number, node):
        self.phone, self.number, self.node = phone, number, node
        self.recorder, self.loop = phone.recorder, asyncio.get_running_loop()
        self.buffer = bytearray()
        self.connack = self.loop.create_future()
        self.closed = self.loop.create_future()
        self.held = collections.deque()  # packet identifiers that are to be acknowledged, in order
        self.receipts = {}  # packet identifier to (when, task, event)
        self.pinged_at = None
        self.reason = 0
        self.is_noted_closed = self.is_leaving = self.is_deaf = self.is_mute = False
        self.skips = False  # the next message is never acknowledged
        self.acks_planned = False
        self.next_packet = phone.chance.randrange(1, 60000)

    # The connection

    def connection_made(self, transport):
        self.transport = transport
        phone = self.phone
        properties = b""
        if phone.version == 5 and phone.receive_maximum < 65535:
            properties = b"\x21" + struct.pack("!H", phone.receive_maximum)
        phone.note_arrived()
        maximum = phone.receive_maximum if phone.version == 5 else 65535
        self.recorder.note(events.Connect(self.recorder.now(), self.number, phone.token, self.node.name, maximum))
        if not self.node.is_direct:
            self.node.expect(transport.get_extra_info("sockname")[1], self.number)
        transport.write(
            wire.connect(
                phone.version, phone.token, phone.secret, client_id=f"c{self.number}", keepalive=60, properties=properties
            )
        )
        self.timer = self.loop.call_later(PING_EVERY * (0.5 + phone.chance.random()), self._ping)

    def _write(self, data):
        if not self.transport.is_closing():  # it may have ended, and not be told yet
            self.transport.write(data)

    def connection_lost(self, error):
        self._note_closed("server")

    def _note_closed(self, by):
        if self.is_noted_closed:
            return
        self.is_noted_closed = True
        self.timer.cancel()
        for begin, task, event in self.receipts.values():
            self.recorder.note(events.Receipt(begin, self.recorder.now(), self.number, task, event, None))
        self.recorder.note(events.Closed(self.recorder.now(), self.number, by, self.reason))
        for future in (self.connack, self.closed):
            if not future.done():
                future.set_result(None)

    def drop(self):
        """Ends at once, without a goodbye; what is still to be written is not."""
        self._note_closed("device")
        self.transport.abort()

    def vanish(self):
        """Ends without a packet: like a device out of range. Without the right to do so it leaves an open socket behind."""
        self._note_closed("device")
        made = self.transport.get_extra_info("socket")
        if made is None or self.transport.is_closing():
            return None
        duplicate = socket.socket(fileno=os.dup(made.fileno()))
        with contextlib.suppress(OSError):
            duplicate.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            self.transport.abort()
            duplicate.close()
            return None
        self.transport.abort()
        return duplicate

    async def leave(self):
        """Says DISCONNECT and waits for the server to close."""
        self.is_leaving = True
        self.recorder.note(events.Bye(self.recorder.now(), self.number))
        self._write(wire.packet(wire.DISCONNECT << 4))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.closed), PATIENCE)
        self.drop()

    def has_arrived(self):
        """Whether the server's kernel has acknowledged everything written so far; a balancer's tells nothing."""
        if not self.node.is_direct or self.is_noted_closed or self.transport.is_closing() or self.transport.get_write_buffer_size():
            return False
        made = self.transport.get_extra_info("socket")
        return struct.unpack("i", fcntl.ioctl(made.fileno(), SIOCOUTQ, b"\0\0\0\0"))[0] == 0

    def _ping(self):
        now = self.recorder.now()
        if self.pinged_at is None and not self.is_deaf and not self.is_leaving:
            self.pinged_at = now
            self.recorder.note(events.Ping(now, self.number))
            self._write(wire.packet(wire.PINGREQ << 4))
        elif self.pinged_at is not None and not self.is_deaf and now - self.pinged_at > PATIENCE:
            return self.drop()
        self.timer = self.loop.call_later(PING_EVERY, self._ping)

    # Receiving

    def data_received(self, data):
        buffer = self.buffer
        buffer += data
        start, end = 0, len(buffer)
        while end - start >= 2:
            size = shift = 0
            at = start + 1
            while at < end:
                digit = buffer[at]
                size |= (digit & 0x7F) << shift
                shift += 7
                at += 1
                if not digit & 0x80:
                    break
            else:
                break
            if end - at < size:
                break
            self._packet(buffer[start], bytes(buffer[at : at + size]))
            start = at + size
        del buffer[:start]

    def _packet(self, first, body):
        if self.is_noted_closed:
            return
        kind = first >> 4
        if kind == wire.PUBLISH:
            self._publish(body)
        elif kind == wire.PINGRESP:
            self.pinged_at = None
            self.recorder.note(events.Pong(self.recorder.now(), self.number))
        elif kind == wire.CONNACK:
            self.recorder.note(events.Connack(self.recorder.now(), self.number, body[1]))
            if not self.connack.done():
                self.connack.set_result(body[1])
        elif kind == wire.PUBACK:
            begin, task, event = self.receipts.pop(struct.unpack("!H", body[:2])[0])
            reason = body[2] if len(body) > 2 else 0
            outcome = 0 if reason < 0x80 else reason
            self.recorder.note(events.Receipt(begin, self.recorder.now(), self.number, task, event, outcome))
        elif kind == wire.DISCONNECT:
            self.reason = body[0] if body else 0

    def _publish(self, body):
        topic = struct.unpack("!H", body[:2])[0]
        packet = struct.unpack("!H", body[2 + topic : 4 + topic])[0]
        at = 4 + topic
        if self.phone.version == 5:
            at += 1 + body[at]  # its properties are few
        try:
            message = json.loads(body[at:])
            key = key_of(message["body"])
            task, version = message["task_id"], message.get("version", 0)
            sound = self.phone.contents.get(key) == message["body"]
        except (ValueError, KeyError, TypeError):
            task, key, version, sound = "", "", 0, False
        self.recorder.note(events.Frame(self.recorder.now(), self.number, packet, task, key, version, sound))
        if self.skips:
            self.skips = False
            return
        self.held.append(packet)
        self._plan_acks()
        if self.phone.chance.random() < RECEIPTS and task:
            self._receipt(task, "applied" if version else "opened")

    def _plan_acks(self):
        """At once, or a moment later, as this device is made."""
        if self.is_mute or self.acks_planned:
            return
        if not self.phone.tardy:
            return self.acknowledge()
        self.acks_planned = True
        self.loop.call_later(self.phone.tardy * self.phone.chance.random(), self.acknowledge)

    def acknowledge(self):
        self.acks_planned = False
        if self.is_mute or self.is_leaving or self.is_noted_closed:
            return
        now, number, out = self.recorder.now(), self.number, bytearray()
        while self.held:
            packet = self.held.popleft()
            self.recorder.note(events.Ack(now, number, packet))
            out += b"\x40\x02" + struct.pack("!H", packet)
        if out:
            self._write(bytes(out))

    def _receipt(self, task, event):
        self.next_packet = self.next_packet % 65535 + 1
        if self.is_leaving or self.next_packet in self.receipts:
            return
        self.receipts[self.next_packet] = self.recorder.now(), task, event
        content = json.dumps({"task_id": task, "event": event}).encode()
        self._write(wire.publish(self.phone.version, "psp/push/receipt", content, packet_id=self.next_packet))

    # Misbehaving

    def deafen(self, is_deaf):
        self.is_deaf = is_deaf
        if self.is_noted_closed or self.transport.is_closing():
            return
        if is_deaf:
            self.transport.pause_reading()
        else:
            if self.pinged_at is not None:
                self.pinged_at = self.recorder.now()
            self.transport.resume_reading()

    def mute(self, is_mute):
        self.is_mute = is_mute
        if not is_mute:
            self.acknowledge()


class Phone:
    """Keeps one connection, and makes another when it ends. Which node: any."""

    numbers = 0

    def __init__(self, token, secret, recorder, doors, contents, chance, *, namespace=None, cell=None):
        """In a network, if one is given; `cell` is its name if it can be cut."""
        self.token, self.secret, self.recorder, self.doors, self.contents, self.chance = (
            token,
            secret,
            recorder,
            doors,
            contents,
            chance,
        )
        self.namespace, self.cell = namespace, cell
        self.version = chance.choice((4, 5))
        self.receive_maximum = chance.choice((65535, 65535, 65535, 20, 5, 1))
        self.tardy = chance.choice((0, 0, 0.05, 0.3))  # at most so many seconds from a message to its acknowledgement
        self.is_wanted = asyncio.Event()
        self.links = []
        self.abandoned = []
        self.is_ending = False

    @property
    def link(self):
        """The newest connection that is open."""
        self.links = [link for link in self.links if not link.is_noted_closed]
        return self.links[-1] if self.links else None

    async def run(self):
        while not self.is_ending:
            await self.is_wanted.wait()
            if not self.link:
                await self.connect()
            if self.link:
                await self.link.closed
            await asyncio.sleep(0.05 + 0.5 * self.chance.random())

    async def connect(self):
        """Whether it is connected; an open connection is taken over."""
        node = self.chance.choice(self.doors)
        if not node.is_up.is_set():
            await asyncio.sleep(0.1)
            return False
        made = self.namespace.socket() if self.namespace else socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        Phone.numbers += 1
        link = Link(self, Phone.numbers, node)
        try:
            await asyncio.wait_for(loop.sock_connect(made, node.mqtt), 5)
            await loop.create_connection(lambda: link, sock=made)
        except (OSError, asyncio.TimeoutError):
            made.close()
            return False
        self.links.append(link)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(link.connack), PATIENCE)
        if not link.connack.done() or link.connack.result() != 0:
            link.drop()
            return False
        return True

    def note_arrived(self):
        """Before a takeover: which acknowledgements lie at the server already."""
        for link in self.links:
            if link.has_arrived():
                self.recorder.note(events.Arrived(self.recorder.now(), link.number))

    async def leave(self):
        """Goes offline, politely or not."""
        self.is_wanted.clear()
        for link in list(self.links):
            if link.is_noted_closed:
                continue
            if self.chance.random() < 0.5:
                await link.leave()
            else:
                link.drop()

    def vanish(self):
        if self.link:
            socket_left = self.link.vanish()
            if socket_left:
                self.abandoned.append(socket_left)

    def end(self):
        self.is_ending = True
        self.is_wanted.clear()
        for link in self.links:
            link.drop()
        for each in self.abandoned:
            each.close()
