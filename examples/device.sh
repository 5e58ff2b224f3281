#!/bin/sh
# A device in one line: receives what is pushed to it and prints topic and message until it is stopped.
# Needs mosquitto-clients. The user name is the device token; the topics it names are those it gets anyway.
#
#   ./device.sh DEVICE_TOKEN DEVICE_SECRET [HOST [PORT]]
case "${1:-}" in -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
[ $# -ge 2 ] && [ $# -le 4 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
exec mosquitto_sub -V 5 -h "${3:-127.0.0.1}" -p "${4:-1883}" -u "$1" -P "$2" -q 1 -t 'psp/push/#' -F '%t %p'
