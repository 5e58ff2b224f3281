"""`/metrics`: what Prometheus reads is well-formed, documented, and true."""

import json
import re
import subprocess

import pytest
import yaml

from conftest import run
from kit.certificates import Authority
from kit.mosquitto import Subscriber
from kit.prometheus import Metrics, Prometheus, families, get, promtool, scrape
from kit.proxies import program
from kit.rest import exchange, notification
from kit.server import ROOT, USES_POSTGRES, Server, binary
from kit.waiting import eventually
from kit.world import World


# Where nodes share a store there are none; those that there are instead are documented in docs/cluster.md.
OF_FILES = {"psp_store_database_bytes", "psp_store_log_bytes", "psp_store_log_age_seconds", "psp_store_disk_free_bytes"}


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """With TLS, which has metrics of its own."""
    directory = tmp_path_factory.mktemp("metrics")
    pair = Authority(directory).issue("server")
    with Server(directory / "data", *pair.flags(), environment={"PSP_HTTPS": "127.0.0.1:0"}) as running:
        yield running
        assert running.stop() == 0


def test_promtool_finds_nothing_wrong_with_it(secure):
    result = promtool("check", "metrics", text=scrape(secure))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def documented(name, language=""):
    return re.findall(r"^\| `((?:psp|process)_\w+)` \|", (ROOT / f"docs/{name}{language}.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_every_metric_is_documented_and_no_other(secure, language):
    expected = documented("operations", language)
    if USES_POSTGRES:
        expected = [name for name in expected if name not in OF_FILES] + documented("cluster", language)
    assert sorted(expected) == sorted(families(scrape(secure)))


def test_it_needs_no_token_and_is_not_on_the_callers_listener(server):
    assert get(server.admin, "/metrics?x=1")[0] == 400
    assert get(server.http, "/metrics")[0] == 400


def test_a_push_its_delivery_and_its_acknowledgement_are_counted(own_server, device):
    world = World(own_server)
    caller, home = world.app(), world.org("home")
    phone = world.device("phone", home)
    before = Metrics(own_server)
    with device(own_server, phone) as connected:
        task = caller.push(notification(type="unicast", device_tokens=phone.token)).ok()["task_id"]
        connected.wait_for(task)
        caller.push(notification(type="unicast", device_tokens="nobody"))
        caller.push({})

        def counted():
            now = Metrics(own_server)
            return now("psp_acknowledgements_total") == 1 and now("psp_deliveries_unacknowledged") == 0

        eventually(counted, lambda: scrape(own_server))
        now = Metrics(own_server)
        assert now("psp_connections", kind="device") == now("psp_sessions") == 1
        assert now("psp_connects_total", result="accepted") == 1
        assert now("psp_deliveries_total") == 1
        assert now("psp_pushes_total", interface="msg", result="stored") == 1
        assert now("psp_pushes_total", interface="msg", result="refused") == 2
        assert now("psp_push_errors_total", interface="msg", code=2201) == 1
        assert now("psp_push_errors_total", interface="msg", code=2102) == 1
        assert now("psp_http_request_duration_seconds_count", listener="callers", interface="msg") == 3
        assert now("psp_http_responses_total", listener="callers", code=200) == 1
        for grown in ("psp_store_commit_duration_seconds_count", "psp_store_batch_calls_sum", "psp_store_append_wait_seconds_sum"):
            assert now(grown) > before(grown)
        assert now("psp_http_request_duration_seconds_count", listener="operators") > 3
        assert now("psp_ready") == now("psp_store_health", state="serving") == 1
        assert now("process_open_fds") > 10 and now("process_resident_memory_bytes") > 1 << 20
        assert now("process_start_time_seconds") == pytest.approx(before("process_start_time_seconds"), abs=0.05)
    eventually(lambda: Metrics(own_server)("psp_sessions") == 0, lambda: scrape(own_server))


def test_a_refused_connect_is_counted_by_its_reason(own_server):
    world = World(own_server)
    phone = world.device("phone", world.org("home"))
    for token, secret, reason in [(phone.token, "wrong", "wrong_secret"), ("nobody", "wrong", "unknown_device")]:
        refused = Subscriber(own_server, token, secret, "5.0")
        refused.begin_connecting()
        eventually(
            lambda: Metrics(own_server)("psp_connects_total", result=reason) >= 1, lambda: scrape(own_server))
        refused.vanish()


RULES = ROOT / "deploy/prometheus/psp.rules.yml"


class TestWhatIsMadeOfThem:
    """The rules, the dashboard and the scrape configuration of deploy/."""

    @pytest.fixture(scope="class")
    def measured(self, secure):
        """Every name that a sample may have."""
        kinds = families(scrape(secure))
        parts = {f"{name}_{part}" for name, kind in kinds.items() if kind == "histogram" for part in ("bucket", "sum", "count")}
        return set(kinds) | parts | set(documented("cluster")) | OF_FILES

    def test_the_rules_are_valid_and_fire_when_they_should(self):
        directory = ROOT / "deploy/prometheus"
        for arguments in [("check", "config", "prometheus.yml"), ("test", "rules", "psp.rules.test.yml")]:
            result = subprocess.run([program("promtool"), *arguments], cwd=directory, capture_output=True, text=True)
            assert result.returncode == 0, result.stdout + result.stderr

    def test_every_alert_is_tried_and_says_what_to_do(self):
        alerts = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
        cases = yaml.safe_load((RULES.parent / "psp.rules.test.yml").read_text())["tests"]
        documents = [(ROOT / f"docs/operations{language}.md").read_text() for language in ("", ".zh-CN")]
        for alert in alerts:
            name = alert["alert"]
            tried = [rule for case in cases for rule in case["alert_rule_test"] if rule["alertname"] == name]
            assert {bool(rule["exp_alerts"]) for rule in tried} == {True, False}, name
            assert re.search("[一-鿿]", alert["annotations"]["summary_zh"]), name
            assert alert["annotations"]["runbook"] and all(f"| `{name}` |" in document for document in documents), name
        documented = re.findall(r"^\| `(Psp\w+)` \|", documents[0], re.MULTILINE)
        assert documented == [alert["alert"] for alert in alerts]

    def test_rules_and_dashboard_ask_for_what_is_measured(self, measured):
        dashboard = json.loads((ROOT / "deploy/grafana/psp.json").read_text())
        panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
        expressions = [target["expr"] for panel in panels for target in panel["targets"]]
        expressions += [rule["expr"] for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]]
        asked = {name for expression in expressions for name in re.findall(r"\b(?:psp|process)_\w+", expression)}
        assert asked - measured == set()
        # Nothing is measured that nobody looks at.
        assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} >= set(measured) & {
            name for name in measured if name.startswith("psp_") and not re.search(r"_(bucket|sum|count)$", name)}

    def test_every_expression_of_the_dashboard_can_be_read(self, tmp_path):
        dashboard = json.loads((ROOT / "deploy/grafana/psp.json").read_text())
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        rules = [
            {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m").replace("$instance", ".*")}
            for number, expression in enumerate(expressions)
        ]
        file = tmp_path / "dashboard.yml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
        result = promtool("check", "rules", str(file))
        assert result.returncode == 0 and f"{len(rules)} rules found" in result.stdout, result.stdout + result.stderr


@pytest.mark.embedded("its file is taken away")
def test_a_real_prometheus_sees_a_certificate_near_its_end_and_a_store_that_is_gone(tmp_path):
    pair = Authority(tmp_path / "authority").issue("server", days=7)
    with Server(tmp_path / "data", *pair.flags(), environment={"PSP_HTTPS": "127.0.0.1:0"}) as server:
        configuration = yaml.safe_load((RULES.parent / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
        configuration["rule_files"] = [str(RULES)]
        configuration["scrape_configs"][0]["static_configs"][0]["targets"] = ["%s:%d" % server.admin]
        with Prometheus(tmp_path, yaml.safe_dump(configuration)) as prometheus:
            prometheus.wait_firing("PspCertificateExpires")
            assert prometheus.value("psp_ready") == 1 and prometheus.value('up{job="psp"}') == 1
            assert prometheus.firing() == {"PspCertificateExpires"}
            (server.data / "psp.db").rename(server.data / "elsewhere.db")
            prometheus.wait_firing("PspStoreFailed")
            eventually(lambda: prometheus.value("psp_ready") == 0, lambda: prometheus.ask("alerts"))


def test_the_level_of_the_log_is_changed_while_the_server_runs(own_server):
    def pspctl(*arguments):
        result = run(binary("pspctl"), *arguments, PSP_DATA=str(own_server.data))
        return result.returncode, result.stdout, result.stderr

    caller = World(own_server).app()
    assert pspctl("log-level") == (0, "info\n", "")
    assert pspctl("log-level", "debug") == (0, "debug\n", "")
    for number in range(3):
        exchange(own_server.http, "POST", "/psp/push/msg", b"{", [*caller.headers(), ("X-Request-Id", f"call-{number}")])
    # Each refusal is told at this level, by its id.
    eventually(lambda: all(f'"request_id":"call-{number}"' in own_server.tail() for number in range(3)), own_server.tail)
    assert pspctl("log-level", "loud")[0] == 1
    assert pspctl("log-level", "critical")[0] == 0
    assert Metrics(own_server)("psp_log_lines_total", level="info") >= 4


def test_doctor_and_top_look_over_a_server(server):
    def pspctl(*arguments):
        return run(binary("pspctl"), *arguments, PSP_DATA=str(server.data))

    result = pspctl("doctor")
    lines = result.stdout.splitlines()
    assert lines[0] == "ok    state: ready" and all(re.match(r"(ok  |LOOK|FIX )  \S.*: \S", line) for line in lines), result
    # What is to be fixed here, is this machine's; the exit code says whether there is anything.
    assert result.returncode == int(any(line.startswith("FIX") for line in lines)), result
    of_store = {"lease"} if USES_POSTGRES else {"disk", "psp.db-wal"}
    assert {"descriptors", "clock", "NTP"} | of_store <= {line[6:].split(":")[0] for line in lines}
    result = pspctl("top", "--count", "2")
    head, *rows = result.stdout.splitlines()
    assert result.returncode == 0 and head.split()[:2] == ["STATE", "PUSHES"], result
    assert len(rows) == 2 and all(len(row.split()) == 13 and row.split()[0] == "ready" for row in rows), result
