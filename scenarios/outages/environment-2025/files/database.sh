# The database of an environment: serves the volume that the environment names. A volume that is not there yet is made of an
# empty one, and filled with what the environment says: its tables and, where the environment has one, its history.
#   database.sh ENVIRONMENT
B=/usr/lib/postgresql/15/bin
volume=/var/lib/volumes/$(cat "$1/volume") || exit 1
if [ ! -e "$volume/PG_VERSION" ]; then
    rm -rf "$volume.new"
    cp -a /var/lib/volumes/empty "$volume.new" || exit 1
    cat "$1/schema.sql" $(ls "$1/history.sql" 2>/dev/null) | $B/postgres --single -D "$volume.new" postgres >/dev/null || exit 1
    rm -f "$volume"
    mv "$volume.new" "$volume"
fi
exec $B/postgres -D "$volume" -k /tmp
