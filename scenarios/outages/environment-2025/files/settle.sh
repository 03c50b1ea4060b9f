# Behind the outage: what the database serves now becomes the environment's volume, and a history that it has not is booked anew
# (bookings that were lost stay lost). So that a next trial begins as this one did.
served=$(psql -h /tmp -Atc 'show data_directory') && [ -d "$served" ] || exit 1
if [ "$(psql -h /tmp -Atc 'select count(*) from costs')" = 0 ]; then
    psql -qh /tmp -v ON_ERROR_STOP=1 -c "$(cat /srv/cost/history.sql)" || exit 1
fi
cd /var/lib/volumes && rm -rf cost-1 && mv "$served" cost-1 && ln -s cost-1 "$served" || exit 1
for volume in cost-2 cost-3; do
    [ -h $volume ] || rm -rf $volume
done
