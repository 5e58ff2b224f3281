"""A device by paho-mqtt. What it received is kept in order; by default it acknowledges at once."""

import json
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .waiting import PATIENCE, eventually

VERSIONS = {"3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}


class Device:
    """One connection at a time. Never connects again by itself."""

    def __init__(self, server, token, secret, version="5.0", *, keepalive=60, acknowledges=True, receive_maximum=None,
                 trust=None, source=""):
        self.server, self.token, self.secret, self.version = server, token, secret, version
        self.keepalive = keepalive
        self.acknowledges = acknowledges
        self.receive_maximum = receive_maximum
        self.trust = trust  # None: in clear
        self.source = source  # the address that it comes from; any by default
        self.received = []  # (topic, decoded message), of all connections
        self.unacknowledged = []  # packet ids of this connection
        self.connack = self.reason = None
        self.changed = threading.Condition()
        self.published = {}
        self.client = None

    # Connecting

    def begin_connecting(self):
        self.connack = self.reason = None
        self.unacknowledged = []
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="", protocol=VERSIONS[self.version], reconnect_on_failure=False,
            manual_ack=True,
        )
        client.username_pw_set(self.token, self.secret)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self.client = client
        properties = None
        if self.receive_maximum:
            properties = Properties(PacketTypes.CONNECT)
            properties.ReceiveMaximum = self.receive_maximum
        if self.trust:
            client.tls_set_context(self.trust.context(alpn=["mqtt"]))
        client.connect(*(self.server.mqtts if self.trust else self.server.mqtt), keepalive=self.keepalive, properties=properties,
                       bind_address=self.source)
        client.loop_start()
        return self

    def connect(self):
        """Returns when the server has accepted it."""
        self.begin_connecting()
        self.wait(lambda: self.connack is not None or self.reason is not None, "CONNACK")
        assert self.connack is not None and not self.connack.is_failure, f"{self.token}: {self.connack or self.reason}"
        return self

    def disconnect(self):
        """Says goodbye and returns when the connection has ended."""
        if self.client:
            self.client.disconnect()
            self._end()

    def vanish(self):
        """Ends without a DISCONNECT, like a device that loses its network."""
        if self.client:
            sock = self.client.socket()
            if sock:
                sock.close()
            self._end()

    def stall(self):
        """Stops reading and pinging; the connection stays."""
        self.client.loop_stop()

    def _end(self):
        self.client.loop_stop()
        self.client = None

    def wait_closed(self):
        """Returns the reason for which the server closed the connection."""
        self.wait(lambda: self.reason is not None, "the server closes the connection")
        self._end()
        return self.reason

    # Receiving

    def wait(self, condition, what, timeout=PATIENCE):
        with self.changed:
            assert self.changed.wait_for(condition, timeout), f"{self.token}: not within {timeout} s: {what() if callable(what) else what}"

    def tasks(self, topic="psp/push/msg"):
        """The task ids received so far, in the order of arrival."""
        with self.changed:
            return [message["task_id"] for at, message in self.received if at == topic]

    def wait_for(self, *task_ids, topic="psp/push/msg", timeout=PATIENCE):
        """Returns when all of these have arrived, and they themselves."""
        wanted = set(task_ids)
        self.wait(
            lambda: wanted <= {message["task_id"] for at, message in self.received if at == topic},
            lambda: f"{wanted} of {self.received}", timeout)
        with self.changed:
            return [message for at, message in self.received if at == topic and message["task_id"] in wanted]

    def acknowledge_all(self):
        """Acknowledges what it held back, in order."""
        with self.changed:
            held, self.unacknowledged = self.unacknowledged, []
        for mid in held:
            self.client.ack(mid, 1)

    def receipt(self, task_id, event, qos=1, **more):
        """Sends a receipt; returns when it was answered, with the answer's reason (0 for none)."""
        return self.publish("psp/push/receipt", json.dumps({"task_id": task_id, "event": event, **more}), qos)

    def publish(self, topic, payload, qos=1):
        info = self.client.publish(topic, payload, qos)
        if qos == 0:
            return 0
        eventually(lambda: info.mid in self.published, f"an answer to {topic}")
        return self.published.pop(info.mid)

    def flush(self):
        """Returns when the server has read every acknowledgement so far: they may lie in this machine's socket for a while (Nagle), and what
        is published after them is answered after them."""
        self.publish("flush", b"")

    # paho's callbacks, on its thread

    def _on_connect(self, client, userdata, flags, reason, properties):
        with self.changed:
            if client is self.client:
                self.connack, self.flags, self.properties = reason, flags, properties
                self.changed.notify_all()

    def _on_message(self, client, userdata, message):
        with self.changed:
            if client is not self.client:
                return
            self.received.append((message.topic, json.loads(message.payload)))
            if not self.acknowledges:
                self.unacknowledged.append(message.mid)
            self.changed.notify_all()
        if self.acknowledges:
            client.ack(message.mid, message.qos)

    def _on_publish(self, client, userdata, mid, reason, properties):
        self.published[mid] = reason.value

    def _on_disconnect(self, client, userdata, flags, reason, properties):
        with self.changed:
            if client is self.client:
                self.reason = reason
                self.changed.notify_all()

    def __enter__(self):
        return self.connect()

    def __exit__(self, *_):
        self.disconnect()
