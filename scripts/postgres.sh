#!/bin/sh
# A throw-away PostgreSQL for tests, on a Unix socket in a folder of its own; nothing of it is durable.
#   postgres.sh install     makes sure that its programs are there (Debian, as root)
#   postgres.sh start DIR   starts a cluster in DIR (new, empty) and prints its URL
#   postgres.sh stop DIR    stops it; DIR can be deleted then
set -eu

programs() {
    for found in "${PG_BIN:-}" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin; do
        [ -n "$found" ] && [ -x "$found/initdb" ] && last="$found"
    done
    if [ -z "${last:-}" ] && command -v initdb >/dev/null; then
        last=$(dirname "$(command -v initdb)")
    fi
    if [ -z "${last:-}" ]; then
        echo "no PostgreSQL here: install the package postgresql, or name the folder of initdb with PG_BIN" >&2
        exit 3
    fi
    echo "$last"
}

# initdb refuses to run as root: whoever the package made, or nobody.
as_user() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif id postgres >/dev/null 2>&1; then
        runuser -u postgres -- "$@"
    else
        runuser -u nobody -- "$@"
    fi
}

case "${1:-}" in
install)
    (programs) >/dev/null 2>&1 && exit 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        # No cluster of its own: the tests start theirs.
        mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] ||
            echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
        apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null
    fi
    programs >/dev/null
    ;;
start)
    bin=$(programs)
    folder=$2
    [ "$(id -u)" = 0 ] && chown "$(as_user id -u)" "$folder"
    cd "$folder"
    as_user "$bin/initdb" -D "$folder/data" -U quivive --auth=trust --encoding=UTF8 --locale=C --no-sync >"$folder/log" 2>&1 || {
        cat "$folder/log" >&2
        exit 4
    }
    as_user "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -t 60 start \
        -o "-k $folder -c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=16MB -c max_connections=50" \
        >>"$folder/log" 2>&1 || {
        cat "$folder/log" "$folder/data/server.log" >&2
        exit 4
    }
    echo "postgresql://quivive@/postgres?host=$folder"
    ;;
stop)
    bin=$(programs)
    cd "$2"
    as_user "$bin/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1 || true
    ;;
*)
    echo "postgres.sh install | start DIR | stop DIR" >&2
    exit 2
    ;;
esac
