#!/usr/bin/env bash
# Installs the Debian packages that are missing. Nothing missing: nothing done, and no root needed.
#
#   deploy/deps.sh build    what the build links
#   deploy/deps.sh demo     that, and what the demonstration runs
#   deploy/deps.sh demo-nodes    the same for the one of several nodes
#   deploy/deps.sh patroni  what `make chaos PATRONI=1` runs
#   deploy/deps.sh          everything, for the tests too
set -euo pipefail

packages=(g++ pkg-config libevent-dev libpq-dev libsqlite3-dev libroaring-dev libsimdjson-dev libssl-dev libyaml-dev)
jdk=()
case "${1:-all}" in
    build) ;;
    demo) packages+=(mosquitto-clients) ;;
    demo-nodes) packages+=(haproxy mosquitto-clients postgresql procps) ;;
    patroni)
        packages=(etcd-server haproxy iproute2 nftables openssl patroni postgresql procps python3-etcd python3-psycopg2 python3-venv util-linux)
        ;;
    all)
        packages+=(binutils buildah chrpath curl debhelper haproxy iproute2 libnginx-mod-stream lintian logrotate mmdebstrap
            mosquitto-clients nftables nginx openssl postgresql procps prometheus python3 python3-venv slowhttptest systemd)
        # Any JDK will do for the Java sample.
        command -v javac >/dev/null || jdk=(default-jdk-headless)
        ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

command -v swift >/dev/null || {
    echo "deps: the Swift toolchain (6.2 or later) is not on the PATH: https://swift.org/install" >&2
    exit 1
}
command -v dpkg-query >/dev/null || {
    echo "deps: not Debian; install the equivalents of: ${packages[*]} ${jdk[*]}" >&2
    exit 1
}

missing=("${jdk[@]}")
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "deps: run as root, or install sudo, or install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
# A package that brings a service starts it when it is installed, and would take ports: the tests start what they need of these themselves. The
# way of Debian to say no is a program that its maintainer scripts ask (invoke-rc.d(8)), put there for as long as this takes.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi
# A line a package: it is seen to go on, and no more.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" |
    sed -n '/^Setting up/p'
# Nor at the next boot.
for service in etcd haproxy nginx patroni postgresql prometheus; do
    [[ " ${missing[*]} " =~ " $service"(-server)?" " ]] && [ -d /run/systemd/system ] || continue
    "${as_root[@]}" systemctl disable --quiet "$service"
done
