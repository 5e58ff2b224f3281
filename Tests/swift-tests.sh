#!/usr/bin/env bash
# Runs the Swift tests, which are built: Tests/swift-tests.sh FILTER SKIP FLAG... (FILTER and SKIP may be empty, FLAGs as the build had them)
#
# All of them go in two processes at once, since most of a test's time is waiting: those with servers of PostgreSQL, which take as long as
# the rest, and the rest. Within a process one comes after the other, and there are no more processes: tests that wait for sockets and
# clocks must not starve each other on a small machine.
set -euo pipefail
cd "$(dirname "$0")/.."

FILTER=$1 SKIP=$2
shift 2
FLAGS=(--ignore-lock --skip-build --disable-xctest --no-parallel "$@")
[[ -z $SKIP ]] || FLAGS+=(--skip "$SKIP")
SERVERS='PostgresStoreTests|StoreContractTests\.(CopyTests|CopyFaultTests|CheckTests)'
LOG=.build/swift-test.log SERVERS_LOG=.build/swift-test-servers.log

mkdir -p .build
rm -f $LOG $SERVERS_LOG
status=0
if [[ -n $FILTER ]]; then
    swift test "${FLAGS[@]}" --filter "$FILTER" 2>&1 | tee $LOG || status=1
else
    # A process group of its own, which ends with this script. Of an interrupt `swift test` tells the tests, which have another one.
    set -m
    swift test "${FLAGS[@]}" --filter "$SERVERS" >$SERVERS_LOG 2>&1 &
    servers=$!
    set +m
    trap 'kill -INT -- -$servers 2>/dev/null && wait $servers || true' EXIT
    swift test "${FLAGS[@]}" --skip "$SERVERS" 2>&1 | tee $LOG || status=1
    echo "Those with servers of PostgreSQL (as they go: $SERVERS_LOG):"
    wait $servers || status=1
    tail -n 1 $SERVERS_LOG
fi
((status == 0)) || {
    echo
    echo "What failed (the whole of it is in $LOG and $SERVERS_LOG):"
    grep -ahs '✘' $LOG $SERVERS_LOG || true
} >&2
exit $status
