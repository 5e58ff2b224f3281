"""The operator's command line against the real server."""

import json

import pytest

from conftest import run
from kit.server import USES_POSTGRES, binary
from kit.waiting import eventually
from kit.world import Registered


@pytest.fixture
def ctl(pspctl):
    """Runs a command that must succeed; returns what it printed, as JSON with `--json`."""

    def command(*arguments, **options):
        ended = pspctl(*arguments, **options)
        assert ended.returncode == 0, ended
        return json.loads(ended.stdout) if "--json" in arguments else ended.stdout

    return command


@pytest.fixture
def scene(ctl, world):
    """What most commands refer to, made by the commands themselves."""
    world.ctl = ctl
    world.home = world.name("home")
    ctl("org", "add", world.home, "--name", "总局")
    world.app_key = world.name("app")
    created = ctl("app", "add", world.app_key, "--name", "Demo", "--interface", "msg", "--interface", "config", "--json")
    world.app_secret = created["master_secret"]
    world.token = world.name("phone")
    ctl("device", "add", world.token, "--platform", "android", "--org", world.home, "--user", world.name("user"), "--test")
    return world


def test_add_tells_what_it_did_and_prints_secrets(ctl, world):
    org, app, token = world.name("o"), world.name("a"), world.name("d")
    assert ctl("org", "add", org, "--name", "O") == f"created organisation {org}\n"
    assert ctl("org", "add", org, "--name", "P") == f"updated organisation {org}\n"
    created = ctl("app", "add", app, "--name", "A", "--interface", "msg").splitlines()
    assert created[0] == f"created app {app}" and created[1].startswith("master secret: ")
    created = ctl("device", "add", token, "--platform", "ios", "--org", org).splitlines()
    assert created[0] == f"created device {token}" and created[1].startswith("secret: ")
    assert ctl("device", "add", token, "--user", world.name("u")) == f"updated device {token}\n"


def test_show_list_remove(scene, ctl):
    shown = ctl("device", "show", scene.token, "--json")
    assert (shown["platform"], shown["org_id"], shown["test"]) == ("android", scene.home, True)
    assert (shown["pending"], shown["unacknowledged"]) == (0, 0)
    assert "总局" in ctl("org", "show", scene.home)
    assert ctl("app", "show", scene.app_key, "--json")["interfaces"] == ["msg", "config"]
    assert scene.token in ctl("device", "list", "--org", scene.home)
    assert scene.token in ctl("device", "list", "--user", scene.name("user"), "--no-online")
    assert ctl("device", "list", "--org", scene.home, "--online", "--json") == []
    assert scene.app_key in [app["appkey"] for app in ctl("app", "list", "--all", "--json")]
    assert scene.home in [org["org_id"] for org in ctl("org", "list", "--all", "--json")]
    assert ctl("device", "remove", scene.token, "--yes") == f"removed device {scene.token}\n"
    ctl("org", "remove", scene.home, "--yes")
    ctl("app", "remove", scene.app_key, "--yes")
    assert scene.admin.get("apps", scene.app_key).status == 404


def test_clearing_what_is_optional(scene, ctl):
    ctl("org", "add", scene.name("child"), "--name", "C", "--parent", scene.home)
    ctl("org", "add", scene.name("child"), "--no-parent")
    ctl("app", "add", scene.app_key, "--scope", scene.home, "--disabled")
    ctl("app", "add", scene.app_key, "--no-scope", "--enabled")
    ctl("device", "add", scene.token, "--no-user", "--no-test")
    assert "parent_id" not in scene.admin.get("orgs", scene.name("child")).ok()
    app = scene.admin.get("apps", scene.app_key).ok()
    assert "org_id" not in app and app["disabled"] is False
    device = scene.admin.get("devices", scene.token).ok()
    assert "user_id" not in device and device["test"] is False


def test_push_task_tasks_cancel_stats(scene, ctl, device):
    signed = ("--app", scene.app_key, "--secret", scene.app_secret)
    tag = ("--tag", scene.name("t"))
    unicast = ctl("push", "unicast", scene.token, "--title", "Hi", *tag, *signed, "--json")["task_id"]
    user = ctl("push", "user", scene.name("user"), "--custom-json", '{"n": 1.10}', *tag, *signed, "--json")["task_id"]
    org = ctl("push", "org", scene.home, "--title", "All", "--test", "--out-biz-no", "1", *signed, "--json")["task_id"]
    config = ctl("push", "config", "a=1", "--org", scene.home, *signed, "--json")["task_id"]
    assert ctl("push", "org", scene.home, "--title", "x", *signed).startswith("task ")

    # Without the app's secret it is the operator's, which may ask first.
    dry = ctl("push", "org", scene.home, "--title", "x", "--app", scene.app_key, "--dry-run", "--json")
    assert dry["targeted"] == 1 and "task_id" not in dry
    assert "targeted" in ctl("push", "org", scene.home, "--title", "x", "--app", scene.app_key, "--dry-run")

    shown = ctl("task", unicast)
    assert "pending:\n  " + scene.token in shown and "targeted" in shown
    scene.admin.put("devices", scene.token, secret="s").ok()
    phone = device(scene.server, Registered(scene.token, "s")).connect()
    phone.wait_for(unicast, user, org)
    phone.wait_for(config, topic="psp/push/config")
    assert [message["body"] for _, message in phone.received][1] == {"custom": {"n": 1.10}}
    phone.receipt(unicast, "failed", detail="no room")
    eventually(lambda: scene.admin.task(unicast)["counts"]["delivered"] == 1, "delivered")
    everything = ctl("task", unicast, "--json")
    assert everything["devices"] == {
        "delivered": [{"device_token": scene.token}], "failed": [{"device_token": scene.token, "detail": "no room"}],
    }
    assert "no room" in ctl("task", unicast, "--state", "failed")

    listed = ctl("tasks", "--app", scene.app_key)
    assert listed.index(config) < listed.index(org) < listed.index(user) < listed.index(unicast), "newest first"
    assert len(ctl("tasks", "--app", scene.app_key, "--limit", "2", "--json")) == 2
    assert ctl("cancel", config) == f"task {config} is cancelled\n"
    assert [task["task_id"] for task in ctl("tasks", "--app", scene.app_key, *tag, "--json")] == [user, unicast]
    assert [task["task_id"] for task in ctl("tasks", "--app", scene.app_key, "--out-biz-no", "1", "--json")] == [org]
    assert ctl("task", unicast).splitlines()[0].split() == ["title", "Hi"]
    sums = ctl("stats", *tag, *signed, "--json")
    assert (sums["tasks"], sums["targeted"]) == (2, 2)
    assert "targeted" in ctl("stats", *tag, PSP_APP=scene.app_key, PSP_SECRET=scene.app_secret)


def test_how_the_server_fares(scene, ctl, device):
    scene.admin.put("devices", scene.token, secret="s").ok()
    phone = device(scene.server, Registered(scene.token, "s")).connect()
    before = ctl("status", "--json")
    signed = ("--app", scene.app_key, "--secret", scene.app_secret)
    phone.wait_for(ctl("push", "unicast", scene.token, "--title", "Hello", *signed, "--json")["task_id"])
    eventually(
        lambda: ctl("status", "--json")["acknowledgements"]["total"] > before["acknowledgements"]["total"],
        "the acknowledgement is counted")
    after = ctl("status", "--json")
    assert after["state"] == "ready" and after["store"]["health"] == "serving"
    assert after["pushes"]["total"] == before["pushes"]["total"] + 1
    assert after["deliveries"]["total"] == before["deliveries"]["total"] + 1
    assert after["pushes"]["per_second_60s"] > 0 and after["connections"]["online"] >= 1
    assert sum(loop["online"] for loop in after["loops"]) == after["connections"]["online"]
    assert after["clock"]["offset"] is not None and after["imports"] == {"running": 0}
    assert after["shared"]["lease"] > 0 and "disk" not in after if USES_POSTGRES else after["disk"]["free"] > 0
    lines = ctl("status").splitlines()
    assert lines[0].split() == ["state", "ready"] and any(line.startswith("pushes ") for line in lines)


def test_nothing_is_removed_unless_somebody_says_yes(scene, ctl, pspctl):
    ended = pspctl("device", "remove", scene.token)
    assert ended.returncode == 2 and "--yes" in ended.stderr, ended
    assert ctl("device", "show", scene.token)


def test_the_devices_of_an_organisation_are_those_of_its_subtree(scene, ctl, pspctl):
    below, deep = scene.org("below", scene.home), scene.name("deep")
    ctl("org", "add", deep, "--name", "deep", "--parent", below)
    inside, other = scene.device("inside", deep), scene.device("other", scene.org("elsewhere"))
    listed = [device["device_token"] for device in ctl("device", "list", "--org", scene.home, "--json")]
    assert sorted(listed) == sorted([scene.token, inside.token])
    assert [device["device_token"] for device in ctl("device", "list", "--org", scene.home, "--own", "--json")] == [scene.token]
    assert len(ctl("device", "list", "--org", scene.home, "--limit", "1", "--json")) == 1
    assert other.token not in ctl("device", "list", "--org", scene.home)
    ended = pspctl("device", "list", "--org", "nowhere")
    assert ended.returncode == 1 and "2203" in ended.stderr, ended


def test_a_push_is_waited_for(scene, ctl, pspctl, device):
    signed = ("--app", scene.app_key, "--secret", scene.app_secret)
    ended = pspctl("push", "unicast", scene.token, "--title", "Hi", "--wait", "--timeout", "1", *signed)
    assert ended.returncode == 1 and "pending 1" in ended.stderr, ended
    scene.admin.put("devices", scene.token, secret="s").ok()

    device(scene.server, Registered(scene.token, "s")).connect()
    done = ctl("push", "unicast", scene.token, "--title", "Hi", "--wait", "--timeout", "30", *signed)
    assert "completed: targeted 1, delivered 1" in done, done


def test_it_speaks_chinese_where_the_locale_does(scene, pspctl):
    ended = pspctl("device", "add", scene.name("new"), "--org", scene.home, LANG="zh_CN.UTF-8", LC_ALL="")
    assert ended.returncode == 1 and "缺少必填参数：--platform" in ended.stderr, ended
    assert "\n用法：pspctl device add " in ended.stderr and ended.stderr.endswith("'pspctl device add --help'。\n"), ended
    ended = pspctl("org", "list", LC_ALL="zh_CN.UTF-8")
    assert ended.returncode == 0 and ended.stdout.startswith("组织机构"), ended


def test_a_secret_file_that_cannot_be_read_is_told_in_the_systems_words(tmp_path):
    (tmp_path / "pspd.json").mkdir()
    ended = run(binary("pspctl"), "app", "list", "--data", str(tmp_path))
    assert ended.returncode == 1 and "Is a directory" in ended.stderr and "NSCocoa" not in ended.stderr, ended


def test_import_from_a_file_and_from_a_pipe(scene, ctl, tmp_path):
    lines = [
        json.dumps({"kind": "device", "id": scene.name(f"i{n}"), "platform": "ios", "org_id": scene.home, "secret": "s"}) for n in range(4500)
    ]
    file = tmp_path / "devices.ndjson"
    file.write_text("\n".join(lines))
    assert ctl("import", str(file)) == "4500 created, 0 updated, 0 failed\n"
    assert ctl("import", "-", stdin="\n".join(lines[:10])) == "0 created, 10 updated, 0 failed\n"


def test_import_names_the_lines_that_failed(scene, pspctl, tmp_path):
    good = json.dumps({"kind": "org", "id": scene.home, "name": "O"})
    file = tmp_path / "mixed.ndjson"
    file.write_text("\n".join([good] * 2500 + ["nonsense", good, '{"kind":"org"}']))
    ended = pspctl("import", str(file))
    assert ended.returncode == 1
    assert ended.stdout == "0 created, 2501 updated, 2 failed\n"
    assert f"{file}:2501: refused with 2101" in ended.stderr and f"{file}:2503: refused with 2102" in ended.stderr


def test_import_of_csv_makes_the_secrets_that_are_missing(scene, pspctl, device, tmp_path):

    file, secrets = tmp_path / "devices.csv", tmp_path / "secrets.csv"
    tokens = [scene.name(f"c{n}") for n in range(3)]
    rows = [f"{tokens[0]},android,{scene.home},,own", f'"{tokens[1]}","ios","{scene.home}",officer-7,', f"{tokens[2]},ios,nowhere,,"]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(["id,platform,org_id,user_id,secret"] + rows).encode())
    ended = pspctl("import", str(file), "--secrets", str(secrets))
    assert ended.returncode == 1 and ended.stdout == "2 created, 0 updated, 1 failed\n", ended
    assert f"{file}:4: refused with 2203" in ended.stderr and str(secrets) in ended.stderr
    assert secrets.stat().st_mode & 0o777 == 0o600
    made = dict(line.split(",") for line in secrets.read_text().splitlines()[1:])
    assert set(made) == {tokens[1]}, "the third was refused"
    device(scene.server, Registered(tokens[0], "own")).connect()
    device(scene.server, Registered(tokens[1], made[tokens[1]])).connect()
    again = pspctl("import", str(file), "--secrets", str(secrets))
    assert again.returncode == 1 and "not overwritten" in again.stderr and not again.stdout


def test_a_second_import_leaves_the_secrets_that_devices_have(scene, pspctl, ctl, device, tmp_path):

    file, first, second = tmp_path / "devices.csv", tmp_path / "first.csv", tmp_path / "second.csv"
    token, late = scene.name("kept"), scene.name("late")
    file.write_text(f"id,platform,org_id\n{token},android,{scene.home}\n")
    ctl("import", str(file), "--secrets", str(first))
    secret = dict(line.split(",") for line in first.read_text().splitlines())[token]
    told = pspctl("import", str(file), "--secrets", str(second))
    assert told.returncode == 0 and "keep their secrets" in told.stderr and not second.exists(), told
    device(scene.server, Registered(token, secret)).connect().disconnect()
    file.write_text(file.read_text() + f"{late},ios,{scene.home}\n")
    ctl("import", str(file), "--secrets", str(second))
    assert [line.split(",")[0] for line in second.read_text().splitlines()] == ["device_token", late]
    # Others on purpose.
    asked = pspctl("import", str(file), "--secrets", str(tmp_path / "third.csv"), "--replace-secrets")
    assert asked.returncode == 2 and "--yes" in asked.stderr and not (tmp_path / "third.csv").exists(), asked
    ctl("import", str(file), "--secrets", str(tmp_path / "third.csv"), "--replace-secrets", "--yes")
    made = dict(line.split(",") for line in (tmp_path / "third.csv").read_text().splitlines())
    assert made[token] != secret and set(made) == {"device_token", token, late}
    device(scene.server, Registered(token, made[token])).connect().disconnect()


def test_import_wants_utf8_and_says_where(scene, pspctl, tmp_path):
    file = tmp_path / "gbk.csv"
    file.write_bytes(f"kind,id,name\norg,{scene.name('o')},警务\n".encode("gbk"))
    ended = pspctl("import", str(file))
    assert ended.returncode == 1 and not ended.stdout
    assert f"{file}:2: not UTF-8" in ended.stderr


def test_a_long_import_is_followed_or_left_to_the_server(scene, ctl, tmp_path):
    def write(name, count):
        file = tmp_path / name
        lines = (json.dumps({"kind": "device", "id": scene.name(f"{name}{n}"), "platform": "ios", "org_id": scene.home, "secret": "s"})
                 for n in range(count))
        file.write_text("\n".join(lines))
        return str(file)

    # Whether it takes longer than the server's patience is the machine's affair: either way it is told whole.
    count = 60_000
    told = ctl("import", write("followed", count), "--json")
    assert (told["created"], told["failed"]) == (count, 0), told
    told = ctl("import", write("left", count), "--detach", "--json")
    for number in told.get("import_ids", []):
        assert ctl("imports", number, "--follow", "--json")["created"] == count
        assert number in ctl("imports")
    assert scene.admin.get("orgs", scene.home).ok()["devices"] >= 2 * count


def test_a_refusal_is_told_with_code_text_and_field(scene, pspctl):
    ended = pspctl("device", "add", scene.name("new"), "--org", scene.home)
    assert ended.returncode == 1 and "2102" in ended.stderr and ended.stderr.count("--platform") == 1, ended
    ended = pspctl("push", "unicast", scene.token, "--title", "x", "--app", scene.app_key, "--secret", "wrong")
    assert ended.returncode == 1 and "2005" in ended.stderr
    ended = pspctl("app", "list", "--admin-token", "wrong")
    assert ended.returncode == 1 and "2005" in ended.stderr
    ended = pspctl("task", "nothing")
    assert ended.returncode == 1 and "2204" in ended.stderr
    ended = pspctl("device", "show", "nobody", "--json")
    assert ended.returncode == 1 and not ended.stdout and json.loads(ended.stderr)["error_code"] == 2201, ended


def test_a_server_that_is_not_there(tmp_path):
    ended = run(binary("pspctl"), "app", "list", "--data", str(tmp_path))
    assert ended.returncode == 1 and str(tmp_path) in ended.stderr
    ended = run(binary("pspctl"), "app", "list", "--admin", "127.0.0.1:1", "--admin-token", "x")
    assert ended.returncode == 1 and "cannot reach" in ended.stderr


def test_addresses_and_token_by_hand(scene):
    server = scene.server
    ended = run(
        binary("pspctl"), "device", "show", scene.token, "--admin", "http://%s:%d" % server.admin, PSP_ADMIN_TOKEN=server.admin_token)
    assert ended.returncode == 0, ended
    ended = run(
        binary("pspctl"), "push", "unicast", scene.token, "--title", "x", "--http", "%s:%d" % server.http, PSP_APP=scene.app_key,
        PSP_SECRET=scene.app_secret)
    assert ended.returncode == 0, ended


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["push", "unicast", "x"], ["device", "add"], ["app", "add", "a", "--interface", "mail"], ["import"]]
)
def test_wrong_usage(pspctl, arguments):
    ended = pspctl(*arguments)
    assert ended.returncode == 2 and ended.stderr and not ended.stdout, ended


@pytest.mark.parametrize(
    "command", [[], ["app"], ["org"], ["device"], ["push"], ["clock"], ["app", "add"], ["org", "add"], ["device", "list"], ["import"], ["push", "config"], ["task"], ["tasks"], ["cancel"], ["stats"]]
)
def test_help_has_examples(pspctl, command):
    ended = pspctl(*command, "--help")
    assert ended.returncode == 0 and "EXAMPLE" in ended.stdout, ended
