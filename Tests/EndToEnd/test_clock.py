"""A server whose wall clock is wrong: for a moment, at a boot, or until somebody says that it is right."""

import time

import pytest

from conftest import run
from kit.device import Device
from kit.rest import AdminClient
from kit.server import binary
from kit.waiting import eventually
from kit.wall_clock import WallClock
from kit.world import World

pytestmark = pytest.mark.embedded("its machine's clock decides there")

HOUR, DAY = 3600, 86400


class Scene:
    """A server with a clock of its own, an app that signs by that clock, and a device."""

    def __init__(self, clock):
        self.clock, self.ahead = clock, 0
        self.server = clock.server
        self.admin = AdminClient(clock.server)

    def furnish(self):
        world = World(self.server)
        self.caller = world.app()
        self.caller.headers = self.signed_by_the_server(self.caller.headers)
        self.phone = world.device("phone", world.org("home"))
        return self

    def signed_by_the_server(self, headers):
        return lambda timestamp=None: headers(timestamp or str(self.now()))

    def now(self):
        return int((time.time() + self.ahead) * 1000)

    def set_ahead(self, seconds):
        self.ahead = seconds
        self.clock.set_ahead(seconds)

    def state(self):
        return self.admin.call("GET", "/psp/admin/clock").ok()

    def push(self, **policy):
        return self.caller.to_device(self.phone.token, policy=policy)

    def receive(self, *tasks):
        """What a device gets that connects now."""
        device = Device(self.server, self.phone.token, self.phone.secret)
        try:
            device.connect().wait_for(*tasks)
            return device.tasks()
        finally:
            device.vanish()


@pytest.fixture
def scene(tmp_path):
    clock = WallClock(tmp_path)
    clock.server.start()
    yield Scene(clock).furnish()
    clock.server.kill()
    clock.close()


def test_a_clock_that_was_days_ahead_for_a_moment_loses_nothing(scene):
    tasks = [scene.push() for _ in range(3)]
    scene.set_ahead(5 * DAY)
    eventually(lambda: scene.state()["steps"] == 1, "the step is noticed")
    during = scene.push(expire_time=(scene.now() + HOUR * 1000))
    assert scene.caller.task(tasks[0])["status"] == "active"
    scene.set_ahead(0)
    assert scene.receive(*tasks, during) == [*tasks, during]
    # What is pushed afterwards lives as long as it is to.
    wish = scene.now() + 3 * HOUR * 1000
    assert scene.caller.task(scene.push(expire_time=wish))["expire_at"] == wish
    refused = scene.caller.push({
        "type": "unicast", "device_tokens": scene.phone.token, "policy": {"expire_time": scene.now() - 1000},
        "payload": {"display_type": "notification", "body": {"title": "late"}},
    })
    assert refused.code == 2103


@pytest.mark.parametrize("boots", (False, True), ids=("running", "at a boot"))
def test_nothing_is_forgotten_by_a_clock_that_is_ahead_of_retention(scene, boots):
    tasks = [scene.push() for _ in range(20)]
    if boots:
        assert scene.server.stop() == 0
    scene.set_ahead(40 * DAY)
    if boots:
        scene.server.start()
    eventually(lambda: scene.state()["steps"] >= 1, "the step is noticed")
    scene.push()
    scene.set_ahead(0)
    assert scene.receive(*tasks)[:20] == tasks


def test_a_retry_by_out_biz_no_makes_no_second_task(scene):
    task = scene.push(out_biz_no="order-1")
    scene.set_ahead(25 * HOUR)
    assert scene.push(out_biz_no="order-1") == task
    scene.set_ahead(0)
    assert scene.push(out_biz_no="order-1") == task


def test_a_first_boot_with_a_clock_in_local_time_leaves_no_trace(tmp_path):
    clock = WallClock(tmp_path)
    scene = Scene(clock)
    try:
        scene.set_ahead(8 * HOUR)
        clock.server.start()
        scene.furnish()
        early = scene.push()
        scene.set_ahead(0)
        wish = scene.now() + HOUR * 1000
        late = scene.push(expire_time=wish)
        shown = scene.caller.task(late)
        assert shown["expire_at"] == wish and abs(shown["created_at"] - scene.now()) < 60_000
        created = scene.caller.task(late)["created_at"]
        assert scene.caller.task(early)["created_at"] > created + 7 * HOUR * 1000
        assert scene.receive(early, late) == [early, late]
        # In the order of acceptance, and by the time that people see.
        tasks = [item["task_id"] for item in scene.admin.tasks()]
        assert tasks == [late, early]
        assert [item["task_id"] for item in scene.admin.tasks(to=created + HOUR * 1000)] == [late]
        scene.server.kill()
        scene.server.start()
        assert abs(scene.state()["offset"] + 8 * HOUR * 1000) < 5_000
    finally:
        clock.server.kill()
        clock.close()


def test_an_operator_says_that_the_clock_is_right(scene):
    old = scene.push(expire_time=scene.now() + HOUR * 1000)
    scene.set_ahead(30 * HOUR)
    eventually(lambda: "ahead" in scene.state(), "the clock is seen to be ahead")
    new = scene.push(expire_time=scene.now() + HOUR * 1000)
    wish = scene.caller.task(new)["expire_at"]

    def pspctl(*arguments):
        return run(binary("pspctl"), "clock", *arguments, PSP_DATA=str(scene.server.data))

    shown = pspctl()
    assert shown.returncode == 0 and "(1 d 6 h behind the wall clock)" in shown.stdout, shown
    assert scene.caller.task(old)["status"] == "active"
    asked = pspctl("accept")
    assert asked.returncode == 2 and "--yes" in asked.stderr, asked
    accepted = pspctl("accept", "--yes")
    assert accepted.returncode == 0 and "The wall clock is ahead" not in accepted.stdout, accepted
    assert abs(scene.state()["offset"]) < 2_000
    eventually(lambda: scene.caller.task(old)["status"] == "expired", "what was there before has aged")
    assert scene.caller.task(new)["expire_at"] == wish
    assert scene.receive(new) == [new]
    scene.server.kill()
    scene.server.start()
    state = scene.state()
    assert abs(state["offset"]) < 2_000 and "ahead" not in state
    assert "store time has gone forward" in scene.server.tail()
