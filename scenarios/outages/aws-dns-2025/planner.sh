# Writes a plan every two seconds: under a rising number the addresses that the name shall have. $1: the hosts, with commas.
addresses=
for host in $(echo "$1" | tr , ' '); do
    addresses="$addresses $(getent ahostsv4 "$host" | head -n 1 | cut -d ' ' -f 1)"
done
while :; do
    n=$(redis-cli incr number)
    redis-cli sadd "plan:$n" $addresses >/dev/null && redis-cli set latest "$n" >/dev/null
    sleep 2
done
