# The way home, as a person goes it on a replica's host.
#   home.sh await | pause | go
primary=$(redis-cli -p 26379 sentinel get-master-addr-by-name shop | head -n 1)
case $1 in
await) until redis-cli -h r1 info replication | grep -q master_link_status:up; do sleep 0.2; done ;;
pause) redis-cli -h $primary client pause 5000 write ;;
go) until [ "$(redis-cli -p 26379 sentinel failover shop)" = OK ]; do sleep 0.5; done ;;
esac
