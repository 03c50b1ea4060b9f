# What an earlier trial has left is put in order; then the settings of an account are changed eighty times: 16 MB in the store, of
# which one revision is of use.
revision=$(etcdctl --endpoints=http://etcd1:2379 endpoint status -w json | sed 's/.*"revision":\([0-9]*\).*/\1/')
export ETCDCTL_ENDPOINTS=http://etcd1:2379,http://etcd2:2379,http://etcd3:2379
[ -n "$revision" ] || exit
etcdctl compact --physical "$revision" || true     # or it was just compacted
etcdctl --command-timeout=30s defrag && etcdctl alarm disarm || exit
printf '{"key": "%s", "value": "%s"}' "$(printf account/settings | base64)" "$(head -c 200000 /dev/urandom | base64 -w 0)" \
    >/tmp/change
curl -sf --retry 5 --retry-delay 1 -o /dev/null --data @/tmp/change "http://etcd1:2379/v3/kv/put?change=[1-80]"
