# The settings of an account, changed eighty times: 16 MB in the store, of which one revision is of use.
printf '{"key": "%s", "value": "%s"}' "$(printf account/settings | base64)" "$(head -c 200000 /dev/urandom | base64 -w 0)" \
    >/tmp/change
curl -sf -o /dev/null --data @/tmp/change "http://etcd1:2379/v3/kv/put?change=[1-80]"
