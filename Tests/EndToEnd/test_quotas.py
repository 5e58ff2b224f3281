"""How much an app may push: below a bound, at it and above it."""

import time

import pytest

from kit.rest import notification
from kit.server import Server
from kit.waiting import eventually
from kit.world import World


def push(caller, phone, **more):
    return caller.push(notification(type="unicast", device_tokens=phone.token, **more))


def assert_over(reply, name, count, seconds):
    assert (reply.status, reply.code) == (429, 2301), reply
    wait = int(reply.headers["retry-after"])
    assert 1 <= wait <= seconds
    assert reply.headers["ratelimit-policy"] == f'"{name}";q={count};w={seconds}'
    assert reply.headers["ratelimit"] == f'"{name}";r=0;t={wait}'
    assert str(count) in reply.data["error_msg"]
    return wait


@pytest.fixture
def scene(world):
    world.caller = world.app()
    world.phone = world.device("phone", world.org("home"))
    return world


def test_pushes_a_second(scene):
    scene.admin.put("apps", scene.caller.appkey, pushes_per_second=3).ok()
    begin = time.monotonic()
    replies = [push(scene.caller, scene.phone) for _ in range(12)]
    stored = [reply for reply in replies if reply.status == 200]
    # Three at once, and three a second from then on.
    assert 3 <= len(stored) <= 3 + 3 * (time.monotonic() - begin) + 1
    assert [reply.status for reply in replies[:3]] == [200] * 3
    wait = assert_over(next(reply for reply in replies if reply.status != 200), "second", 3, 1)
    eventually(lambda: push(scene.caller, scene.phone).status == 200, "one more", timeout=wait + 5, interval=0.05)
    # Looking is no push.
    assert all(scene.caller.task(stored[0].data["task_id"]) for _ in range(10))


def test_pushes_a_day(scene):
    scene.admin.put("apps", scene.caller.appkey, pushes_per_day=2).ok()
    first = push(scene.caller, scene.phone, policy={"out_biz_no": "a"}).ok()
    assert push(scene.caller, scene.phone, policy={"out_biz_no": "a"}).ok() == first
    push(scene.caller, scene.phone).ok()
    reply = push(scene.caller, scene.phone)
    assert_over(reply, "day", 2, 86_400)
    assert push(scene.caller, scene.phone, policy={"out_biz_no": "a"}).ok() == first
    shown = scene.admin.get("apps", scene.caller.appkey).ok()
    assert shown["pushes_per_day"] == 2 and "pushes_per_second" not in shown
    scene.admin.put("apps", scene.caller.appkey, pushes_per_day=None).ok()
    push(scene.caller, scene.phone).ok()


def test_what_a_server_is_set_to_holds_for_apps_that_say_nothing_else(tmp_path):
    with Server(tmp_path / "data", "--app-rate", "2", "--app-daily", "5") as server:
        world = World(server)
        phone = world.device("phone", world.org("home"))
        usual, own = world.app("usual"), world.app("own", pushes_per_second=1_000, pushes_per_day=1_000)
        replies = [push(usual, phone) for _ in range(6)]
        assert_over(replies[-1], "second", 2, 1)
        assert all(push(own, phone).status == 200 for _ in range(20))
        stored = sum(reply.status == 200 for reply in replies)
        while stored < 5:
            stored += eventually(lambda: push(usual, phone).status == 200, "one more", timeout=10, interval=0.05)
        assert_over(eventually(lambda: (lambda reply: reply if reply.headers.get("ratelimit-policy", "").startswith('"day"') else None)(
            push(usual, phone)), "the day", timeout=10), "day", 5, 86_400)


@pytest.mark.parametrize("wrong", [0, -1, 1_000_000_001, 1.5, "10", [1], True])
def test_a_bound_is_a_number_of_pushes(scene, wrong):
    for field in ("pushes_per_second", "pushes_per_day"):
        reply = scene.admin.put("apps", scene.caller.appkey, **{field: wrong})
        assert (reply.code, reply.data["field"]) == (2103, field), reply
