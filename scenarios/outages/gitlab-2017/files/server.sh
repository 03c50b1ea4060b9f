# Serves /var/lib/pg/data. The first start makes it: as a primary with all projects in it, as an empty server, or as a copy that
# follows another; "wait" leaves it to a person. That person's own words are the last three: a copy of another server, or an empty
# one, comes beside what is there, and is served from the next start on; "home" gives what is served the name "data" again, which
# a server that runs does not feel.
#   server.sh primary | scratch | follow HOST | wait | copy HOST [PORT] | empty | home
B=/usr/lib/postgresql/15/bin D=/var/lib/pg
make() {
    $B/initdb -N -k -D $1 -A trust >/dev/null || exit 1
    for n in 0.0.0.0/0 ::/0; do
        printf 'host all all %s trust\nhost replication all %s trust\n' $n $n >>$1/pg_hba.conf
    done
    # Nothing loses its power here, so no flush to this machine's disk is waited for.
    printf "%s\n" "listen_addresses = '*'" 'max_connections = 100' 'wal_keep_size = 256MB' 'fsync = off' >>$1/postgresql.conf
}
case $1 in
copy)
    rm -rf $D/new && $B/pg_basebackup -N -h $2 -p ${3:-5432} -U postgres -D $D/new -X stream -c fast && mv -T $D/new $D/restored-$$ &&
        ln -sfn restored-$$ $D/current
    exit
    ;;
empty)
    make $D/restored-$$ && ln -sfn restored-$$ $D/current
    exit
    ;;
home)
    served=$(readlink $D/current)
    [ "$served" = data ] || { rm -rf $D/data && mv -T $D/$served $D/data && ln -sfn data $D/current; }
    exit
    ;;
esac
if [ ! -h $D/current ]; then
    case $1 in
    primary)
        make $D/data
        $B/postgres --single -D $D/data postgres </opt/projects.sql >/dev/null || exit 1
        ;;
    scratch) make $D/data ;;
    follow) $B/pg_basebackup -N -h $2 -U postgres -D $D/data -R -X stream -c fast || exit 1 ;;
    wait) until [ -h $D/current ]; do sleep 0.2; done ;;
    esac
    [ -h $D/current ] || ln -s data $D/current
fi
exec $B/postgres -D $D/current/ -k /tmp
