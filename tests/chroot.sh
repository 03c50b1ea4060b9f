#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shows that the README's commands work on a bare machine: a minimal Debian 12 made by debootstrap, without this
# machine's packages and without a policy that keeps services from starting. Takes minutes; needs root and debootstrap.
#   tests/chroot.sh [COMMAND...]     default: the README's `./dev run scenarios/quickstart.yaml`
set -euo pipefail
top=$(dirname "$(dirname "$(readlink -f "$0")")")
[ "$(id -u)" = 0 ] || { echo "chroot: needs root: sudo ./dev chroot" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "chroot: needs debootstrap: apt-get install debootstrap" >&2; exit 2; }
base=${BLACKSTART_CHROOT:-/var/cache/blackstart/bookworm-minbase}
[ $# -gt 0 ] || set -- ./dev run scenarios/quickstart.yaml

if [ ! -f "$base.done" ]; then
    rm -rf --one-file-system "$base"
    mkdir -p "$base"
    echo "chroot: making a minimal Debian 12 in $base" >&2
    debootstrap --variant=minbase bookworm "$base" >"$base.log" 2>&1 || { tail -5 "$base.log" >&2; exit 3; }
    : >"$base.done"
fi

work=$(mktemp -d /var/tmp/blackstart-chroot.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
cp -a --reflink=auto "$base" "$work/root"
git -C "$top" clone -q "$top" "$work/root/root/blackstart"

# A mount and a pid namespace of its own: when the command ends, nothing of it is left on this machine.
status=0
CHROOT="$work/root" unshare --mount --pid --fork --kill-child --propagation private bash -eu -c '
    mount --bind "$CHROOT" "$CHROOT"
    mount -t proc proc "$CHROOT/proc"
    mount --rbind /sys "$CHROOT/sys"
    mount -t tmpfs dev "$CHROOT/dev"
    for node in null zero full random urandom tty; do
        touch "$CHROOT/dev/$node"
        mount --bind "/dev/$node" "$CHROOT/dev/$node"
    done
    ln -s /proc/self/fd "$CHROOT/dev/fd"
    mkdir "$CHROOT/dev/pts" "$CHROOT/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$CHROOT/dev/pts"
    ln -s pts/ptmx "$CHROOT/dev/ptmx"
    if [ -e /dev/net/tun ]; then mkdir "$CHROOT/dev/net"; touch "$CHROOT/dev/net/tun"; mount --bind /dev/net/tun "$CHROOT/dev/net/tun"; fi
    cp /etc/resolv.conf "$CHROOT/etc/resolv.conf" 2>/dev/null || true
    cp /etc/hosts "$CHROOT/etc/hosts" 2>/dev/null || true
    # Its root, not a chroot: in a chroot the kernel makes no user namespaces.
    cd "$CHROOT"
    pivot_root . .
    umount -l .
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
        sh -c "cd /root/blackstart && exec \"\$@\"" sh "$@"
' bash "$@" || status=$?
services=$(find "$work/root/etc/init.d" "$work/root/lib/systemd/system" -name '*etcd*' -o -name '*redis-server*' -o -name 'nginx*' 2>/dev/null | head -3)
[ -z "$services" ] || { echo "chroot: a service package was installed: $services" >&2; status=1; }
exit "$status"
