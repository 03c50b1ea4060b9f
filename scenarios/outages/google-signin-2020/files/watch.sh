# How much of its quota each member of the store uses; more than 80 % is an alarm.
while sleep 1; do
    full=
    for member in etcd1 etcd2 etcd3; do
        curl -s -m 1 http://$member:2379/metrics | awk '
            $1 == "etcd_mvcc_db_total_size_in_bytes" { size = $2 }
            $1 == "etcd_server_quota_backend_bytes" { quota = $2 }
            END { exit !(quota > 0 && size > 0.8 * quota) }' && full="$full $member"
    done
    if [ -n "$full" ]; then echo "over 80 %:$full" >/run/quota-alarm; else rm -f /run/quota-alarm; fi
done
