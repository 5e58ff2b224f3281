#!/usr/bin/env python3
"""Pushes one notification to one device and prints the task. Needs Python 3.8 and nothing else.

    python3 push.py http://127.0.0.1:8080 APPKEY SECRET DEVICE_TOKEN --title "Hello"

Exit status: 0 accepted, 1 refused or not reached, 2 wrong usage.
"""

import argparse
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
import uuid

PATIENCE = 5.0  # seconds that delivery is waited for


class Refused(Exception):
    """The server answered, and not with SUCCESS."""


class PushClient:
    """The caller's side of the push interface."""

    def __init__(self, server, appkey, master_secret):
        self.server = server.rstrip("/")
        self.appkey = appkey
        self.master_secret = master_secret

    def headers(self):
        """The three headers that every call needs."""
        timestamp = str(int(time.time() * 1000))
        # Lower case for appkey and secret, then the timestamp exactly as the header has it.
        text = self.appkey.lower() + self.master_secret.lower() + timestamp
        return {
            "appkey": self.appkey,
            "timestamp": timestamp,
            "validation-token": hashlib.md5(text.encode()).hexdigest(),
        }

    def call(self, path, body=None):
        """Posts `body`, or gets where there is none; returns `data` of the reply."""
        headers = self.headers()
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        request = urllib.request.Request(self.server + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise Refused(f"HTTP {error.code} {error.read().decode(errors='replace')}") from error

    def notify(self, device_token, title):
        """Sends a notification and returns the task's id. The server has it on disk by then."""
        body = {
            "type": "unicast",
            "device_tokens": device_token,
            "payload": {
                "display_type": "notification",
                "body": {"title": title, "custom": {"from": "push.py"}},
            },
            # The caller's own id: sending the same request again, after a time-out, makes no second task.
            "policy": {"out_biz_no": str(uuid.uuid4())},
        }
        return self.call("/psp/push/msg", body)["task_id"]

    def wait_for(self, task_id):
        """Reads the task until nothing is pending, or until patience ends: an offline device gets it when it connects."""
        deadline = time.monotonic() + PATIENCE
        while True:
            task = self.call(f"/psp/push/task/{task_id}")
            if task["counts"]["pending"] == 0 or time.monotonic() > deadline:
                return task
            time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(
        description="Push one notification to one device, wait up to five seconds for its delivery and print the task."
    )
    parser.add_argument("url", help="the push server, for example http://127.0.0.1:8080")
    parser.add_argument("appkey", help="the project that calls")
    parser.add_argument("secret", help="the project's master secret")
    parser.add_argument("device_token", help="the device that is to receive it")
    parser.add_argument("--title", default="Hello from Python", help="what it shows (default: %(default)s)")
    arguments = parser.parse_args()

    client = PushClient(arguments.url, arguments.appkey, arguments.secret)
    try:
        task = client.wait_for(client.notify(arguments.device_token, arguments.title))
    except Refused as refused:
        sys.exit(f"refused: {refused}")
    except OSError as error:
        sys.exit(f"cannot reach {arguments.url}: {error}")
    print(json.dumps(task, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
