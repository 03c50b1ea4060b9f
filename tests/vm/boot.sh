#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots Debian's own kernel under software emulation with this machine's tree as its root, read-only, and runs the programs
# of tests/vm/MODE.list in it. Their output comes out here; the exit status is 0 when all passed.
#   tests/vm/boot.sh MODE [BUILD-DIR]     MODE: plain (no init system) or systemd
# BLACKSTART_FULL=yes runs the long form too; VM_ONLY=part only programs whose name contains it; VM_COMMAND='shell' runs that
# instead; VM_CONSOLE=yes shows the kernel's messages; VM_LIMIT=seconds is the most that the guest may take.
# No root needed, nothing is installed, /dev/kvm is not used; the emulator dies with this script.
set -euo pipefail
top=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
here=$top/tests/vm
mode=${1:?usage: tests/vm/boot.sh MODE [BUILD-DIR]}
build=$(readlink -f "${2:-$top/build}")
[ -f "$here/$mode.list" ] || { echo "vm: no such mode: $mode" >&2; exit 2; }
[ "$(uname -m)" = x86_64 ] || { echo "vm: the guest is made for amd64 only" >&2; exit 2; }
command -v qemu-system-x86_64 >/dev/null || { echo "vm: qemu-system-x86_64 is missing: apt-get install qemu-system-x86" >&2; exit 2; }

form=short limit=300
[ "${BLACKSTART_FULL:-no}" = no ] || form=full limit=3600
limit=${VM_LIMIT:-$limit}
kernel=$("$here/kernel.sh")
# The guest has no network: what its labs and services unpack must be in the cache before.
disks=()
while read -r packages; do
    # shellcheck disable=SC2086
    path=$("$build/tests/vm_layer" $packages)
    [ "$mode" != systemd ] ||
        disks=(-fsdev "local,id=l,path=$path,security_model=none,readonly=on" -device virtio-9p-pci,fsdev=l,mount_tag=layer)
done < <(sed -n 's/^# packages: //p' "$here/$mode.list")

work=$(mktemp -d "${TMPDIR:-/tmp}/blackstart-vm.XXXXXX")
emulator='' waiter=''
trap 'status=$?; kill -KILL $emulator $waiter 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

append="console=ttyS0 loglevel=4 panic=-1 nokaslr mitigations=off init_on_alloc=0 apparmor=0 audit=0 cryptomgr.notests"
append+=" systemd.unit=blackstart-tests.service systemd.show_status=false"
# What takes a guest's time and is of no use in it.
for unit in systemd-{binfmt,update-utmp,tmpfiles-clean,hwdb-update,udev-trigger,pcrphase,pcrphase-sysinit,journal-flush}.service \
    ldconfig.service timers.target proc-sys-fs-binfmt_misc.automount; do
    append+=" systemd.mask=$unit"
done
append+=" vm.mode=$mode vm.form=$form vm.top=$top vm.build=$build vm.kernel=$kernel${VM_ONLY:+ vm.only=$VM_ONLY}"
[ -z "${VM_COMMAND:-}" ] || append+=" vm.command=$(base64 -w 0 <<<"$VM_COMMAND")"
console=file:$work/console
[ "${VM_CONSOLE:-no}" = no ] || console=file:/dev/stderr
# One processor: two cost nearly twice the time where the machine has other work. setpriv: the emulator ends even when this
# script is killed outright.
setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg,thread=multi -M q35 -cpu qemu64 -m 2048 -smp 1 \
    -nodefaults -no-user-config -display none -no-reboot -serial "$console" -serial stdio \
    -kernel "$kernel/vmlinux" -initrd "$kernel/initramfs" -append "$append" \
    -fsdev local,id=h,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=h,mount_tag=host "${disks[@]}" \
    -device virtio-rng-pci -device isa-debug-exit,iobase=0xf4,iosize=1 </dev/null &
emulator=$!
timeout "$limit" tail --pid="$emulator" -s 0.1 -f /dev/null &
waiter=$!
status=0
wait "$waiter" || status=$?
if [ "$status" = 0 ]; then # it writes CODE to the port, the emulator then exits with 2 * CODE + 1
    wait "$emulator" || status=$?
    emulator=''
    case $status in
    1) exit 0 ;;
    3) exit 1 ;;
    esac
    echo "vm: the guest ended by itself (emulator's status $status)"
else
    echo "vm: the guest was not through after $limit s"
fi
[ ! -f "$work/console" ] || { echo "vm: the last lines of its console:"; tail -n 40 "$work/console" | tr -d '\r'; }
exit 1
