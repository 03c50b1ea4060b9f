# The write-ahead log as it is written, and one base backup under it: together they are the server as it was at its last moment.
#   archive.sh receive | base HOST | recover | serve
A=/srv/archive B=/usr/lib/postgresql/15/bin
case $1 in
receive) # the service; begins where it left off
    [ -d $A/wal ] || exec sleep 0.5
    exec $B/pg_receivewal -n -D $A/wal -h pg1 -U postgres
    ;;
base)
    rm -rf $A/wal $A/found $A/base && mkdir $A/wal && { pkill -x pg_receivewal; pkill -QUIT -x postgres; }
    until ls $A/wal/*.partial >/dev/null 2>&1; do sleep 0.2; done
    $B/pg_basebackup -N -h "$2" -U postgres -D $A/base -X none -c fast
    ;;
recover) # what has come of the last segment counts, too
    cp -a $A/wal $A/found && for f in $A/found/*.partial; do mv $f ${f%.partial}; done
    echo "restore_command = 'cp $A/found/%f %p'" >>$A/base/postgresql.auto.conf && touch $A/base/recovery.signal
    until psql -h /tmp -p 5433 -U postgres -Atc "select pg_is_in_recovery()" 2>/dev/null | grep -qx f; do sleep 0.2; done
    ;;
serve) # the service that replays, on a port of its own
    until [ -e $A/base/recovery.signal ]; do sleep 0.2; done
    exec $B/postgres -D $A/base -k /tmp -p 5433
    ;;
esac
