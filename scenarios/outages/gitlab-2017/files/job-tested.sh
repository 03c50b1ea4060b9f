# A dump counts when it was restored: into a server beside the dumps, with all projects in it. What does not stays aside.
while :; do
    . /etc/backup.conf
    pg_dump --cluster "$CLUSTER" -U postgres postgres >/srv/backup/new.sql 2>>/var/mail/rejected &&
        psql -qh /tmp -U postgres -c 'drop database if exists test' -c 'create database test' &&
        psql -qh /tmp -U postgres -d test -v ON_ERROR_STOP=1 -1f /srv/backup/new.sql >/dev/null &&
        [ "$(psql -h /tmp -U postgres -d test -Atc 'select count(*) from projects')" -ge 10000 ] &&
        mv /srv/backup/new.sql /srv/backup/newest.sql &&
        gzip -ck /srv/backup/newest.sql >/srv/backup/new.gz && mv /srv/backup/new.gz /srv/backup/newest.sql.gz
    sleep 5
done
