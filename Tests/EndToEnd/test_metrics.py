"""`/metrics`: what Prometheus reads is well-formed, documented, and true."""

import re

import pytest

from kit.certificates import Authority
from kit.prometheus import Metrics, families, get, promtool, scrape
from kit.rest import notification
from kit.server import ROOT, Server
from kit.waiting import eventually
from kit.world import World


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


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_every_metric_is_documented_and_no_other(secure, language):
    documented = re.findall(r"^\| `((?:psp|process)_\w+)` \|", (ROOT / f"docs/operations{language}.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(families(scrape(secure)))


def test_it_needs_no_token_and_is_not_on_the_callers_listener(server):
    assert get(server.admin, "/metrics?x=1")[0] == 400
    assert get(server.http, "/metrics")[0] == 400


def test_a_push_its_delivery_and_its_acknowledgement_are_counted(own_server, device):
    world = World(own_server)
    caller, home = world.app(), world.org("home")
    phone = world.device("phone", home)
    before = Metrics(own_server)
    with device(own_server, phone) as connected:
        task = caller.push(notification(device_tokens=phone.token)).ok()["task_id"]
        connected.wait_for(task)
        caller.push(notification(device_tokens="nobody"))
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
        assert now("psp_http_responses_total", listener="operators", code=200) > before("psp_http_responses_total", listener="operators", code=200)
        assert now("psp_store_commit_duration_seconds_count") > before("psp_store_commit_duration_seconds_count")
        assert now("psp_store_batch_calls_sum") > before("psp_store_batch_calls_sum")
        assert now("psp_store_append_wait_seconds_sum") > before("psp_store_append_wait_seconds_sum")
        assert now("psp_ready") == now("psp_store_health", state="serving") == 1
        assert now("process_open_fds") > 10 and now("process_resident_memory_bytes") > 1 << 20
        assert now("process_start_time_seconds") == pytest.approx(before("process_start_time_seconds"), abs=0.05)
    eventually(lambda: Metrics(own_server)("psp_sessions") == 0, lambda: scrape(own_server))


def test_a_refused_connect_is_counted_by_its_reason(own_server):
    world = World(own_server)
    phone = world.device("phone", world.org("home"))
    from kit.mosquitto import Subscriber

    for token, secret, reason in [(phone.token, "wrong", "wrong_secret"), ("nobody", "wrong", "unknown_device")]:
        refused = Subscriber(own_server, token, secret, "5.0")
        refused.begin_connecting()
        eventually(
            lambda: Metrics(own_server)("psp_connects_total", result=reason) >= 1, lambda: scrape(own_server))
        refused.vanish()
