# What compaction has freed is given back, one member after the other, where it is more than half of the file.
while sleep 2; do
    for member in etcd1 etcd2 etcd3; do
        curl -s -m 1 http://$member:2379/metrics | awk '
            $1 == "etcd_mvcc_db_total_size_in_bytes" { size = $2 }
            $1 == "etcd_mvcc_db_total_size_in_use_in_bytes" { used = $2 }
            END { exit !(size > 1e6 && used < size / 2) }' &&
            etcdctl --endpoints=http://$member:2379 defrag
    done
done
