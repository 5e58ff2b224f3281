# What the demos share; they source it. `$scratch` is their temporary directory.

bold() { [ -t 1 ] && printf '\n\033[1m%s\033[0m\n' "$*" || printf '\n%s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# wait_for SECONDS WHAT COMMAND...: until COMMAND succeeds.
wait_for() {
    local limit=$1 what=$2
    shift 2
    for ((i = 0; i < limit * 10; i++)); do
        if "$@"; then return; fi
        sleep 0.1
    done
    tail -n 5 "$scratch"/*.log >&2
    fail "no $what within $limit seconds"
}
