# Looks at the backups themselves, not at what the job says of itself: too long since the last good one is an alarm.
while sleep 0.5; do
    age=$(($(date +%s) - $(stat -c %Y /srv/backup/newest.sql.gz 2>/dev/null || date +%s)))
    if [ $age -gt "$1" ]; then
        echo "the newest good backup is $age s old" >/run/backup-alarm
    else
        rm -f /run/backup-alarm
    fi
done
