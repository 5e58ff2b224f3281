#!/bin/sh
# Pushes one notification to one device and prints the task. Needs curl and openssl (or md5sum, without --hmac).
#
#   ./push.sh http://127.0.0.1:8080 APPKEY SECRET DEVICE_TOKEN
#   ./push.sh --hmac http://127.0.0.1:8080 APPKEY SECRET DEVICE_TOKEN
#
# Exit status: 0 accepted, 1 refused or not reached, 2 wrong usage.
set -eu

usage() {
    cat <<'USAGE'
Usage: push.sh [--hmac] URL APPKEY SECRET DEVICE_TOKEN

Pushes one notification to one device, waits up to five seconds for its delivery and prints the task.

  URL           the push server, for example http://127.0.0.1:8080
  APPKEY        the project that calls
  SECRET        the project's master secret
  DEVICE_TOKEN  the device that is to receive it
  --hmac        sign whole requests, body and all, instead of sending a validation token
USAGE
}

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
hmac=
[ "${1:-}" = --hmac ] && { hmac=yes; shift; }
[ $# -eq 4 ] || { usage >&2; exit 2; }
url=${1%/} appkey=$2 secret=$3 device=$4

lower() { LC_ALL=C tr 'A-Z' 'a-z'; }

md5() {
    if command -v openssl >/dev/null; then openssl md5 -r; else md5sum; fi | cut -d ' ' -f 1
}

# The value of the authorization header that signs a whole request: METHOD PATH TIMESTAMP BODY.
signature() {
    nonce=$(openssl rand -hex 16)
    digest=$(printf %s "$4" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
    # The secret as it is, not lowered (and for a moment in the list of processes: use this on a machine of your own).
    # The nonce is another for each attempt: the server takes each once.
    code=$(printf 'PSP-HMAC-SHA256\n%s\n%s\n%s\n%s\n%s\n%s' "$appkey" "$1" "$2" "$3" "$nonce" "$digest" |
        openssl dgst -sha256 -hmac "$secret" -r | cut -d ' ' -f 1)
    printf 'PSP-HMAC-SHA256 nonce=%s, content-sha256=%s, signature=%s' "$nonce" "$digest" "$code"
}

# call PATH [BODY]: one signed request, a POST where there is a body; prints the reply, fails where it is not 2xx.
call() {
    path=$1 body=${2:-}
    timestamp=$(date +%s)
    # Lower case for appkey and secret, then the timestamp exactly as the header has it.
    token=$(printf '%s%s%s' "$(printf %s "$appkey" | lower)" "$(printf %s "$secret" | lower)" "$timestamp" | md5)
    if [ -n "$hmac" ]; then
        proof="authorization: $(signature "$([ -n "$body" ] && echo POST || echo GET)" "$path" "$timestamp" "$body")"
    else
        proof="validation-token: $token"
    fi
    set -- --header "appkey: $appkey" --header "timestamp: $timestamp" --header "$proof"
    # Lets curl read the body from standard input, so that nothing in it needs quoting for the shell.
    [ -z "$body" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary @-
    reply=$(printf %s "$body" | curl --silent --show-error --max-time 10 --write-out '\n%{http_code}' "$@" "$url$path") ||
        { echo "cannot reach $url" >&2; exit 1; }
    status=$(printf '%s\n' "$reply" | tail -n 1)
    reply=$(printf '%s\n' "$reply" | sed '$d')
    case $status in
        2??) printf '%s\n' "$reply" ;;
        *) echo "refused: HTTP $status $reply" >&2; exit 1 ;;
    esac
}

# out_biz_no is the caller's own id: sending the same request again, after a time-out, makes no second task.
body=$(cat <<BODY
{
  "type": "unicast",
  "device_tokens": "$device",
  "payload": {
    "display_type": "notification",
    "body": {"title": "Hello from the shell", "custom": {"from": "push.sh"}}
  },
  "policy": {"out_biz_no": "push.sh-$(date +%s)-$$"}
}
BODY
)
reply=$(call /psp/push/msg "$body")
task=$(printf %s "$reply" | sed -n 's/.*"task_id" *: *"\([^"]*\)".*/\1/p')
[ -n "$task" ] || { echo "not the reply of a push server: $reply" >&2; exit 1; }

# A device that is offline gets it when it connects.
tries=25
while :; do
    reply=$(call "/psp/push/task/$task")
    tries=$((tries - 1))
    case $reply in *'"pending":0,'* | *'"pending":0}'*) break ;; esac
    [ "$tries" -gt 0 ] || break
    sleep 0.2
done
printf '%s\n' "$reply"
