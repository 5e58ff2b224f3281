"""Callers and operators: the REST interfaces by the standard library's HTTP client."""

import dataclasses
import hashlib
import http.client
import json
import time
import urllib.parse

from .contract import CONTRACT
from .waiting import eventually


@dataclasses.dataclass
class Reply:
    """One answer, its JSON read."""

    status: int
    headers: http.client.HTTPMessage
    json: dict

    @property
    def data(self):
        return self.json["data"]

    @property
    def code(self):
        """The row of the error catalogue, or `None` of a success."""
        return self.json["data"].get("error_code")

    def ok(self):
        """`data` of a success; anything else fails the test."""
        assert self.json["ret"] == "SUCCESS" and 200 <= self.status < 300, f"HTTP {self.status}: {self.json}"
        return self.data


def exchange(address, method, target, body=None, headers=(), timeout=60):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        return exchange_on(connection, method, target, body, headers)
    finally:
        connection.close()


def exchange_on(connection, method, target, body=None, headers=()):
    """One request on a connection that stays open. `headers` are pairs: a header may be given twice."""
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    text = response.read()
    assert response.headers["Content-Type"] == "application/json; charset=utf-8", (response.status, response.headers.items(), text)
    reply = Reply(response.status, response.headers, json.loads(text))
    CONTRACT.check(method, target, reply.status, reply.headers, reply.json)
    return reply


def encode(body):
    """A body as bytes: those of JSON, or the caller's own."""
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False).encode()


class AdminClient:
    """An operator."""

    def __init__(self, server, token=None):
        self.server = server
        self.token = token

    def call(self, method, path, body=None, /, timeout=60, **query):
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        token = self.token if self.token is not None else self.server.admin_token
        return exchange(self.server.admin, method, target, encode(body), [("Authorization", f"Bearer {token}")], timeout)

    def put(self, kind, name, /, **fields):
        return self.call("PUT", f"/psp/admin/{kind}/{name}", fields)

    def get(self, kind, name):
        return self.call("GET", f"/psp/admin/{kind}/{name}")

    def delete(self, kind, name):
        return self.call("DELETE", f"/psp/admin/{kind}/{name}")

    def items(self, path, limit=1000, **query):
        """Every item of a paged list."""
        items, after = [], {}
        while True:
            data = self.call("GET", path, limit=limit, **query, **after).ok()
            items += data["items"]
            if "next" not in data:
                return items
            after = {"after": data["next"]}

    def tasks(self, **query):
        return self.items("/psp/admin/tasks", **query)

    def task(self, task_id):
        return self.call("GET", f"/psp/admin/tasks/{task_id}").ok()

    def newest_task(self):
        """The id of the task that was made last, by whatever app."""
        items = self.call("GET", "/psp/admin/tasks", limit=1).ok()["items"]
        return items[0]["task_id"] if items else None

    def begin_import(self, lines):
        """Hands lines in: answered with 200 where they are done at once, else with 202."""
        body = b"".join(line if isinstance(line, bytes) else encode(line) + b"\n" for line in lines)
        return self.call("POST", "/psp/admin/import", body)

    def imported(self, import_id):
        """How far an import is."""
        return self.call("GET", f"/psp/admin/imports/{import_id}")

    def import_lines(self, lines, within=300):
        """Imports lines. Returns what became of them, however long that takes."""
        reply = self.begin_import(lines)
        if reply.status == 202:
            number = reply.data["import_id"]
            eventually(lambda: self.imported(number).ok()["state"] != "running", lambda: self.imported(number).data, within, 0.1)
            reply = self.imported(number)
        return reply

    def is_online(self, token):
        return self.get("devices", token).ok()["online"]


class PushClient:
    """A caller: an app with its secret."""

    def __init__(self, server, appkey, secret):
        self.server = server
        self.appkey = appkey
        self.secret = secret
        self.connection = None

    def headers(self, timestamp=None):
        timestamp = str(int(time.time() * 1000)) if timestamp is None else timestamp
        token = hashlib.md5((self.appkey.lower() + self.secret.lower() + timestamp).encode()).hexdigest()
        return [("appkey", self.appkey), ("timestamp", timestamp), ("validation-token", token)]

    def call(self, method, target, body=None, headers=None):
        headers = self.headers() if headers is None else headers
        if self.connection:
            return exchange_on(self.connection, method, target, encode(body), headers)
        return exchange(self.server.http, method, target, encode(body), headers)

    def keep_connection(self):
        """Sends everything on one connection from now on."""
        self.connection = http.client.HTTPConnection(*self.server.http, timeout=60)
        return self

    def close(self):
        if self.connection:
            self.connection.close()

    def push(self, body, interface="msg"):
        return self.call("POST", f"/psp/push/{interface}", body)

    def task(self, task_id):
        return self.call("GET", f"/psp/push/task/{task_id}").ok()

    def counts(self, task_id):
        return self.task(task_id)["counts"]

    def recipients(self, task_id, state, limit=1000):
        """The tokens of the devices in one state, and what they told."""
        found, after = {}, ""
        while True:
            target = f"/psp/push/task/{task_id}/devices?state={state}&limit={limit}{after}"
            data = self.call("GET", target).ok()
            for item in data["items"]:
                assert item["device_token"] not in found, f"{item} is listed twice"
                found[item["device_token"]] = item.get("detail")
            if "next" not in data:
                return found
            after = "&after=" + urllib.parse.quote(data["next"], safe="")

    def cancel(self, task_id):
        return self.call("POST", f"/psp/push/task/{task_id}/cancel")

    def stats(self, **query):
        return self.call("GET", "/psp/push/stats?" + urllib.parse.urlencode(query))

    # What most tests push.

    def to_device(self, token, title="hello", **more):
        return self.push(notification(title, type="unicast", device_tokens=token, **more)).ok()["task_id"]

    def to_user(self, user, title="hello", **more):
        return self.push(notification(title, type="unicast", user_id=user, **more)).ok()["task_id"]

    def to_org(self, org, title="hello", **more):
        return self.push(notification(title, type="groupcast", org_id=org, **more)).ok()["task_id"]

    def configure(self, body, *, payload=None, policy=None, **target):
        """Pushes a configuration: to `device_tokens`, `user_id` or `org_id`."""
        kind = "groupcast" if "org_id" in target else "unicast"
        request = {"type": kind, **target, "payload": {"body": body, **(payload or {})}}
        if policy:
            request["policy"] = policy
        return self.push(request, "config").ok()["task_id"]


def notification(title="hello", *, payload=None, custom=None, policy=None, **fields):
    """The body of a push of a notification; `payload` holds further members of the payload."""
    content = {"title": title} if custom is None else {"title": title, "custom": custom}
    body = {**fields, "payload": {"display_type": "notification", "body": content, **(payload or {})}}
    if policy:
        body["policy"] = policy
    return body


EIGHT = ("delivered", "pending", "expired", "superseded", "cancelled", "withdrawn", "skipped_oversize", "rejected")


def assert_balanced(counts):
    """Every device of a task is in exactly one of the eight."""
    assert sum(counts[state] for state in EIGHT) == counts["targeted"], counts
