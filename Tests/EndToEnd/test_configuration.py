"""A configuration is state: only the newest counts, and who joins the target gets it."""

import time

import pytest

from kit.rest import assert_balanced
from kit.waiting import eventually

CONFIG = "psp/push/config"


@pytest.fixture
def scene(world):
    world.caller = world.app()
    world.top = world.org("top")
    world.left = world.org("left", world.top)
    world.right = world.org("right", world.top)
    world.phone = world.device("phone", world.left)
    return world


def settled(scene, task, **expected):
    """Waits for these counts."""
    eventually(lambda: scene.caller.counts(task).items() >= expected.items(), lambda: (expected, scene.caller.counts(task)))
    assert_balanced(scene.caller.counts(task))


def test_only_the_newest_reaches_a_device_that_was_offline(scene, stock_client):
    old, older, newest = [scene.caller.configure(f"cache={number}", org_id=scene.top) for number in range(3)]
    settled(scene, old, targeted=1, superseded=1, pending=0)
    assert scene.caller.task(older)["status"] == "superseded"
    phone = stock_client(scene.server, scene.phone).connect()
    (message,) = phone.wait_for(newest, topic=CONFIG)
    assert message["body"] == "cache=2"
    settled(scene, newest, targeted=1, delivered=1)
    assert phone.tasks(CONFIG) == [newest]
    assert scene.caller.task(newest)["status"] == "active", "it is the current one"


def test_one_that_every_device_had_is_superseded_all_the_same(scene, device):
    phone = device(scene.server, scene.phone).connect()
    first = scene.caller.configure("a=1", org_id=scene.left)
    settled(scene, first, delivered=1)
    second = scene.caller.configure("a=2", org_id=scene.left)
    settled(scene, second, delivered=1)
    shown = scene.caller.task(first)
    assert (shown["status"], shown["counts"]["delivered"], shown["counts"]["superseded"]) == ("superseded", 1, 0)
    assert phone.tasks(CONFIG) == [first, second]


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
def test_one_that_replaces_another_and_is_not_acknowledged_comes_again(scene, device, version):
    scene.caller.configure("a=1", org_id=scene.left)
    phone = device(scene.server, scene.phone, version, acknowledges=False).connect()
    phone.wait(lambda: phone.tasks(CONFIG), "the first")
    phone.acknowledge_all()
    newer = scene.caller.configure("a=2", org_id=scene.left)
    phone.wait_for(newer, topic=CONFIG)
    phone.disconnect()
    again = device(scene.server, scene.phone, version).connect()
    again.wait_for(newer, topic=CONFIG)
    settled(scene, newer, targeted=1, delivered=1)


def test_versions_grow(scene, device):
    phone = device(scene.server, scene.phone).connect()
    tasks = [
        scene.caller.configure("a=1", org_id=scene.left), scene.caller.configure("b=1", device_tokens=scene.phone.token),
        scene.app("other").configure("c=1", org_id=scene.top),
    ]
    phone.wait_for(*tasks, topic=CONFIG)
    tasks.append(scene.caller.configure("a=2", org_id=scene.left))  # supersedes the first, which the phone must have by now
    phone.wait_for(*tasks, topic=CONFIG)
    versions = [message["version"] for _, message in phone.received]
    assert versions == sorted(set(versions)) and versions[-1] <= 2**53


def test_target_tag_mode_and_app_keep_configurations_apart(scene, device):
    scene.admin.put("devices", scene.phone.token, test=True, user_id=scene.name("user")).ok()
    other = scene.app("other")
    tasks = [
        scene.caller.configure("a", org_id=scene.top), scene.caller.configure("a", org_id=scene.left),
        scene.caller.configure("a", device_tokens=scene.phone.token), scene.caller.configure("a", user_id=scene.name("user")),
        scene.caller.configure("a", org_id=scene.top, payload={"tag": "t"}),
        scene.caller.configure("a", org_id=scene.top, payload={"production_mode": "false"}), other.configure("a", org_id=scene.top),
    ]
    empty_tag = scene.caller.configure("b", org_id=scene.top, payload={"tag": ""})  # absent is empty: replaces the first
    phone = device(scene.server, scene.phone).connect()
    phone.wait_for(*tasks[1:], empty_tag, topic=CONFIG)
    eventually(lambda: scene.caller.counts(empty_tag)["delivered"] == 1, "acknowledged")
    assert phone.tasks(CONFIG) == [*tasks[1:], empty_tag]


def test_cancelling_or_expiry_of_the_newest_does_not_revive_the_older(scene, device):
    first = scene.caller.configure("a=1", org_id=scene.top)
    second = scene.caller.configure("a=2", org_id=scene.top)
    assert scene.caller.cancel(second).status == 202
    third = scene.caller.configure("t=1", org_id=scene.top, payload={"tag": "t"})
    fourth = scene.caller.configure("t=2", org_id=scene.top, payload={"tag": "t"}, policy={"expire_time": int(time.time() * 1000) + 1_500})
    eventually(lambda: scene.caller.task(fourth)["status"] == "expired", "expired")
    phone = device(scene.server, scene.phone).connect()
    last = scene.caller.configure("x", device_tokens=scene.phone.token)
    phone.wait_for(last, topic=CONFIG)
    assert phone.tasks(CONFIG) == [last]
    assert [scene.caller.task(task)["status"] for task in (first, second, third)] == ["superseded", "cancelled", "superseded"]


def test_a_device_registered_later_receives_the_current_ones(scene, device):
    old = scene.caller.configure("a=1", org_id=scene.top)
    current = [scene.caller.configure("a=2", org_id=scene.top), scene.caller.configure("b=1", org_id=scene.right)]
    elsewhere = scene.caller.configure("c=1", org_id=scene.left)
    targeted = [scene.caller.counts(task)["targeted"] for task in current]
    newcomer = scene.device("newcomer", scene.right)
    phone = device(scene.server, newcomer).connect()
    phone.wait_for(*current, topic=CONFIG)
    for task, before in zip(current, targeted):
        settled(scene, task, targeted=before + 1, delivered=1)
    assert sorted(phone.tasks(CONFIG)) == sorted(current)
    assert scene.caller.counts(old)["targeted"] == 1 and scene.caller.counts(elsewhere)["targeted"] == 1


@pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
def test_a_device_that_moves_receives_those_of_its_new_organisation(scene, device, online):
    above = scene.caller.configure("a=1", org_id=scene.top)
    right = scene.caller.configure("b=1", org_id=scene.right)
    phone = device(scene.server, scene.phone).connect()
    settled(scene, above, targeted=1, delivered=1)
    if not online:
        phone.disconnect()
    scene.admin.put("devices", scene.phone.token, org_id=scene.right).ok()
    if not online:
        phone.connect()
    phone.wait_for(right, topic=CONFIG)
    settled(scene, right, targeted=1, delivered=1)
    assert phone.tasks(CONFIG) == [above, right], "what is above both places was never left, so not joined"


def test_each_joining_sends_it_again_and_counts_it_once(scene, device):
    left = scene.caller.configure("a=1", org_id=scene.left)
    phone = device(scene.server, scene.phone).connect()
    settled(scene, left, targeted=1, delivered=1)
    scene.admin.put("devices", scene.phone.token, org_id=scene.right).ok()
    scene.admin.put("devices", scene.phone.token, org_id=scene.left).ok()
    eventually(lambda: phone.tasks(CONFIG) == [left, left], lambda: phone.tasks(CONFIG))
    settled(scene, left, targeted=1, delivered=1)


def test_a_reparented_organisation_joins_its_new_ancestors(scene, device):
    new_top = scene.org("new-top")
    theirs = scene.caller.configure("a=1", org_id=new_top)
    ours = scene.caller.configure("b=1", org_id=scene.left)
    phone = device(scene.server, scene.phone).connect()
    settled(scene, ours, targeted=1, delivered=1)
    scene.admin.put("orgs", scene.left, parent_id=new_top).ok()
    settled(scene, theirs, targeted=1, delivered=1)
    assert phone.tasks(CONFIG) == [ours, theirs]


def test_a_user_and_the_test_flag_are_joined_too(scene, device):
    other = scene.device("other", scene.right, user_id=scene.name("user"), test=True)
    users = scene.caller.configure("u=1", user_id=scene.name("user"))
    trial = scene.caller.configure("t=1", org_id=scene.top, payload={"production_mode": "false"})
    phone = device(scene.server, scene.phone).connect()
    scene.admin.put("devices", scene.phone.token, user_id=scene.name("user")).ok()
    phone.wait_for(users, topic=CONFIG)
    scene.admin.put("devices", scene.phone.token, test=True).ok()
    phone.wait_for(trial, topic=CONFIG)
    settled(scene, users, targeted=2, delivered=1, pending=1)
    settled(scene, trial, targeted=2, delivered=1, pending=1)
    assert scene.caller.recipients(users, "pending") == {other.token: None}


def test_a_new_holder_gets_the_current_ones_as_a_new_device(scene, device):
    tasks = [scene.caller.configure("a=1", org_id=scene.top), scene.caller.configure("b=1", device_tokens=scene.phone.token)]
    scene.admin.put("devices", scene.phone.token, user_id=scene.name("first")).ok()
    phone = device(scene.server, scene.phone).connect()
    phone.wait_for(*tasks, topic=CONFIG)
    for task in tasks:
        settled(scene, task, targeted=1, delivered=1)
    scene.admin.put("devices", scene.phone.token, user_id=scene.name("second")).ok()
    phone.wait_closed()
    again = device(scene.server, scene.phone).connect()
    again.wait_for(*tasks, topic=CONFIG)
    for task in tasks:
        settled(scene, task, targeted=2, delivered=2)


def test_an_ios_device_that_joins_a_large_configuration_is_counted_and_skipped(scene, device):
    large = scene.caller.configure("x" * 300, org_id=scene.top)
    iphone = scene.device("iphone", scene.right, "ios")
    settled(scene, large, targeted=2, skipped_oversize=1, pending=1)
    phone = device(scene.server, iphone).connect()
    small = scene.caller.configure("y", device_tokens=iphone.token)
    phone.wait_for(small, topic=CONFIG)
    assert phone.tasks(CONFIG) == [small]


def test_the_configurations_of_a_deleted_organisation_are_cancelled(scene, device):
    gone = scene.caller.configure("a=1", org_id=scene.left)
    scene.admin.put("devices", scene.phone.token, org_id=scene.right).ok()
    scene.admin.delete("orgs", scene.left).ok()
    shown = scene.caller.task(gone)
    assert (shown["status"], shown["counts"]["cancelled"]) == ("cancelled", 1)
    phone = device(scene.server, scene.phone).connect()
    last = scene.caller.configure("b=1", org_id=scene.right)
    phone.wait_for(last, topic=CONFIG)
    assert phone.tasks(CONFIG) == [last]


def test_of_an_app_with_a_scope_only_inside_it(scene, device):
    user = scene.name("user")
    scene.admin.put("devices", scene.phone.token, user_id=user).ok()
    scoped = scene.app("scoped", org_id=scene.left)
    task = scoped.configure("a=1", user_id=user)
    outside = scene.device("outside", scene.right, user_id=user)
    inside = scene.device("inside", scene.left, user_id=user)
    for registered in (outside, inside):
        device(scene.server, registered).connect()
    eventually(lambda: scoped.counts(task)["delivered"] == 1, "the one inside has it")
    assert scoped.recipients(task, "delivered") == {inside.token: None}
    assert scoped.counts(task)["targeted"] == 2
