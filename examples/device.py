#!/usr/bin/env python3
"""A device: receives what is pushed to it, shows it and reports that it was opened or applied.

    pip install 'paho-mqtt>=2.2'
    python3 device.py DEVICE_TOKEN DEVICE_SECRET --host 127.0.0.1 --port 1883 --seen seen.txt

Prints one line of JSON for each message and configuration. Exit status: 0 stopped, 1 refused by the server, 2 wrong usage.
"""

import argparse
import collections
import json
import random
import sys
import time

import paho.mqtt.client as mqtt

MESSAGE = "psp/push/msg"
CONFIGURATION = "psp/push/config"
RECEIPT = "psp/push/receipt"

FIRST_DELAY, LONGEST_DELAY = 0.5, 60.0  # seconds between two attempts to connect
REMEMBERED = 10_000  # messages that a repetition is recognised of


class Seen:
    """The messages that were shown. Delivery is at least once: what the server could not see acknowledged comes again."""

    def __init__(self, path):
        self.ids = collections.OrderedDict()
        self.file = open(path, "a+", encoding="ascii") if path else None
        if self.file:
            self.file.seek(0)
            for line in self.file:
                self._remember(line.strip())

    def __contains__(self, task_id):
        return task_id in self.ids

    def add(self, task_id):
        self._remember(task_id)
        if self.file:
            self.file.write(task_id + "\n")
            self.file.flush()

    def _remember(self, task_id):
        self.ids[task_id] = None
        if len(self.ids) > REMEMBERED:
            self.ids.popitem(last=False)


class Device:
    """One connection at a time, made again by hand: so a refused secret ends the program instead of being tried for ever."""

    def __init__(self, arguments):
        self.host, self.port = arguments.host, arguments.port
        self.wanted = arguments.count
        self.seen = Seen(arguments.seen)
        self.refusal = None
        self.delay = FIRST_DELAY
        self.receipts = {}
        self.done = 0
        version = mqtt.MQTTv5 if arguments.mqtt == "5.0" else mqtt.MQTTv311
        # The client id is not looked at; the user name is the device.
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=version, reconnect_on_failure=False)
        self.client.username_pw_set(arguments.device_token, arguments.device_secret)
        # Before connecting: the server sends at once, with no SUBSCRIBE, and paho acknowledges what has no handler too.
        self.client.on_message = self.on_message
        self.client.on_connect = self.on_connect
        self.client.on_disconnect = self.on_disconnect
        self.client.on_publish = self.on_publish

    def run(self):
        """Stays connected until `--count` is reached or the server says that there is no point."""
        while True:
            try:
                self.client.connect(self.host, self.port, keepalive=60)
                self.client.loop_forever()
            except OSError as error:
                print(f"cannot reach {self.host}:{self.port}: {error}", file=sys.stderr)
            if self.refusal:
                sys.exit(self.refusal)
            if self.wanted and self.done >= self.wanted:
                return
            # Half of it at random, so that a server that restarts does not meet all its devices in the same instant.
            time.sleep(self.delay * random.uniform(0.5, 1.0))
            self.delay = min(self.delay * 2, LONGEST_DELAY)

    def on_connect(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            # Server unavailable, server busy: worth another attempt. Anything else is the same next time.
            if reason.getName() not in ("Server unavailable", "Server busy"):
                self.refusal = f"the server refused the device: {reason}"
            return
        self.delay = FIRST_DELAY
        print("connected", file=sys.stderr)

    def on_disconnect(self, client, userdata, flags, reason, properties):
        if reason.getName() == "Session taken over":
            self.refusal = f"the server ended it: {reason}"  # Coming back would throw out the other one, and so on.
        if not self.refusal:  # A refusal is told once, when the program ends.
            print(f"disconnected: {reason}", file=sys.stderr)

    def on_message(self, client, userdata, message):
        """paho acknowledges when this returns: by then the message is shown and remembered."""
        push = json.loads(message.payload)
        task_id = push["task_id"]
        if message.topic == CONFIGURATION:
            # Applied on each arrival, in the order of arrival: a device that joins an organisation again gets it again.
            self.show(message, push)
            self.report(task_id, "applied")
        elif message.topic == MESSAGE:
            if task_id not in self.seen:
                self.show(message, push)
                self.seen.add(task_id)
            self.report(task_id, "opened")

    def show(self, message, push):
        print(json.dumps({"topic": message.topic, **push}, ensure_ascii=False), flush=True)

    def report(self, task_id, event):
        receipt = json.dumps({"task_id": task_id, "event": event})
        self.receipts[self.client.publish(RECEIPT, receipt, qos=1).mid] = task_id

    def on_publish(self, client, userdata, mid, reason, properties):
        """The server has the receipt on disk."""
        if self.receipts.pop(mid, None) is None:
            return
        self.done += 1
        if self.done == self.wanted:
            client.disconnect()


def main():
    parser = argparse.ArgumentParser(description="A device that shows what is pushed to it and reports it opened or applied.")
    parser.add_argument("device_token", help="the device's token, its MQTT user name")
    parser.add_argument("device_secret", help="the device's secret, its MQTT password")
    parser.add_argument("--host", default="127.0.0.1", help="the push server (default: %(default)s)")
    parser.add_argument("--port", type=int, default=1883, help="its MQTT port (default: %(default)s)")
    parser.add_argument("--mqtt", choices=("3.1.1", "5.0"), default="5.0", help="the protocol (default: %(default)s)")
    parser.add_argument("--seen", metavar="FILE", help="where to remember the messages that were shown")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N receipts (default: never)")
    try:
        Device(parser.parse_args()).run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
