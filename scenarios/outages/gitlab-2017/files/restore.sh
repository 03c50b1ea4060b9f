# The newest dump goes into a server that is empty, in one transaction: all of it or nothing.
until psql -qh "$1" -U postgres -c "select 1" >/dev/null 2>&1; do sleep 0.2; done
gzip -cd /srv/backup/newest.sql.gz | psql -qh "$1" -U postgres -v ON_ERROR_STOP=1 -1 >/dev/null
