"""What callers and operators name is told apart by its bytes, through every door: "é" as one code point and as two are two names."""

import json
import urllib.parse

import pytest

from kit.rest import notification

COMPOSED = "caf\u00e9"
DECOMPOSED = "cafe\u0301"


def test_two_tags_have_two_statistics(scene):
    for tag in (COMPOSED, DECOMPOSED, DECOMPOSED):
        scene.caller.push(notification(type="groupcast", org_id=scene.home, payload={"tag": tag})).ok()
    assert scene.caller.stats(tag=COMPOSED).ok()["tasks"] == 1
    assert scene.caller.stats(tag=DECOMPOSED).ok()["tasks"] == 2


def test_two_numbers_are_two_tasks(scene):
    def push(number):
        body = notification(type="unicast", device_tokens=scene.phone.token, policy={"out_biz_no": number})
        return scene.caller.push(body).ok()["task_id"]

    one, other = push(COMPOSED), push(DECOMPOSED)
    assert one != other
    assert (push(COMPOSED), push(DECOMPOSED)) == (one, other)


def test_two_configurations_stand_beside_each_other(scene, device):
    tasks = [scene.caller.configure("a=1", org_id=scene.home, payload={"tag": tag}) for tag in (COMPOSED, DECOMPOSED)]
    assert [scene.caller.task(task)["status"] for task in tasks] == ["active", "active"]
    phone = device(scene.server, scene.phone).connect()
    phone.wait_for(tasks[1], topic="psp/push/config")
    assert [body["tag"] for _, body in phone.received] == [COMPOSED, DECOMPOSED]


def test_a_record_takes_another_name_of_the_same_look(scene):
    for name in (COMPOSED, DECOMPOSED):
        scene.admin.put("orgs", scene.home, name=name).ok()
        assert scene.admin.get("orgs", scene.home).ok()["name"] == name


@pytest.mark.parametrize("kind", ["apps", "orgs", "devices"])
def test_identifiers_are_ascii(scene, kind):
    """So that two that look alike do not exist. A KELVIN SIGN is no K, although Unicode takes it for one."""
    for name in (COMPOSED, DECOMPOSED, "\u212a"):
        reply = scene.admin.call("PUT", f"/psp/admin/{kind}/{urllib.parse.quote(name)}", {"name": "x"})
        assert (reply.status, reply.code) == (400, 2103)
    refused = scene.caller.push(notification(type="unicast", user_id=DECOMPOSED))
    assert (refused.code, refused.data["field"]) == (2103, "user_id")


def test_keys_of_json_and_of_the_query_are_bytes(scene):
    body = json.dumps(notification(type="groupcast", org_id=scene.home))
    refused = scene.caller.push(body.replace('"type"', '"t\u0079pe\u0301"').encode())
    assert refused.code == 2104
    # Each key of `custom` is the caller's own, and both arrive.
    sent = {COMPOSED: 1, DECOMPOSED: 2}
    task = scene.caller.push(notification(type="groupcast", org_id=scene.home, payload={"body": {"title": "t", "custom": sent}})).ok()
    assert scene.caller.task(task["task_id"])["payload"]["body"]["custom"] == sent
