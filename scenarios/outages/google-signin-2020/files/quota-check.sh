# A quota that leaves no room over what is used now is refused, whatever it was computed from: $1 is the new one in bytes.
used=$(curl -s -m 2 http://${2:-localhost}:2379/metrics | awk '$1 == "etcd_mvcc_db_total_size_in_bytes" { printf "%d", $2 }')
[ "${used:-0}" -gt 0 ] && [ $((used * 5)) -le $(($1 * 4)) ] && exit
echo "refused: $used bytes are in use, more than 80 % of $1"
exit 1
