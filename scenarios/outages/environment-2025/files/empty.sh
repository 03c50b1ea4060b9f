# The platform keeps an empty volume at hand, of which new ones are made.
empty=/var/lib/volumes/empty
if [ ! -d $empty ]; then
    rm -rf $empty.new
    /usr/lib/postgresql/15/bin/initdb -N -k --wal-segsize=1 -D $empty.new -A trust >/dev/null || exit 1
    for n in 0.0.0.0/0 ::/0; do
        printf 'host all all %s trust\nhost replication all %s trust\n' $n $n >>$empty.new/pg_hba.conf
    done
    # No power fails here: what is committed need not be on the disk.
    printf "%s\n" "listen_addresses = '*'" 'fsync = off' 'max_connections = 100' >>$empty.new/postgresql.conf
    mv $empty.new $empty
fi
exec sleep infinity
