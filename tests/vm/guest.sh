#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside the guest: runs the programs of tests/vm/MODE.list, as process 1 or as a unit of systemd, and ends the guest with their result.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 LC_ALL=C.UTF-8
value() { tr ' ' '\n' </proc/cmdline | sed -n "s/^vm\\.$1=//p"; }
mode=$(value mode) top=$(value top) build=$(value build) form=$(value form) only=$(value only) command=$(value command)
stty -F /dev/ttyS1 raw -echo
exec </dev/null >/dev/ttyS1 2>&1
if [ $$ = 1 ]; then
    export DM_DISABLE_UDEV=1 # nobody else makes the nodes
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    echo '+memory +pids' >/sys/fs/cgroup/cgroup.subtree_control # what systemd's defaults need for its units, and no more
    ip link set lo up
    hostname guest
fi
# A module is loaded at its first use, which takes long here: before anything is timed.
modprobe -q -a nf_tables nft_numgen nft_fwd_netdev nf_log_syslog veth ifb bridge sch_netem sch_tbf sch_htb loop dm_flakey ext4 fuse tun
if [ $$ = 1 ] && [ "$form$command" != short ]; then
    # Hosts' files lie on a disk: a fault that slows disks finds none below a tmpfs.
    mkdir -p /var/tmp/blackstart-test
    truncate -s 512M /run/disk && mkfs.ext4 -q -F -O ^has_journal -N 32768 /run/disk && mount -o loop /run/disk /var/tmp/blackstart-test
    find /etc -type f -exec touch -c -a {} + # into memory: tests read all of it again and again
fi
[ "$form" = full ] && export BLACKSTART_FULL=yes
echo "vm: $mode, $(uname -r), up after $(cut -d ' ' -f 1 /proc/uptime) s"

end() { # end STATUS: 0 or 1, for the emulator
    sync
    sleep 0.1
    printf "\\00$1" | dd of=/dev/port bs=1 seek=244 status=none
}
if [ -n "$command" ]; then
    cd "$top" && bash -c "$(base64 -d <<<"$command")" && end 0
    end 1
fi

run_bench() { # what it prints are figures
    local short=--short
    [ "$form" != full ] || short=
    (set -o pipefail && cd "$top" && env $settings timeout -k 5 "$seconds" "$build/$program" $short | sed 's/^/figure: /')
}

run_one() { # run_one PROGRAM SECONDS SETTINGS
    local program=$1 seconds=$2 settings=$3 start status=0
    start=$(date +%s%N)
    case $program in
    bench/*) run_bench || status=$? ;;
    *) (cd "$top" && env $settings timeout -k 5 "$seconds" "$build/tests/${program//\//_}") || status=$? ;;
    esac
    printf '\nvm: %s: status %d after %d ms of at most %d s\n' "$program" "$status" $((($(date +%s%N) - start) / 1000000)) "$seconds"
    return "$status"
}

# A program that fails is run once more when the others are through, if one or two do; what it said the first time is not
# counted. What passes then is told as shaky.
failed=0 ran=0 again=()
while read -r program seconds when settings; do
    case $program in '' | \#*) continue ;; esac
    [ "$when" != full ] || [ "$form" = full ] || continue
    [ -z "$only" ] || [[ $program == *$only* ]] || continue
    ran=$((ran + 1)) status=0
    echo "vm: $program begins"
    run_one "$program" "$seconds" "$settings" >/tmp/said 2>&1 || status=$?
    if [ "$status" != 0 ]; then
        again+=("$program $seconds $settings")
        sed 's/^/first try: /' /tmp/said
    else
        cat /tmp/said
    fi
done <"$top/tests/vm/$mode.list"
if [ ${#again[@]} -gt 2 ]; then
    failed=${#again[@]}
else
    for line in "${again[@]}"; do
        read -r program seconds settings <<<"$line"
        if run_one "$program" "$seconds" "$settings"; then
            echo "shaky: $program passed only the second time"
        else
            failed=$((failed + 1))
        fi
    done
fi
[ "$ran" -gt 0 ] || { echo "vm: no program to run"; failed=1; }
echo "vm: $ran programs, $failed failed"
end $((failed > 0))
