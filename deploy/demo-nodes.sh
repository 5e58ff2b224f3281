#!/usr/bin/env bash
# Shows nodes that share a store at work on this machine, all on free ports and in a temporary directory: a PostgreSQL with a synchronous
# standby, the nodes, HAProxy in front. Pushes to devices on all of them, kills a node, then the database's primary, and shows that nothing
# was lost. Leaves nothing behind.
#
#   deploy/demo-nodes.sh 3       so many nodes: 2 to 9
set -euo pipefail
cd "$(dirname "$0")/.."

count=${1:-3}
. deploy/demo-steps.sh
[[ $count =~ ^[2-9]$ ]] || fail "NODES is a number from 2 to 9"

# What an operator's shell has set is for another server.
unset "${!PSP_@}" "${!PG@}"
export LC_ALL=C.UTF-8

deploy/deps.sh demo-nodes
bold "Building (the first time takes some minutes)"
make --no-print-directory build
bin=$PWD/.build/release

# PostgreSQL refuses to run as root; and its user may not see root's directories.
postgres_bin=$(dirname "$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)")
[ -x "$postgres_bin/initdb" ] || fail "no PostgreSQL in /usr/lib/postgresql"
scratch=$(mktemp -d /tmp/psp-demo-XXXXXX)
as_postgres=()
if [ "$(id -u)" -eq 0 ]; then
    as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
    chmod 711 "$scratch"
    install -d -m 700 -o postgres -g postgres "$scratch/postgres"
else
    mkdir -m 700 "$scratch/postgres"
fi
postgres() { (cd / && "${as_postgres[@]}" "$postgres_bin/$@"); }

nodes=() devices=() balancer='' primary='' standby='' pusher=''
# The program that listens to a device is a child of the loop that starts it again.
clean_up() {
    local pid
    # Whatever ends now was meant to.
    exec 2>/dev/null
    for pid in $pusher "${devices[@]}"; do
        pkill -P "$pid" || true
        kill "$pid" || true
    done
    for pid in "${nodes[@]}" $balancer; do kill -KILL "$pid" || true; done
    for pid in $primary $standby; do kill -QUIT "$pid" || true; done
    for pid in $pusher "${devices[@]}" "${nodes[@]}" $balancer $primary $standby; do wait "$pid" || true; done
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# One that nobody listens to; who is asked twice may get the same, so each is kept.
taken=' '
free_port() {
    while :; do
        port=$((20000 + RANDOM % 12000))
        [[ $taken != *" $port "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    done
    taken+="$port "
}

bold "PostgreSQL: a primary, and a standby without which no commit is answered"
free_port; primary_port=$port
free_port; standby_port=$port
postgres initdb --pgdata="$scratch/postgres/a" --auth=trust --username=postgres --no-locale --encoding=UTF8 --no-instructions >"$scratch/initdb.log"
# configure DIRECTORY PORT: what a server needs here.
configure() {
    "${as_postgres[@]}" tee -a "$scratch/postgres/$1/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = '$scratch/postgres'
shared_buffers = '64MB'
CONF
}
configure a "$primary_port"
start_postgres() { (cd / && exec "${as_postgres[@]}" "$postgres_bin/postgres" -D "$scratch/postgres/$1") >"$scratch/postgres-$1.log" 2>&1 & }
is_up() { postgres pg_isready -q -h 127.0.0.1 -p "$1"; }
sql() { postgres psql -X -q -A -t -h 127.0.0.1 -p "$1" -U postgres -c "$2"; }
start_postgres a; primary=$!
wait_for 30 "primary" is_up "$primary_port"
postgres pg_basebackup --pgdata="$scratch/postgres/b" --write-recovery-conf --checkpoint=fast \
    --dbname="host=127.0.0.1 port=$primary_port user=postgres application_name=standby"
configure b "$standby_port"
start_postgres b; standby=$!
wait_for 30 "standby" is_up "$standby_port"
sql "$primary_port" "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby)'"
sql "$primary_port" "SELECT pg_reload_conf()" >/dev/null
is_synchronous() { [ "$(sql "$primary_port" "SELECT sync_state FROM pg_stat_replication")" = quorum ]; }
wait_for 30 "synchronous standby" is_synchronous
store=postgres://postgres@127.0.0.1:$primary_port,127.0.0.1:$standby_port/postgres
echo "$store"

bold "The tables (pspctl store migrate)"
"$bin/pspctl" store migrate "$store"

bold "$count nodes that share it, on free ports"
(umask 077 && head -c 24 /dev/urandom | base64 >"$scratch/admin.token")
for ((number = 1; number <= count; number++)); do
    "$bin/pspd" --store "$store" --node "node$number" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --admin 127.0.0.1:0 --loops 1 \
        --admin-token-file "$scratch/admin.token" --proxy-protocol-from 127.0.0.1 --forwarded-from 127.0.0.1 \
        >"$scratch/ready$number" 2>"$scratch/node$number.log" &
    nodes+=($!)
done
for ((number = 1; number <= count; number++)); do
    wait_for 30 "ready line" grep -q '^ready ' "$scratch/ready$number"
    echo "node$number: $(cat "$scratch/ready$number")"
done
# door NUMBER NAME: where a node listens.
door() { sed -n "s/.* $2=\([^ ]*\).*/\1/p" "$scratch/ready$1"; }
# By the last node, which is not killed.
pspctl() { "$bin/pspctl" "$@" --admin "$(door "$count" admin)" --admin-token-file "$scratch/admin.token"; }
all_live() { [ "$(pspctl nodes --json 2>/dev/null | grep -o '"state":"serving"' | wc -l)" -eq "$count" ]; }
wait_for 30 "nodes" all_live
pspctl nodes

bold "HAProxy in front: any node takes any request and any device (deploy/haproxy/shared-store.cfg)"
free_port; http_port=$port
free_port; mqtt_port=$port
# What is meant for the field, on these ports, without TLS and asking more often; each node's lines are those of its first one.
while IFS= read -r line; do
    case $line in
    '    server node1 '*)
        for ((number = 1; number <= count; number++)); do
            http=$(door "$number" http) mqtt=$(door "$number" mqtt)
            own=${line/node1/node$number} own=${own/192.0.2.11:8080/$http} own=${own/192.0.2.11:1883/$mqtt}
            echo "${own/port 8080/port ${http##*:}}"
        done
        ;;
    '    server '*) ;;
    *) echo "$line" ;;
    esac
done < <(sed -e "s/bind :443 .*/bind 127.0.0.1:$http_port/" -e "s/bind :8883 .*/bind 127.0.0.1:$mqtt_port/" -e 's/inter 2s/inter 200ms/' \
    -e 's/timeout \(connect\|check\) 5s/timeout \1 1s/' deploy/haproxy/shared-store.cfg) >"$scratch/haproxy.cfg"
"$(command -v haproxy || echo /usr/sbin/haproxy)" -db -f "$scratch/haproxy.cfg" >"$scratch/haproxy.log" 2>&1 &
balancer=$!
callers_are_served() { (exec 3<>"/dev/tcp/127.0.0.1/$http_port" && printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3 && grep -q ' 200 ' <&3) 2>/dev/null; }
wait_for 30 "balancer" callers_are_served
echo "callers: http://127.0.0.1:$http_port, devices: mqtt://127.0.0.1:$mqtt_port"

bold "An organisation, an app, a device for each node; each comes through HAProxy, again and again"
pspctl org add police --name Police
pspctl app add dispatch --name Dispatch --interface msg --master-secret demo-master-secret >/dev/null
for ((number = 1; number <= count; number++)); do
    phone=phone-$number
    pspctl device add "$phone" --platform android --org police --secret "demo-secret-of-$phone" >/dev/null
    : >"$scratch/$phone"
    (while :; do
        mosquitto_sub -V mqttv5 -h 127.0.0.1 -p "$mqtt_port" -u "$phone" -P "demo-secret-of-$phone" -q 1 -t 'psp/push/#' -F '%p' \
            >>"$scratch/$phone" || true
        sleep 0.3
    done) 2>/dev/null &
    devices+=($!)
done
# Of the nodes that live; each tells by its last renewal.
sessions() { pspctl nodes --json 2>/dev/null | tr '{' '\n' | sed -n '/"lapsed"/!s/.*"sessions":\([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'; }
all_connected() { [ "$(sessions)" -eq "$count" ]; }
has_lapsed() { pspctl nodes --json 2>/dev/null | grep -q '"state":"lapsed"'; }
wait_for 30 "devices" all_connected
pspctl nodes

bold "A caller pushes to the organisation all the time; what is not answered with SUCCESS it pushes again, with the same out_biz_no"
export PSP_APP=dispatch PSP_SECRET=demo-master-secret
(
    number=0
    while [ ! -e "$scratch/enough" ]; do
        number=$((number + 1))
        until task=$("$bin/pspctl" push org police --title "Call $number" --out-biz-no "call-$number" --http "127.0.0.1:$http_port" \
            2>>"$scratch/refusals"); do
            [ -s "$scratch/first-refusal" ] || date +%s.%N >"$scratch/first-refusal"
            sleep 0.1
        done
        echo "${task#task }" >>"$scratch/tasks"
        sleep 0.05
    done
) &
pusher=$!
: >"$scratch/tasks"
accepted() { wc -l <"$scratch/tasks"; }
more_than() { [ "$(accepted)" -ge "$1" ]; }
goes_on() { wait_for 60 "pushes" more_than $(($(accepted) + $1)); }
goes_on 20
echo "$(accepted) pushes were answered with SUCCESS; phone-1 has $(wc -l <"$scratch/phone-1") of them"

bold "kill -9 of node1, with its devices on it"
{ kill -KILL "${nodes[0]}" && wait "${nodes[0]}"; } 2>/dev/null || true
goes_on 10
# Until its lease is over the others cannot know that it is gone for good.
wait_for 30 "end of the lease of node1" has_lapsed
wait_for 30 "devices" all_connected
pspctl nodes
echo "$(accepted) pushes were answered with SUCCESS so far; the devices of node1 are at other nodes"

bold "kill -9 of the database's primary; its standby is promoted (by Patroni, where it is not a demonstration)"
: >"$scratch/first-refusal"
{ kill -KILL "$(head -n 1 "$scratch/postgres/a/postmaster.pid")" && wait "$primary"; } 2>/dev/null || true
primary=
sleep 1
postgres pg_ctl promote --pgdata="$scratch/postgres/b" >/dev/null
# Nobody else is there to wait for.
goes_on 10
wait_for 30 "devices" all_connected
echo "$(accepted) pushes were answered with SUCCESS so far; meanwhile the caller was told:"
sort "$scratch/refusals" | uniq -c | sort -rn | head -n 3
pspctl nodes

bold "Everything that was answered with SUCCESS, and what has come"
touch "$scratch/enough"
wait "$pusher"
pusher=
sort -u "$scratch/tasks" >"$scratch/accepted"
[ "$(accepted)" -eq "$(wc -l <"$scratch/accepted")" ] || fail "one push has made two tasks"
# missing NUMBER: how many have not come to that device.
received() { grep -o '"task_id":"[^"]*"' "$scratch/phone-$1" | cut -d '"' -f 4; }
missing() { received "$1" | sort -u | comm -23 "$scratch/accepted" - | wc -l; }
has_all() { [ "$(missing "$1")" -eq 0 ]; }
for ((number = 1; number <= count; number++)); do
    wait_for 30 "delivery to phone-$number" has_all "$number"
    again=$(($(received "$number" | wc -l) - $(received "$number" | sort -u | wc -l)))
    echo "phone-$number: $(wc -l <"$scratch/accepted") accepted, 0 missing, $again came once more"
done
last=$(tail -n 1 "$scratch/tasks")
is_counted() { pspctl task "$last" --json 2>/dev/null | grep -q "\"delivered\": *$count[,}]"; }
wait_for 30 "count" is_counted
pspctl task "$last"

bold "A clean end"
for ((number = 2; number <= count; number++)); do
    kill -TERM "${nodes[number - 1]}"
    code=0
    wait "${nodes[number - 1]}" || code=$?
    [ "$code" -eq 0 ] || { tail -n 5 "$scratch/node$number.log" >&2; fail "node$number ended with $code"; }
done
nodes=()
echo "the nodes ended with 0; everything is cleaned up"
