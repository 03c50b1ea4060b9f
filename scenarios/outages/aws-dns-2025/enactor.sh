# Puts plans into force, one after the other, always the newest. Others do the same at the same time, so that one that hangs is
# no outage. Whether a plan is new enough is asked when it is taken; then it takes a while: one endpoint after the other.
# $GUARD: no, or yes: it is compared again, in the store, at the moment at which it is written.
plan=
while :; do
    answer=$(redis-cli -h plans eval "$(cat /opt/enact.lua)" 0 "$plan" "$GUARD")
    echo "plan ${plan:-none}: $answer"
    case $answer in
    [0-9]*) ;;
    *) plan='' && sleep 1 && continue ;;
    esac
    # Clean-up: plans that are much older than the one that was just put into force.
    old=$((${plan:-0} - 3))
    while [ $old -gt 0 ] && [ "$(redis-cli -h plans del "plan:$old")" = 1 ]; do
        old=$((old - 1))
    done
    plan=${answer%% *}
    sleep 1.5 # the other endpoints
done
