#!/usr/bin/env python3
"""Pushes a notification or a configuration to a device, a user or an organisation, and prints the task.

Needs Python 3.8 and nothing else:

    python3 push.py http://127.0.0.1:8080 APPKEY SECRET DEVICE_TOKEN --title "Hello"
    python3 push.py http://127.0.0.1:8080 APPKEY SECRET --user USER_ID --title "Hello"
    python3 push.py http://127.0.0.1:8080 APPKEY SECRET --org ORG_ID --title "Hello" --tag alarms
    python3 push.py http://127.0.0.1:8080 APPKEY SECRET --org ORG_ID --config "cache=2&submit=10"
    python3 push.py http://127.0.0.1:8080 APPKEY SECRET --stats alarms

With --hmac it signs whole requests, body and all, instead of sending a validation token.

Exit status: 0 accepted, 1 refused or not reached, 2 wrong usage.
"""

import argparse
import hashlib
import hmac
import json
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

PATIENCE = 5.0  # seconds that delivery is waited for
ATTEMPTS = 5  # of one push, before its caller is told
OVERLOADED, UNKNOWN = 2302, 2901  # not stored for certain; whether it was stored is unknown


class Refused(Exception):
    """The server answered, and not with SUCCESS."""

    def __init__(self, status, text):
        super().__init__(f"HTTP {status} {text}")
        try:
            self.code = json.loads(text)["data"]["error_code"]
        except (ValueError, KeyError, TypeError):
            self.code = None  # Not the push server's answer: something between it and us spoke.


class PushClient:
    """The caller's side of the push interface."""

    def __init__(self, server, appkey, master_secret, hmac_signed=False):
        self.server = server.rstrip("/")
        self.appkey = appkey
        self.master_secret = master_secret
        self.hmac_signed = hmac_signed

    def headers(self, method, target, body):
        """The headers that show who calls."""
        timestamp = str(int(time.time() * 1000))
        if self.hmac_signed:
            return self.signed(method, target, body, timestamp)
        # Lower case for appkey and secret, then the timestamp exactly as the header has it.
        text = self.appkey.lower() + self.master_secret.lower() + timestamp
        return {
            "appkey": self.appkey,
            "timestamp": timestamp,
            "validation-token": hashlib.md5(text.encode()).hexdigest(),
        }

    def signed(self, method, target, body, timestamp):
        """The same for a request that is signed as a whole. Another nonce for each attempt: the server takes each once."""
        nonce = uuid.uuid4().hex
        digest = hashlib.sha256(body).hexdigest()
        lines = ["PSP-HMAC-SHA256", self.appkey, method, target, timestamp, nonce, digest]
        # The secret as it is, not lowered.
        signature = hmac.new(self.master_secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        return {
            "appkey": self.appkey,
            "timestamp": timestamp,
            "authorization": f"PSP-HMAC-SHA256 nonce={nonce}, content-sha256={digest}, signature={signature}",
        }

    def call(self, path, body=None):
        """Posts `body`, or gets where there is none; returns `data` of the reply."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = self.headers("GET" if data is None else "POST", path, data or b"")
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.server + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from error

    def notify(self, target, title, tag=None):
        """Sends a notification and returns the task's id.

        `target` is {"type": "unicast", "device_tokens": …}, {"type": "unicast", "user_id": …}
        or {"type": "groupcast", "org_id": …}.
        """
        payload = {"display_type": "notification", "body": {"title": title, "custom": {"from": "push.py"}}}
        return self.push("/psp/push/msg", target, payload, tag)

    def configure(self, target, configuration, tag=None):
        """Sends a configuration, which replaces the older one of the same target and tag; returns the task's id."""
        return self.push("/psp/push/config", target, {"body": configuration}, tag)

    def push(self, path, target, payload, tag=None):
        """Returns when the server has the push on disk, and tries again where nobody knows whether it has."""
        if tag is not None:
            payload = {**payload, "tag": tag}
        # The caller's own id. All attempts are the SAME request, so that they make one task, whichever of them arrived.
        body = {**target, "payload": payload, "policy": {"out_biz_no": str(uuid.uuid4())}}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.call(path, body)["task_id"]
            except Refused as refused:
                if refused.code not in (OVERLOADED, UNKNOWN) or attempt == ATTEMPTS:
                    raise
            except OSError:  # Not reached, cut off, or no answer in time: like UNKNOWN.
                if attempt == ATTEMPTS:
                    raise
            # A pause that doubles, with some chance in it, so that all callers do not come back in the same instant.
            time.sleep(0.1 * 2**attempt * random.uniform(0.5, 1.0))

    def statistics(self, tag):
        """The counts summed over all tasks of this app with `tag`."""
        return self.call("/psp/push/stats?" + urllib.parse.urlencode({"tag": tag}))

    def wait_for(self, task_id):
        """Reads the task until nothing is pending, or until patience ends: an offline device gets it when it connects."""
        deadline = time.monotonic() + PATIENCE
        while True:
            task = self.call(f"/psp/push/task/{task_id}")
            if task["counts"]["pending"] == 0 or time.monotonic() > deadline:
                return task
            time.sleep(0.2)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Push to a device, a user or an organisation, wait up to five seconds for the delivery and print the task."
    )
    parser.add_argument("url", help="the push server, for example http://127.0.0.1:8080")
    parser.add_argument("appkey", help="the project that calls")
    parser.add_argument("secret", help="the project's master secret")
    parser.add_argument("device_token", nargs="?", help="the device that is to receive it")
    parser.add_argument("--user", metavar="USER_ID", help="instead: all devices of this user")
    parser.add_argument("--org", metavar="ORG_ID", help="instead: this organisation and everything below it")
    parser.add_argument("--title", default="Hello from Python", help="what a notification shows (default: %(default)s)")
    parser.add_argument("--config", metavar="TEXT", help="push this configuration instead of a notification")
    parser.add_argument("--tag", help="group it under this tag, for statistics")
    parser.add_argument("--stats", metavar="TAG", help="push nothing: print the statistics of this tag")
    parser.add_argument("--hmac", action="store_true", help="sign whole requests instead of sending a validation token")
    arguments = parser.parse_args()
    targets = [target for target in (arguments.device_token, arguments.user, arguments.org) if target is not None]
    if len(targets) != (0 if arguments.stats is not None else 1):
        parser.error("name one target: DEVICE_TOKEN, --user or --org (none with --stats)")
    return arguments


def target_of(arguments):
    if arguments.org is not None:
        return {"type": "groupcast", "org_id": arguments.org}
    if arguments.user is not None:
        return {"type": "unicast", "user_id": arguments.user}
    return {"type": "unicast", "device_tokens": arguments.device_token}


def answer(client, arguments):
    if arguments.stats is not None:
        return client.statistics(arguments.stats)
    target = target_of(arguments)
    if arguments.config is not None:
        return client.wait_for(client.configure(target, arguments.config, arguments.tag))
    return client.wait_for(client.notify(target, arguments.title, arguments.tag))


def main():
    arguments = parse_arguments()
    client = PushClient(arguments.url, arguments.appkey, arguments.secret, arguments.hmac)
    try:
        print(json.dumps(answer(client, arguments), ensure_ascii=False, indent=2))
    except Refused as refused:
        sys.exit(f"refused: {refused}")
    except OSError as error:
        sys.exit(f"cannot reach {arguments.url}: {error}")


if __name__ == "__main__":
    main()
