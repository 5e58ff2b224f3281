#!/usr/bin/env python3
"""Makes a data directory by a version of pspd, each time with what must be true of it ever after: once the server is ended by SIGTERM, and its file is
whole; once it is killed, and everything stands in the log beside its file.

    PSPD=/path/to/that/pspd .venv/bin/python Tests/EndToEnd/upgrade/make.py [FOLDER]

Each of `ended` and `killed` becomes a NAME.tar.xz, the directory, and a NAME.json, what that version told of it. Those beside this file were made by
revision 6831038, whose store has version 1 of the schema; test_upgrade.py has today's version go on with them."""

import contextlib
import json
import pathlib
import sqlite3
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from kit import rest  # noqa: E402
from kit.device import Device  # noqa: E402
from kit.rest import AdminClient, PushClient, notification  # noqa: E402
from kit.server import Server  # noqa: E402
from kit.waiting import eventually  # noqa: E402

# It knew no rejected ones.
STATES = (*(state for state in rest.EIGHT if state != "rejected"), "opened", "applied", "failed")
CONFIG = "psp/push/config"


class Story:
    """What happens to the server, and what is remembered of it."""

    def __init__(self, server):
        self.server, self.admin = server, AdminClient(server)
        self.secrets, self.apps, self.devices = {}, {}, {}
        self.tasks, self.numbered = {}, {}

    def tell(self):
        self.directory()
        self.pushes()
        self.receipts()
        self.ends()
        self.changes()
        return self

    def directory(self):
        for name, parent in (("root", None), ("north", "root"), ("north-1", "north"), ("south", "root"), ("mobile", "north")):
            self.admin.put("orgs", name, name=f"Org {name}", **({"parent_id": parent} if parent else {})).ok()
        for name, fields in (("shop", {"interfaces": ["msg", "config"]}), ("news", {"interfaces": ["msg"], "org_id": "north"}),
                             ("closed", {"interfaces": ["msg"]})):
            data = self.admin.put("apps", name, name=f"App {name}", **fields).ok()
            self.apps[name] = data["master_secret"]
        self.shop, self.news = (PushClient(self.server, name, self.apps[name]) for name in ("shop", "news"))
        PushClient(self.server, "closed", self.apps["closed"])
        for token, org, more in (
                ("phone", "north-1", {"user_id": "ann"}), ("tablet", "south", {"user_id": "ann", "platform": "ios"}), ("kiosk", "mobile", {}),
                ("tester", "north", {"test": True}), ("lent", "south", {"user_id": "bob"}), ("away", "south", {}), ("slow", "north", {}),
                ("gone", "south", {})):
            self.devices[token] = self.admin.put("devices", token, **({"platform": "android", "org_id": org} | more)).ok()["secret"]
        self.admin.put("apps", "closed", disabled=True).ok()

    def push(self, name, body, caller=None, interface="msg"):
        task = (caller or self.shop).push(body, interface).ok()["task_id"]
        self.tasks[task] = name
        if number := body.get("policy", {}).get("out_biz_no"):
            self.numbered[number] = {"app": (caller or self.shop).appkey, "interface": interface, "body": body, "task_id": task}
        return task

    def to_device(self, name, token, **more):
        return self.push(name, notification(name, type="unicast", device_tokens=token, **more))

    def to_org(self, name, org, caller=None, **more):
        return self.push(name, notification(name, type="groupcast", org_id=org, **more), caller)

    def configure(self, name, payload=None, **target):
        body = {"type": "groupcast" if "org_id" in target else "unicast", **target, "payload": {"body": f"name={name}", **(payload or {})}}
        return self.push(name, body, interface="config")

    def pushes(self):
        """Some devices are there and acknowledge, one is there and does not, the others are away."""
        phone, kiosk, slow = (Device(self.server, token, self.devices[token], version, acknowledges=token != "slow").connect()
                              for token, version in (("phone", "5.0"), ("kiosk", "3.1.1"), ("slow", "5.0")))
        order = {"payload": {"tag": "order"}}
        first = self.to_device("delivered", "phone", policy={"out_biz_no": "order-1"}, **order)
        self.to_device("pending", "away", policy={"out_biz_no": "order-2"}, **order)
        self.push("to a user", notification("to a user", type="unicast", user_id="ann", **order))
        everybody = self.to_org("to everybody", "root", custom={"number": 1.50, "text": "北京"}, **order)
        self.to_org("of another app", "north", self.news, payload={"tag": "news"}, policy={"out_biz_no": "order-1"})
        self.push("handed over", {"type": "groupcast", "org_id": "south", "payload": {"display_type": "message", "body": {"custom": "as  it is"}}})
        self.to_org("too large for some", "south", custom="x" * 300)
        self.to_org("to test devices", "north", payload={"production_mode": False})
        self.configure("old", org_id="root", payload={"tag": "a"})
        current = self.configure("current", org_id="root", payload={"tag": "a"})
        self.configure("of the south", org_id="south")
        self.configure("of a user", user_id="ann")
        self.configure("of a kiosk", device_tokens="kiosk")
        for device, tasks in ((phone, [first, everybody]), (kiosk, [everybody]), (slow, [everybody])):
            device.wait_for(*tasks)
            device.wait_for(current, topic=CONFIG)
        for device in (phone, kiosk):
            device.flush()
        self.online = phone, kiosk, slow
        self.first, self.current = first, current

    def receipts(self):
        phone, kiosk, slow = self.online
        for device in (phone, kiosk):
            assert device.receipt(self.current, "applied") in (0, 0x10)
        phone.receipt(self.first, "opened")
        kiosk.receipt(self.current, "failed", detail="no such key: cache")
        for device in self.online:
            device.vanish()
        eventually(lambda: not any(device["online"] for device in self.admin.items("/psp/admin/devices")), "nobody is online")

    def ends(self):
        soon = int(time.time() * 1000) + 1500
        short = self.to_device("expired", "away", policy={"expire_time": soon}, payload={"tag": "order"})
        for name, target in (("cancelled", "away"), ("cancelled for a user", None)):
            task = self.to_device(name, target) if target else self.push(name, notification(name, type="unicast", user_id="ann"))
            assert self.shop.cancel(task).status == 202
        eventually(lambda: self.shop.task(short)["status"] == "expired", "it expires")

    def changes(self):
        self.to_org("before the move", "north")
        self.to_device("of the former holder", "lent")
        self.to_device("of one who goes", "gone")
        self.admin.put("orgs", "mobile", parent_id="south").ok()
        self.admin.put("devices", "lent", user_id="carol").ok()
        self.admin.delete("devices", "gone").ok()
        self.to_org("after the move, to the former", "north")
        self.to_org("after the move, to the new", "south", policy={"out_biz_no": "order-3"})
        self.to_device("of the new holder", "lent")

    def facts(self):
        """What the server tells of all this. A device's pending messages are in their order."""
        callers = {"shop": self.shop, "news": self.news}
        tasks = {}
        for listed in reversed(self.admin.tasks()):
            task, caller = listed["task_id"], callers[listed["appkey"]]
            found = {state: caller.recipients(task, state) for state in STATES}
            tasks[task] = {"app": listed["appkey"], "name": self.tasks[task], "report": caller.task(task), "recipients": {k: v for k, v in found.items() if v}}
        pending = {
            token: {interface: [task for task, told in tasks.items()
                                if told["report"]["interface"] == interface and token in told["recipients"].get("pending", {})]
                    for interface in ("msg", "config")}
            for token in self.devices if token != "gone"}
        return {
            "made_at": int(time.time()), "apps": self.apps, "devices": self.devices, "tasks": tasks, "pending": pending, "numbered": self.numbered,
            "lists": {kind: self.admin.items(f"/psp/admin/{kind}") for kind in ("apps", "orgs", "devices")},
            "stats": {app: {tag: callers[app].stats(tag=tag).ok() for tag in ("order", "news", "a")} for app in callers},
        }


def make(folder, name, end):
    with tempfile.TemporaryDirectory() as work:
        data = pathlib.Path(work) / "data"
        with Server(data, "--loops", "1") as server:
            facts = Story(server).tell().facts()
            if name == "killed":
                # Facts of deliveries are written a few times a second.
                time.sleep(3)
            end(server)
        log = data / "psp.db-wal"
        if name == "ended":
            # So far it may all stand in the log: whoever closes the file last empties it.
            with contextlib.closing(sqlite3.connect(data / "psp.db")) as store:
                store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert (log.exists() and log.stat().st_size > 100_000) == (name == "killed")
        with tarfile.open(folder / f"{name}.tar.xz", "w:xz", preset=9) as archive:
            for file in sorted(data.iterdir()):
                if file.name not in ("pspd.json", "pspd.lock", "psp.db-shm"):
                    archive.add(file, file.name)
        (folder / f"{name}.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=False) + "\n")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    # What another version answers is not what docs/openapi.yaml says of this one.
    rest.CONTRACT.check = lambda *_: None
    make(folder, "ended", Server.stop)
    make(folder, "killed", Server.kill)


if __name__ == "__main__":
    main()
