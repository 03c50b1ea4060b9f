# The name server answers with the addresses of the plan in force. $GUARD yes: never with none.
while :; do
    active=$(redis-cli -h plans get active)
    redis-cli -h plans smembers "plan:$active" | sort | sed -n '/./s/$/ kv.region1.example/p' >/run/names.new
    if [ -s /run/names.new ] || [ "$GUARD" = no ]; then
        if ! cmp -s /run/names.new /run/names; then
            cat /run/names.new >/run/names
            kill -HUP "$(cat /run/dnsmasq.pid)"
        fi
    fi
    sleep 0.2
done
