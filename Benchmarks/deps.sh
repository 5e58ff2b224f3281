#!/usr/bin/env bash
# Installs the peers and tools of `make bench` that are missing. Debian starts services on installation: they are left stopped, so that no port is taken.
set -euo pipefail

packages=(wrk mosquitto nats-server nginx libnginx-mod-nchan valgrind)

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "bench-deps: all installed"
    exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "bench-deps: run as root, or install sudo, or install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "bench-deps: installing ${missing[*]}"
# Debian asks this file before it starts a service: none is started on its standard port. At the next boot they are the system's again.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
