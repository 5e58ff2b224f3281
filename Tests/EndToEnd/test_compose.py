"""deploy/compose: as far as it can be tried without a daemon and without a registry of images."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from conftest import run
from kit.certificates import Authority
from kit.prometheus import promtool
from kit.proxies import program
from kit.server import ROOT, binary

DIRECTORY = ROOT / "deploy/compose"
# Each with the sample of deploy/haproxy by which its HAProxy goes.
FILES = {"compose.yaml": "tls-at-balancer.cfg", "cluster.yaml": "shared-store.cfg"}


@pytest.fixture(scope="module", params=FILES)
def file(request):
    return request.param


@pytest.fixture(scope="module")
def compose(file):
    return yaml.safe_load((DIRECTORY / file).read_text())


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


@pytest.fixture(scope="module")
def nodes(services):
    return [name for name in services if name.startswith("pspd")]


@pytest.fixture(scope="module")
def watched():
    """The services of the file that has Prometheus and Grafana in it."""
    return yaml.safe_load((DIRECTORY / "compose.yaml").read_text())["services"]


def mounted(service):
    """The file of the project that stands at each path in the container; names of volumes are none."""
    places = [volume.split(":")[:2] for volume in service["volumes"]]
    return {place: (DIRECTORY / source).resolve() for source, place in places if source.startswith(".")}


def of_all(services, member):
    return [value for service in services.values() for value in service.get(member, [])]


def test_it_is_as_the_specification_wants_it(file):
    checker = pathlib.Path(sys.executable).parent / "check-jsonschema"
    result = run(str(checker), "--builtin-schema", "vendor.compose-spec", str(DIRECTORY / file))
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_is_mounted_is_there(services, compose):
    files = {file for service in services.values() if "volumes" in service for file in mounted(service).values()}
    # The certificate is the operator's; the head of the file says how to make one.
    assert files - {DIRECTORY / "push.pem"} == {file for file in files if file.is_file()}
    named = {volume.split(":")[0] for volume in of_all(services, "volumes") if not volume.startswith(".")}
    assert named == set(compose["volumes"])
    assert set(of_all(services, "secrets")) == set(compose.get("secrets", []))
    build, = [service["build"] for service in services.values() if "build" in service]
    assert (DIRECTORY / build["context"] / build["dockerfile"]).samefile(ROOT / "deploy/docker/Dockerfile")


def test_the_nodes_settings_can_be_used(services, nodes, tmp_path):
    for secret in ("store_password", "admin_token"):
        (tmp_path / secret).write_text("not so secret here\n".replace(" ", "-"))
    for node in nodes:
        settings = {
            name: str(value).replace("/run/secrets", str(tmp_path)) for name, value in services[node]["environment"].items() if value is not None}
        own = [] if "PSP_STORE" in settings else ["--data", str(tmp_path / "data")]
        result = run(binary("pspd"), "--check=no-ports", *own, **settings)
        assert result.returncode == 0, result.stderr


def test_the_grace_period_is_longer_than_an_end(services, nodes):
    for node in nodes:
        settings = services[node]["environment"]
        # As many devices as HAProxy reaches from one address (docs/operations.md), and 10 s each for callers and the store.
        end = int(settings["PSP_DRAIN_DELAY"]) + 64_000 / int(settings["PSP_DRAIN_RATE"]) + 20
        assert int(services[node]["stop_grace_period"].removesuffix("s")) >= end


def test_haproxy_takes_its_configuration_and_reaches_the_nodes(services, nodes, tmp_path):
    own = Authority(tmp_path).issue("push")
    (tmp_path / "push.pem").write_bytes(own.certificate.read_bytes() + own.key.read_bytes())
    text = mounted(services["haproxy"])["/usr/local/etc/haproxy/haproxy.cfg"].read_text()
    file = tmp_path / "haproxy.cfg"
    file.write_text(text.replace("/etc/haproxy/push.pem", str(tmp_path / "push.pem")))
    result = subprocess.run([program("haproxy"), "-c", "-f", str(file)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    addresses = {services[node]["networks"]["push"]["ipv4_address"] for node in nodes}
    assert set(re.findall(r"^    server \S+ ([0-9.]+):", text, re.MULTILINE)) == addresses
    assert {services[node]["environment"][name] for node in nodes for name in ("PSP_PROXY_PROTOCOL_FROM", "PSP_FORWARDED_FROM")} == {
        services["haproxy"]["networks"]["push"]["ipv4_address"]}
    inside = {port.rsplit(":", 1)[1] for port in services["haproxy"]["ports"]}
    assert set(re.findall(r"^    bind :(\d+)", text, re.MULTILINE)) == inside


def test_haproxy_does_as_the_sample_for_one_machine(services, file):
    """It is a copy with other addresses: what is decided there holds here."""

    def decisions(path):
        lines = [line.strip() for line in path.read_text().splitlines()]
        lines = [re.sub(r"-by-\d+| source \S+|^balance leastconn$", "", line) for line in lines if line and not line.startswith("#")]
        lines = [re.sub(r"\b\d+\.\d+\.\d+\.1(\d)\b", r"node\1", line) for line in lines]
        # There are as many nodes as there are.
        return {re.sub(r"bind :(443|8443) ", "bind ", line) for line in lines if line and not line.startswith("server node3")}

    own = mounted(services["haproxy"])["/usr/local/etc/haproxy/haproxy.cfg"]
    assert decisions(own) == decisions(ROOT / "deploy/haproxy" / FILES[file])


def test_prometheus_takes_its_configuration_and_asks_the_nodes(watched, tmp_path):
    for place, file in mounted(watched["prometheus"]).items():
        (tmp_path / os.path.basename(place)).write_bytes(file.read_bytes())
    result = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert result.returncode == 0, result.stdout + result.stderr
    configuration = yaml.safe_load((tmp_path / "prometheus.yml").read_text())
    targets = configuration["scrape_configs"][0]["static_configs"][0]["targets"]
    assert targets == [f"{node}:{watched[node]['environment']['PSP_ADMIN'].split(':')[1]}" for node in ("pspd1", "pspd2")]
    # The alerts go by the name of the job.
    assert configuration["scrape_configs"][0]["job_name"] == "psp"


def test_grafana_finds_prometheus_and_the_dashboard(watched):
    files = mounted(watched["grafana"])
    source = yaml.safe_load(files["/etc/grafana/provisioning/datasources/psp.yml"].read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090" and source["type"] == "prometheus"
    provider = yaml.safe_load(files["/etc/grafana/provisioning/dashboards/psp.yml"].read_text())["providers"][0]
    assert f"{provider['options']['path']}/psp.json" in files
