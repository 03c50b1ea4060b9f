# Serves what /var/lib/pg/current points to. The first start makes it: as a primary with all projects in it, as an
# empty one, or as a copy that follows another server;
# "wait" leaves it to a person. "empty NAME" makes an empty one of that name, and is how a dump is restored.
#   server.sh primary | scratch | follow HOST | wait | empty NAME
B=/usr/lib/postgresql/15/bin D=/var/lib/pg
make() {
    $B/initdb -N -k -D $D/$1 -A trust >/dev/null || exit 1
    for n in 0.0.0.0/0 ::/0; do
        printf 'host all all %s trust\nhost replication all %s trust\n' $n $n >>$D/$1/pg_hba.conf
    done
    printf "%s\n" "listen_addresses = '*'" 'max_connections = 100' 'wal_keep_size = 256MB' >>$D/$1/postgresql.conf
}
if [ "$1" = empty ]; then
    make $2 && ln -sfn $2 $D/current
    exit
fi
if [ ! -h $D/current ]; then
    case $1 in
    primary)
        make data
        $B/postgres --single -D $D/data postgres </opt/projects.sql >/dev/null || exit 1
        ;;
    scratch) make data ;;
    follow) $B/pg_basebackup -N -h $2 -U postgres -D $D/data -R -X stream -c fast || exit 1 ;;
    wait) until [ -h $D/current ]; do sleep 0.2; done ;;
    esac
    [ -h $D/current ] || ln -s data $D/current
fi
exec $B/postgres -D $D/current -k /tmp
