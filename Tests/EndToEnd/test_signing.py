"""Requests that are signed as a whole, and an app's secrets and addresses, as any other program makes them."""

import hashlib
import hmac
import json
import time
import uuid

import pytest

from kit.rest import exchange, notification
from kit.waiting import eventually
from kit.world import World


class Signer:
    """A caller that signs whole requests, by nothing but what the documents say."""

    def __init__(self, server, appkey, secret):
        self.server, self.appkey, self.secret = server, appkey, secret

    def headers(self, method, target, body=b"", nonce=None, timestamp=None):
        timestamp = timestamp or str(int(time.time() * 1000))
        nonce = uuid.uuid4().hex if nonce is None else nonce
        digest = hashlib.sha256(body).hexdigest()
        text = "\n".join(["PSP-HMAC-SHA256", self.appkey, method, target, timestamp, nonce, digest])
        signature = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        parts = ([f"nonce={nonce}"] if nonce else []) + [f"content-sha256={digest}", f"signature={signature}"]
        return [("appkey", self.appkey), ("timestamp", timestamp), ("authorization", "PSP-HMAC-SHA256 " + ", ".join(parts))]

    def send(self, method, target, body=b"", headers=None):
        return exchange(self.server.http, method, target, body or None, headers or self.headers(method, target, body))

    def push(self, fields, headers=None):
        return self.send("POST", "/psp/push/msg", json.dumps(fields, ensure_ascii=False).encode(), headers)


@pytest.fixture
def scene(world):
    world.caller = world.app()
    world.phone = world.device("phone", world.org("home"))
    world.signer = Signer(world.server, world.caller.appkey, world.caller.secret)
    return world


def to(phone, title="hello", **more):
    return notification(title, type="unicast", device_tokens=phone.token, **more)


def assert_refused(reply, code, status, field):
    assert (reply.code, reply.status, reply.data["field"]) == (code, status, field), reply


def test_a_signed_push_arrives_and_is_looked_up_and_cancelled(scene, device):
    phone = device(scene.server, scene.phone).connect()
    task = scene.signer.push(to(scene.phone, "告警")).ok()["task_id"]
    (message,) = phone.wait_for(task)
    assert message["body"]["title"] == "告警"
    for nonce in (None, ""):
        target = f"/psp/push/task/{task}"
        report = scene.signer.send("GET", target, headers=scene.signer.headers("GET", target, nonce=nonce)).ok()
        assert report["task_id"] == task
    target = "/psp/push/tasks?limit=1"
    assert scene.signer.send("GET", target).ok()["items"][0]["task_id"] == task
    assert scene.signer.send("POST", f"/psp/push/task/{task}/cancel").status == 202


def test_a_repeat_is_refused_wherever_it_comes(scene):
    body = json.dumps(to(scene.phone, policy={"out_biz_no": "order-1"})).encode()
    headers = scene.signer.headers("POST", "/psp/push/msg", body)
    task = scene.signer.send("POST", "/psp/push/msg", body, headers).ok()["task_id"]
    for _ in range(4):  # Each connection may come to another loop.
        reply = scene.signer.send("POST", "/psp/push/msg", body, headers)
        assert_refused(reply, 2005, 401, "authorization")
        assert "nonce" in reply.data["error_msg"]
    # Signed anew it is a retry like any other.
    assert scene.signer.send("POST", "/psp/push/msg", body).ok()["task_id"] == task


def test_a_repeat_is_refused_after_a_crash(own_server):
    scene = World(own_server)
    caller, phone = scene.app(), scene.device("phone", scene.org("home"))
    signer = Signer(own_server, caller.appkey, caller.secret)
    body = json.dumps(to(phone)).encode()
    headers = signer.headers("POST", "/psp/push/msg", body)
    signer.send("POST", "/psp/push/msg", body, headers).ok()
    own_server.kill()
    own_server.start()
    assert_refused(signer.send("POST", "/psp/push/msg", body, headers), 2005, 401, "authorization")
    assert len(scene.admin.tasks(appkey=caller.appkey)) == 1


def test_whatever_is_changed_on_the_way_is_refused(scene):
    before = scene.admin.newest_task()
    body = json.dumps(to(scene.phone)).encode()
    headers = scene.signer.headers("POST", "/psp/push/msg", body)
    for method, target, sent in [
        ("POST", "/psp/push/msg", body.replace(b"hello", b"HELLO")), ("POST", "/psp/push/config", body), ("POST", "/psp/push/msg?x", body),
    ]:
        assert_refused(scene.signer.send(method, target, sent, headers), 2005, 401, "authorization")
    other = [(name, "1" if name == "timestamp" else value) for name, value in headers]
    assert scene.signer.send("POST", "/psp/push/msg", body, other).code == 2006
    assert_refused(scene.signer.push(to(scene.phone), headers[:2] + [("authorization", "PSP-HMAC-SHA256 x")]), 2005, 401, "authorization")
    assert scene.admin.newest_task() == before
    # None of them used the nonce up.
    scene.signer.send("POST", "/psp/push/msg", body, headers).ok()


def test_an_app_may_be_set_to_take_nothing_else(scene, pspctl):
    scene.admin.put("apps", scene.caller.appkey, hmac_only=True).ok()
    reply = scene.caller.push(to(scene.phone))
    assert_refused(reply, 2005, 401, "authorization")
    assert "PSP-HMAC-SHA256" in reply.data["error_msg"]
    scene.signer.push(to(scene.phone)).ok()
    told = pspctl("push", "unicast", scene.phone.token, "--app", scene.caller.appkey, "--secret", scene.caller.secret, "--title", "x")
    assert told.returncode == 0, told


def test_an_app_may_be_bound_to_addresses(scene):
    app = scene.caller.appkey
    scene.admin.put("apps", app, addresses=["10.0.0.0/8", "2001:db8::1"]).ok()
    assert_refused(scene.caller.push(to(scene.phone)), 2010, 403, "appkey")
    reply = scene.signer.push(to(scene.phone))
    assert_refused(reply, 2010, 403, "appkey")
    assert "127.0.0.1" in reply.data["error_msg"]
    # Who does not know the secret learns nothing of it.
    assert Signer(scene.server, app, "wrong").push(to(scene.phone)).code == 2005
    assert scene.admin.get("apps", app).ok()["addresses"] == ["10.0.0.0/8", "2001:db8::1"]
    scene.admin.put("apps", app, addresses=["127.0.0.0/8"]).ok()
    scene.signer.push(to(scene.phone)).ok()
    for wrong in ["10.0.0.0/8", ["10.0.0.0/33"], ["host"], [7], ["10.0.0.1"] * 65]:
        assert scene.admin.put("apps", app, addresses=wrong).code == 2103
    scene.admin.put("apps", app, addresses=None).ok()
    assert "addresses" not in scene.admin.get("apps", app).ok()


def test_a_secret_is_rotated_without_a_break(scene, pspctl):
    app, today = scene.caller.appkey, time.strftime("%Y-%m-%d", time.gmtime())
    scene.caller.push(to(scene.phone)).ok()
    eventually(lambda: scene.admin.get("apps", app).ok().get("master_secret_last_used"), lambda: scene.admin.get("apps", app).data)
    rotated = pspctl("app", "rotate", app, "--json")
    new = Signer(scene.server, app, json.loads(rotated.stdout)["master_secret"])
    assert "master_secret_last_used" not in scene.admin.get("apps", app).ok()
    assert pspctl("app", "rotate", app).returncode == 1
    scene.signer.push(to(scene.phone)).ok()
    scene.caller.push(to(scene.phone)).ok()
    new.push(to(scene.phone)).ok()
    eventually(lambda: scene.admin.get("apps", app).ok().get("master_secret_last_used") in (today, time.strftime("%Y-%m-%d", time.gmtime())),
               lambda: scene.admin.get("apps", app).data)
    shown = scene.admin.get("apps", app).ok()
    assert shown["former_secret"] is True and shown["former_secret_last_used"] == today
    assert new.secret not in json.dumps(shown) and scene.caller.secret not in json.dumps(shown)
    assert "no more" in pspctl("app", "rotate", app, "--finish").stdout
    # What was finished is not finished again, and the answer says so.
    assert pspctl("app", "rotate", app, "--finish").stdout == f"{app} has one secret only: nothing was to be finished\n"
    assert scene.signer.push(to(scene.phone)).code == 2005
    assert scene.caller.push(to(scene.phone)).code == 2005
    new.push(to(scene.phone)).ok()
    assert scene.admin.get("apps", app).ok()["former_secret"] is False
