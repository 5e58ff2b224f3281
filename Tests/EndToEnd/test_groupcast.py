"""Who gets what: the organisation tree, users, test mode, platforms, and those who move."""

import pytest

from kit.rest import assert_balanced
from kit.waiting import eventually


@pytest.fixture
def tree(world):
    """Four levels: a country, its provinces, their cities, a district; a device or two in each."""
    world.caller = world.app()
    world.country = world.org("country")
    world.north = world.org("north", world.country)
    world.south = world.org("south", world.country)
    world.city = world.org("city", world.north)
    world.district = world.org("district", world.city)
    world.homes = {
        "country-1": world.country, "north-1": world.north, "north-2": world.north, "south-1": world.south, "city-1": world.city,
        "district-1": world.district, "district-2": world.district,
    }
    world.devices = {name: world.device(name, home) for name, home in world.homes.items()}
    world.below = {
        world.country: set(world.homes), world.north: {"north-1", "north-2", "city-1", "district-1", "district-2"},
        world.south: {"south-1"}, world.city: {"city-1", "district-1", "district-2"}, world.district: {"district-1", "district-2"},
    }
    return world


def reaches(world, task, names):
    """Waits until exactly these devices have it."""
    expected = {world.devices[name].token: None for name in names}
    eventually(lambda: world.caller.counts(task)["delivered"] == len(expected), lambda: world.caller.counts(task))
    assert world.caller.recipients(task, "delivered") == expected
    counts = world.caller.counts(task)
    assert counts["targeted"] == len(expected)
    assert_balanced(counts)


def test_a_push_to_each_level_reaches_exactly_the_devices_below_it(tree, device):
    connected = {name: device(tree.server, registered).connect() for name, registered in tree.devices.items()}
    tasks = {org: tree.caller.to_org(org) for org in tree.below}
    for org, task in tasks.items():
        reaches(tree, task, tree.below[org])
    for name, phone in connected.items():
        assert phone.tasks() == [tasks[org] for org in tree.below if name in tree.below[org]], name


def test_the_same_for_devices_that_come_later(tree, device):
    tasks = {org: tree.caller.to_org(org) for org in tree.below}
    for org, task in tasks.items():
        counts = tree.caller.counts(task)
        assert (counts["targeted"], counts["pending"]) == (len(tree.below[org]),) * 2
    for name, registered in tree.devices.items():
        mine = [tasks[org] for org in tree.below if name in tree.below[org]]
        phone = device(tree.server, registered).connect()
        phone.wait_for(*mine)
        assert phone.tasks() == mine, name
    for org, task in tasks.items():
        reaches(tree, task, tree.below[org])


def test_an_organisation_without_devices_is_a_success(tree):
    task = tree.caller.to_org(tree.org("empty"))
    shown = tree.caller.task(task)
    assert (shown["counts"]["targeted"], shown["status"]) == (0, "completed")


def test_a_push_to_a_user_reaches_every_device_of_theirs(tree, device):
    for name in ("north-1", "south-1"):
        tree.admin.put("devices", tree.devices[name].token, user_id=tree.name("officer")).ok()
    connected = {name: device(tree.server, registered).connect() for name, registered in tree.devices.items()}
    task = tree.caller.to_user(tree.name("officer"))
    reaches(tree, task, {"north-1", "south-1"})
    for name, phone in connected.items():
        assert phone.tasks() == ([task] if name in ("north-1", "south-1") else [])


@pytest.mark.parametrize("mode", ["false", False])
def test_only_test_devices_when_production_mode_is_false(tree, device, mode):
    tree.admin.put("devices", tree.devices["district-1"].token, test=True).ok()
    test = device(tree.server, tree.devices["district-1"]).connect()
    other = device(tree.server, tree.devices["district-2"]).connect()
    trial = tree.caller.to_org(tree.country, payload={"production_mode": mode})
    reaches(tree, trial, {"district-1"})
    real = tree.caller.to_org(tree.district, payload={"production_mode": str(not mode).lower() if mode is False else "true"})
    reaches(tree, real, {"district-1", "district-2"})
    assert test.tasks() == [trial, real]
    assert other.tasks() == [real]


def test_a_test_device_that_is_none_any_more_loses_what_was_pending_in_test_mode(tree, device):
    phone = tree.devices["south-1"]
    tree.admin.put("devices", phone.token, test=True).ok()
    trial = tree.caller.to_org(tree.south, payload={"production_mode": "false"})
    real = tree.caller.to_org(tree.south)
    tree.admin.put("devices", phone.token, test=False).ok()
    assert tree.caller.counts(trial)["withdrawn"] == 1
    connected = device(tree.server, phone).connect()
    connected.wait_for(real)
    reaches(tree, real, {"south-1"})
    assert connected.tasks() == [real]


def test_ios_devices_are_left_out_over_256_bytes(tree, device):
    iphone = tree.device("iphone", tree.south, "ios")
    connected = device(tree.server, iphone).connect()
    large = tree.caller.to_org(tree.south, "x" * 300)
    eventually(lambda: tree.caller.counts(large)["delivered"] == 0, "south-1 is offline")
    counts = tree.caller.counts(large)
    assert (counts["targeted"], counts["pending"], counts["skipped_oversize"]) == (2, 1, 1)
    assert tree.caller.recipients(large, "skipped_oversize") == {iphone.token: None}
    small = tree.caller.to_org(tree.south)
    connected.wait_for(small)
    assert connected.tasks() == [small]
    reaches_android = device(tree.server, tree.devices["south-1"]).connect()
    reaches_android.wait_for(large, small)
    eventually(lambda: tree.caller.task(large)["status"] == "completed", lambda: tree.caller.task(large))


def test_a_users_ios_device_is_left_out_and_the_android_one_not(tree):
    for name, platform in (("tablet", "ios"), ("handset", "android")):
        tree.device(name, tree.south, platform, user_id=tree.name("both"))
    counts = tree.caller.counts(tree.caller.to_user(tree.name("both"), "x" * 300))
    assert (counts["targeted"], counts["pending"], counts["skipped_oversize"]) == (2, 1, 1)


def test_body_reaches_the_device_byte_for_byte(tree, device):
    """Type, key order, escapes and the spelling of numbers untouched; only insignificant white space goes."""
    from kit.mosquitto import Subscriber

    custom = '{ "z" : 1.10, "a" : 1e2, "big" : 18446744073709551616, "s" : "\\u4e2d\\/\\n中", "z" : -0 , "n" : null, "e" : { } }'
    phone = tree.devices["south-1"]
    raw = []

    class Raw(Subscriber):
        def _read(self, process):
            for line in process.stdout:
                if line.startswith("> "):
                    raw.append(line)
                with self.changed:
                    self.lines.append(line)
                    self.changed.notify_all()

    with Raw(tree.server, phone.token, phone.secret) as subscriber:
        body = (
            '{"type":"unicast","device_tokens":"%s","payload":{"display_type":"message","body":{"custom":%s}}}' % (phone.token, custom)
        ).encode()
        tree.caller.push(body).ok()
        subscriber.wait(lambda: raw, "the message")
    expected = '"body":{"custom":{"z":1.10,"a":1e2,"big":18446744073709551616,"s":"\\u4e2d\\/\\n中","z":-0,"n":null,"e":{}}}'
    assert expected in raw[0]


class TestMoving:
    """Each gets what was accepted for it: before a move from the old place, after it from the new one."""

    @pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
    def test_a_device_that_moves(self, tree, device, online):
        phone = device(tree.server, tree.devices["south-1"])
        if online:
            phone.connect()
        old = tree.caller.to_org(tree.south, "before")
        tree.admin.put("devices", phone.token, org_id=tree.district).ok()
        after_old = tree.caller.to_org(tree.south, "after, old place")
        new = tree.caller.to_org(tree.city, "after, new place")
        both = tree.caller.to_org(tree.country, "above both")
        if not online:
            phone.connect()
        phone.wait_for(old, new, both)
        eventually(lambda: tree.caller.counts(both)["delivered"] == 1, "acknowledged")
        assert phone.tasks() == [old, new, both]
        assert phone.reason is None, "moving does not close the connection"
        assert tree.caller.counts(after_old)["targeted"] == 0
        assert tree.caller.counts(new)["targeted"] == 4

    @pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
    def test_an_organisation_that_moves_takes_its_devices_along(self, tree, device, online):
        phone = device(tree.server, tree.devices["district-1"])
        if online:
            phone.connect()
        before = tree.caller.to_org(tree.north, "before")
        tree.admin.put("orgs", tree.city, parent_id=tree.south).ok()
        north = tree.caller.to_org(tree.north, "after, to the north")
        south = tree.caller.to_org(tree.south, "after, to the south")
        city = tree.caller.to_org(tree.city, "after, to the city")
        if not online:
            phone.connect()
        phone.wait_for(before, south, city)
        eventually(lambda: tree.caller.counts(city)["delivered"] == 1, "acknowledged")
        assert phone.tasks() == [before, south, city]
        assert tree.caller.counts(north)["targeted"] == 2
        assert tree.caller.counts(south)["targeted"] == 4
        assert tree.admin.get("orgs", tree.south).ok()["devices"] == 4
        assert tree.admin.get("orgs", tree.north).ok()["devices"] == 2

    @pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
    def test_another_holder_gets_nothing_of_the_first(self, tree, device, online):
        registered = tree.devices["south-1"]
        phone = device(tree.server, registered, acknowledges=False)
        tree.admin.put("devices", phone.token, user_id=tree.name("first")).ok()
        if online:
            phone.connect()
        pending = [tree.caller.to_device(phone.token), tree.caller.to_user(tree.name("first")), tree.caller.to_org(tree.country)]
        if online:
            phone.wait_for(*pending)
        tree.admin.put("devices", phone.token, user_id=tree.name("second")).ok()
        if online:
            assert phone.wait_closed().value == 0x98
        assert all(tree.caller.counts(task)["withdrawn"] == 1 for task in pending)
        fresh = tree.caller.to_user(tree.name("second"))
        again = device(tree.server, registered).connect()
        again.wait_for(fresh)
        eventually(lambda: tree.caller.counts(fresh)["delivered"] == 1, "acknowledged")
        assert again.tasks() == [fresh]

    def test_the_first_holder_withdraws_nothing(self, tree, device):
        phone = device(tree.server, tree.devices["south-1"]).connect()
        kept = device(tree.server, tree.devices["north-1"])
        task = tree.caller.to_device(kept.token)
        for token in (phone.token, kept.token):
            tree.admin.put("devices", token, user_id=tree.name("somebody")).ok()
        kept.connect().wait_for(task)
        assert phone.reason is None

    def test_a_deleted_device_and_its_successor(self, tree, device):
        registered = tree.devices["south-1"]
        phone = device(tree.server, registered, acknowledges=False).connect()
        task = tree.caller.to_org(tree.south)
        phone.wait_for(task)
        tree.admin.delete("devices", phone.token).ok()
        assert phone.wait_closed().value == 0x98
        assert tree.caller.counts(task)["withdrawn"] == 1
        assert tree.admin.get("devices", phone.token).code == 2201
        successor = tree.device("south-1", tree.south)
        fresh = tree.caller.to_org(tree.south)
        again = device(tree.server, successor).connect()
        again.wait_for(fresh)
        eventually(lambda: tree.caller.counts(fresh)["delivered"] == 1, "acknowledged")
        assert again.tasks() == [fresh]

    def test_another_secret_closes_the_connection(self, tree, device):
        import dataclasses

        registered = tree.devices["south-1"]
        phone = device(tree.server, registered).connect()
        tree.admin.put("devices", phone.token, secret="another").ok()
        assert phone.wait_closed().value == 0x98
        refused = device(tree.server, registered).begin_connecting()
        refused.wait(lambda: refused.connack is not None, "CONNACK")
        assert refused.connack.is_failure
        device(tree.server, dataclasses.replace(registered, secret="another")).connect()
