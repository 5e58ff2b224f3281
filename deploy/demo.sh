#!/usr/bin/env bash
# Shows the whole service at work on this machine: sets up what is missing, builds, starts a server on free ports with its data in a
# temporary directory, registers an organisation tree with devices, pushes to them, and shows what arrived. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."

. deploy/demo-steps.sh

# What an operator's shell has set is for another server.
unset "${!PSP_@}"

deploy/deps.sh demo
bold "Building (the first time takes some minutes)"
make --no-print-directory build

scratch=$(mktemp -d)
data=$scratch/data
server=
devices=()
clean_up() {
    for pid in "${devices[@]}" $server; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

pspctl() { .build/release/pspctl "$@" --data "$data"; }

bold "A server on free ports"
.build/release/pspd --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --admin 127.0.0.1:0 --data "$data" \
    >"$scratch/ready" 2>"$scratch/pspd.log" &
server=$!
is_ready() {
    kill -0 "$server" 2>/dev/null || { cat "$scratch/pspd.log" >&2; fail "the server has ended"; }
    grep -q '^ready ' "$scratch/ready"
}
wait_for 30 "ready line" is_ready
cat "$scratch/ready"
mqtt_port=$(sed -n 's/.* mqtt=[^ ]*:\([0-9]*\) .*/\1/p' "$scratch/ready")

bold "An organisation tree, an app, three devices (pspctl import)"
cat >"$scratch/directory.ndjson" <<'NDJSON'
{"kind":"org","id":"police","name":"Police"}
{"kind":"org","id":"north","name":"North district","parent_id":"police"}
{"kind":"org","id":"south","name":"South district","parent_id":"police"}
{"kind":"app","id":"dispatch","name":"Dispatch","interfaces":["msg","config"],"master_secret":"demo-master-secret"}
{"kind":"device","id":"phone-1","platform":"android","org_id":"north","user_id":"officer-7","secret":"s1"}
{"kind":"device","id":"phone-2","platform":"ios","org_id":"north","secret":"s2"}
{"kind":"device","id":"phone-3","platform":"android","org_id":"south","secret":"s3"}
NDJSON
cat "$scratch/directory.ndjson"
pspctl import "$scratch/directory.ndjson"

# connect TOKEN SECRET PROTOCOL: a stock MQTT client as the device; what it receives goes to a file.
connect() {
    mosquitto_sub -V "$3" -h 127.0.0.1 -p "$mqtt_port" -u "$1" -P "$2" -q 1 -t 'psp/push/#' -F '%t %p' >>"$scratch/$1" 2>&1 &
    devices+=($!)
}
is_online() { pspctl device show "$1" --json | grep -q '"online": *true'; }

bold "phone-1 connects by MQTT 5.0, phone-2 by MQTT 3.1.1; phone-3 is switched off"
connect phone-1 s1 mqttv5
connect phone-2 s2 mqttv311
wait_for 10 "connection of phone-1" is_online phone-1
wait_for 10 "connection of phone-2" is_online phone-2
pspctl device list

export PSP_APP=dispatch PSP_SECRET=demo-master-secret
tasks=()
# push WHAT ARGUMENT...: pushes and remembers the task.
push() {
    local told argument
    printf '$ pspctl push'
    for argument in "$@"; do
        if [[ $argument =~ ^[A-Za-z0-9_.-]+$ ]]; then printf ' %s' "$argument"; else printf " '%s'" "$argument"; fi
    done
    echo
    told=$(pspctl push "$@")
    echo "$told"
    tasks+=("${told#task }")
}

bold "A notification to one device, one to everybody in Police, a configuration for the north district"
push unicast phone-1 --title "Call the station" --custom-json '{"case":4711}'
push org police --title "全体注意" --custom "Briefing at 8:00"
push config 'cache=2&submit=10' --org north

# settled WHICH COUNT: whether that task was delivered to so many devices.
delivered() { pspctl task "${tasks[$1]}" --json | grep -q "\"delivered\": *$2[,}]"; }
wait_for 10 "delivery to phone-1" delivered 0 1
wait_for 10 "delivery to the connected devices of Police" delivered 1 2
wait_for 10 "delivery of the configuration" delivered 2 2

bold "phone-3 is switched on, and receives what it missed"
connect phone-3 s3 mqttv5
wait_for 10 "delivery to phone-3" delivered 1 3

for phone in phone-1 phone-2 phone-3; do
    bold "$phone received"
    cat "$scratch/$phone"
done

bold "The tasks and their counts"
for task in "${tasks[@]}"; do
    pspctl task "$task"
    echo
done

bold "A clean end"
kill -TERM "$server"
code=0
wait "$server" || code=$?
server=
[ "$code" -eq 0 ] || { tail -n 5 "$scratch/pspd.log" >&2; fail "the server ended with $code"; }
echo "the server ended with 0; everything is cleaned up"
