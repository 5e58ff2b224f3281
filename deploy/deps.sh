#!/usr/bin/env bash
# Installs the Debian packages that are missing: what the build links, and what the tests and the demonstration run.
# Nothing missing: nothing done, and no root needed.
set -euo pipefail

build=(g++ pkg-config libevent-dev libsqlite3-dev libroaring-dev libsimdjson-dev libssl-dev libyaml-dev)
try=(curl mosquitto-clients procps python3 python3-venv)

command -v swift >/dev/null || { echo "deps: the Swift toolchain (6.2 or later) is not on the PATH: https://swift.org/install" >&2; exit 1; }
command -v dpkg-query >/dev/null || {
    echo "deps: not Debian; install the equivalents of: ${build[*]} ${try[*]} default-jdk-headless" >&2
    exit 1
}

missing=()
for package in "${build[@]}" "${try[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
# Any JDK will do for the Java sample.
command -v javac >/dev/null || missing+=(default-jdk-headless)
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "deps: run as root, or install sudo, or install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
