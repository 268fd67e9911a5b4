# Keeps one server for its owner. Runs in the server's private directory.
#
# $1 is the signal that ends the server, the rest is the server's command. Each line on stdin starts the server and is
# answered with its process id. The end of stdin means that the owner has let go or is dead, however it died: then the
# server ends and the directory goes. This is the only place that removes it.
signal=$1
shift
directory=$PWD
server=

# The system sends it to a process group whose parent dies while a member is paused. Both servers set their own answer.
trap '' HUP

while read -r _; do
    # The server before this one has ended; waiting for it reaps it.
    [ -z "$server" ] || wait "$server"
    "$@" </dev/null >>log 2>&1 &
    server=$!
    echo "$server"
done

# A helper such as initdb may still run in this process group.
trap '' TERM
kill -s TERM 0
if [ -n "$server" ]; then
    kill -s "$signal" "$server"
    # A paused server takes its signal only once it goes on.
    kill -s CONT "$server"
    wait "$server"
fi

# A postmaster that was killed leaves its pid file, whose seventh line names a shared memory segment of the system.
if [ -f data/postmaster.pid ]; then
    segment=$(sed -n 's/^ *[0-9][0-9]*  *\([0-9][0-9]*\) *$/\1/p' data/postmaster.pid)
    [ -z "$segment" ] || ipcrm -m "$segment"
fi

# Processes that are just ending may still write into the directory: try again until it is gone.
cd /
for _ in 1 2 3 4 5; do
    rm -rf "$directory" && break
    sleep 1
done
