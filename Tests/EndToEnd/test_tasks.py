"""What a caller can learn and change afterwards: tasks, lists, cancelling, expiry, statistics, repeats."""

import concurrent.futures
import datetime
import time

import pytest

from kit.rest import EIGHT, assert_balanced, notification
from kit.waiting import eventually


def test_a_task_tells_what_was_pushed(scene):
    body = notification("您好", type="groupcast", org_id=scene.home, payload={"description": "why", "tag": "t"})
    task = scene.caller.push(body).ok()["task_id"]
    assert 1 <= len(task) <= 32
    shown = scene.caller.task(task)
    assert abs(shown["created_at"] - time.time() * 1000) < 10_000
    assert shown["expire_at"] == shown["created_at"] + 72 * 3_600_000
    assert shown["counts"] == dict.fromkeys(EIGHT, 0) | {"targeted": 1, "pending": 1, "opened": 0, "applied": 0, "failed": 0}
    assert {key: shown[key] for key in ("task_id", "interface", "type", "org_id", "description", "tag", "status")} == {
        "task_id": task, "interface": "msg", "type": "groupcast", "org_id": scene.home, "description": "why", "tag": "t",
        "status": "active",
    }
    assert shown["payload"]["body"] == {"title": "您好"}


def test_fields_at_the_top_level_where_another_api_has_them(scene):
    body = {**notification(type="groupcast", org_id=scene.home), "description": "why", "tag": "t", "production_mode": "true"}
    shown = scene.caller.task(scene.caller.push(body).ok()["task_id"])
    assert (shown["description"], shown["tag"]) == ("why", "t")


def test_other_spellings_of_the_token_header(scene):
    appkey, timestamp, (_, token) = scene.caller.headers()
    body = notification(type="unicast", device_tokens=scene.phone.token)
    for name in ("validation_token", "validationToken", "Validation-Token"):
        headers = [appkey, timestamp, (name, token.upper())]
        scene.caller.call("POST", "/psp/push/msg", body, headers).ok()
    seconds = scene.caller.headers(str(int(time.time())))
    scene.caller.call("POST", "/psp/push/msg", body, seconds).ok()


@pytest.mark.parametrize("interface", ["msg", "config"])
def test_cancelling(scene, device, interface):
    if interface == "msg":
        task = scene.caller.to_org(scene.home)
    else:
        task = scene.caller.configure("a=1", org_id=scene.home)
    assert scene.caller.cancel(task).status == 202
    shown = scene.caller.task(task)
    assert (shown["status"], shown["counts"]["cancelled"], shown["counts"]["pending"]) == ("cancelled", 1, 0)
    phone = device(scene.server, scene.phone).connect()
    after = scene.caller.to_device(scene.phone.token)
    phone.wait_for(after)
    assert phone.received[0][1]["task_id"] == after, "nothing of what was cancelled"
    eventually(lambda: scene.caller.task(after)["status"] == "completed", "completed")
    assert scene.caller.cancel(after).status == 202
    assert scene.caller.task(after)["status"] == "completed", "it had ended"


def test_what_was_handed_over_before_counts_as_delivered(scene, device):
    phone = device(scene.server, scene.phone, acknowledges=False).connect()
    task = scene.caller.to_device(scene.phone.token)
    phone.wait_for(task)
    scene.caller.cancel(task).ok()
    assert scene.caller.counts(task)["cancelled"] == 1
    phone.acknowledge_all()
    eventually(lambda: scene.caller.counts(task)["delivered"] == 1, "delivered after all")
    counts = scene.caller.counts(task)
    assert counts["cancelled"] == 0
    assert_balanced(counts)


def test_an_operator_can_recall_any_apps_task(scene, device):
    task = scene.caller.to_org(scene.home)
    mine = scene.admin.tasks(appkey=scene.caller.appkey)
    assert [shown["task_id"] for shown in mine] == [task] and mine[0]["appkey"] == scene.caller.appkey
    assert scene.admin.call("POST", f"/psp/admin/tasks/{task}/cancel").status == 202
    assert scene.admin.task(task)["status"] == "cancelled"


def test_expiry(scene, device):
    soon = int(time.time() * 1000) + 1_500
    task = scene.caller.to_org(scene.home, policy={"expire_time": soon})
    assert scene.caller.task(task)["expire_at"] == soon
    eventually(lambda: scene.caller.task(task)["status"] == "expired", "expired")
    counts = scene.caller.counts(task)
    assert (counts["expired"], counts["pending"]) == (1, 0)
    phone = device(scene.server, scene.phone).connect()
    after = scene.caller.to_device(scene.phone.token)
    phone.wait_for(after)
    assert phone.tasks() == [after]


@pytest.mark.parametrize("spelling", ["number-s", "number-ms", "digits-s", "digits-ms", "rfc3339", "rfc3339-offset"])
def test_expiry_in_every_spelling(scene, spelling):
    moment = int(time.time()) + 3600
    east = datetime.timezone(datetime.timedelta(hours=8))
    written = {
        "number-s": moment, "number-ms": moment * 1000, "digits-s": str(moment), "digits-ms": str(moment * 1000),
        "rfc3339": datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "rfc3339-offset": datetime.datetime.fromtimestamp(moment, east).isoformat(),
    }[spelling]
    task = scene.caller.to_org(scene.home, policy={"expire_time": written})
    assert scene.caller.task(task)["expire_at"] == moment * 1000


def test_lists_are_paged(scene):
    tokens = {scene.device(f"d{number}", scene.home).token for number in range(25)} | {scene.phone.token}
    task = scene.caller.to_org(scene.home)
    assert set(scene.caller.recipients(task, "pending", limit=7)) == tokens
    assert {item["device_token"] for item in scene.admin.items("/psp/admin/devices", limit=4, org_id=scene.home)} == tokens
    tasks = [scene.caller.to_org(scene.home) for _ in range(5)]
    newest_first = [shown["task_id"] for shown in scene.admin.items("/psp/admin/tasks", limit=2, org_id=scene.home)]
    assert newest_first == [*reversed(tasks), task]


def test_statistics_sum_an_apps_tasks_with_a_tag(scene, device):
    phone = device(scene.server, scene.phone).connect()
    scene.device("offline", scene.home)
    first = scene.caller.to_org(scene.home, payload={"tag": "t"})
    phone.wait_for(first)
    phone.receipt(first, "opened")
    second = scene.caller.to_device(scene.phone.token, payload={"tag": "t"})
    scene.caller.to_org(scene.home, payload={"tag": "other"})
    scene.app("another").to_org(scene.home, payload={"tag": "t"})
    eventually(lambda: scene.caller.counts(second)["delivered"] == 1, "delivered")
    eventually(lambda: scene.caller.counts(first)["delivered"] == 1, "delivered")
    sums = scene.caller.stats(tag="t").ok()
    assert {key: sums[key] for key in ("tasks", "targeted", "delivered", "pending", "opened")} == {
        "tasks": 2, "targeted": 3, "delivered": 2, "pending": 1, "opened": 1,
    }
    moment = scene.caller.task(second)["created_at"]
    assert scene.caller.stats(tag="t", to=scene.caller.task(first)["created_at"]).ok()["tasks"] == 0
    assert scene.caller.stats(tag="t", **{"from": moment + 1}).ok()["tasks"] == 0
    assert scene.caller.stats(tag="nothing").ok()["tasks"] == 0


class TestIdempotency:
    def test_fifty_at_once_make_one_task(self, scene, device):
        phone = device(scene.server, scene.phone).connect()
        body = notification(type="groupcast", org_id=scene.home, policy={"out_biz_no": "order-7"})
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            replies = list(pool.map(lambda _: scene.caller.push(body), range(50)))
        assert {reply.ok()["task_id"] for reply in replies} == {replies[0].data["task_id"]}
        task = replies[0].data["task_id"]
        assert [shown["task_id"] for shown in scene.admin.tasks(appkey=scene.caller.appkey)] == [task]
        phone.wait_for(task)
        eventually(lambda: scene.caller.counts(task)["delivered"] == 1, "delivered")
        assert phone.tasks() == [task]

    def test_white_space_does_not_make_another_body(self, scene):
        template = b'{"type":"unicast","device_tokens":"%s","payload":{"display_type":"message","body":{"custom":"a b"}},"policy":{"out_biz_no":"1"}}'
        compact = template % scene.phone.token.encode()
        first = scene.caller.push(compact).ok()["task_id"]
        spaced = compact.replace(b",", b" ,\n ").replace(b":", b" : ", 1)
        assert scene.caller.push(spaced).ok()["task_id"] == first
        assert scene.caller.push(compact.replace(b"a b", b"ab")).code == 2109

    def test_a_repeat_gets_the_first_answer_whatever_has_happened_since(self, scene):
        gone = scene.device("gone", scene.home)
        expiry = int(time.time() * 1000) + 1_500
        body = notification(type="unicast", device_tokens=gone.token, policy={"out_biz_no": "1", "expire_time": expiry})
        first = scene.caller.push(body).ok()["task_id"]
        scene.admin.delete("devices", gone.token).ok()
        eventually(lambda: time.time() * 1000 > expiry, "the expiry has passed")
        assert scene.caller.push(body).ok()["task_id"] == first

    def test_each_app_has_its_own_numbers(self, scene):
        body = notification(type="groupcast", org_id=scene.home, policy={"out_biz_no": "1"})
        assert scene.caller.push(body).ok()["task_id"] != scene.app("other").push(body).ok()["task_id"]

    def test_a_refused_request_does_not_use_it_up(self, scene):
        body = notification(type="unicast", device_tokens=scene.name("later"), policy={"out_biz_no": "1"})
        assert scene.caller.push(body).code == 2201
        scene.device("later", scene.home)
        scene.caller.push(body).ok()


def test_a_parameter_means_the_same_however_its_name_is_spelled(scene):
    scene.caller.push(notification(type="groupcast", org_id=scene.home, payload={"tag": "a b"})).ok()
    for query in ("tag=a+b", "%74ag=a%20b", "t%61g=a+b"):
        assert scene.caller.call("GET", f"/psp/push/stats?{query}").ok()["tasks"] == 1


def test_an_operator_still_finds_the_tasks_of_an_app_that_was_deleted(scene):
    task = scene.caller.to_org(scene.home)
    assert scene.admin.call("DELETE", f"/psp/admin/apps/{scene.caller.appkey}").status == 200
    listed = scene.admin.call("GET", "/psp/admin/tasks", appkey=scene.caller.appkey).ok()["items"]
    assert [item["task_id"] for item in listed] == [task]


def test_a_new_record_is_told_what_it_lacks_before_what_does_not_exist(scene):
    for kind, fields, missing in (
        ("devices", {"org_id": "nowhere"}, "platform"), ("orgs", {"parent_id": "nowhere"}, "name"),
        ("apps", {"org_id": "nowhere"}, "name"),
    ):
        reply = scene.admin.put(kind, scene.name("new"), **fields)
        assert (reply.code, reply.data["field"]) == (2102, missing)


def test_the_same_secret_again_leaves_the_device_connected(scene, device):
    phone = device(scene.server, scene.phone).connect()
    scene.admin.put("devices", scene.phone.token, secret=scene.phone.secret).ok()
    task = scene.caller.to_device(scene.phone.token, "still there")
    phone.wait_for(task)
