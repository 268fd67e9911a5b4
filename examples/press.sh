#!/bin/sh
# Presses Sync Data for a school and waits for the end.
#   MIS_SYNC_URL=http://127.0.0.1:8080 MIS_SYNC_KEY=misk_… sh press.sh oakfield
set -eu
school=${1:?usage: press.sh SCHOOL}

# Every call sends the key; an answer of 400 or more ends the script with the server's reason.
call() {
    curl --silent --show-error --fail-with-body --header "Authorization: Bearer $MIS_SYNC_KEY" "$@"
}

# The first value of a key in a JSON text. `jq -r .state` is better where there is jq.
value() {
    grep -o "\"$1\":\"\{0,1\}[^,\"}]*" | head -n 1 | sed 's/^[^:]*:"\{0,1\}//'
}

# A second press while a sync is under way finds the same job, so pressing twice does no harm.
job=$(call --request POST "$MIS_SYNC_URL/v1/schools/$school/sync")
id=$(printf '%s' "$job" | value id)

state=queued
while [ "$state" = queued ] || [ "$state" = running ] || [ "$state" = retrying ]; do
    sleep 1 # what Retry-After of an unfinished job asks for
    job=$(call "$MIS_SYNC_URL/v1/jobs/$id")
    state=$(printf '%s' "$job" | value state)
done

case $state in
succeeded)
    created=$(printf '%s' "$job" | value created)
    updated=$(printf '%s' "$job" | value updated)
    echo "succeeded: $created new, $updated changed"
    ;;
held) # An unusually large change; nothing is written until someone approves it.
    echo "held: look at $MIS_SYNC_URL/dashboard and approve or reject it" >&2
    exit 1
    ;;
*)
    echo "$state: $job" >&2
    exit 1
    ;;
esac
