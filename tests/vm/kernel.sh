#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts Debian's own kernel into the cache, ready to be booted with the machine's tree as its root, and prints where:
#   DIR/vmlinux     uncompressed, which the emulator starts twice as fast
#   DIR/lib/modules of it, without drivers for hardware that no guest has
#   DIR/initramfs   busybox, init and the modules that reach the machine's tree
# Nothing is installed: the package is downloaded and unpacked.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
die() { echo "vm: $*" >&2; exit 3; }

# The modules that init needs to reach the machine's tree; all others are loaded on demand.
early=(virtio_pci 9pnet_virtio 9p overlay)
# Hardware: two thirds of the package.
unused=(drivers/gpu drivers/media drivers/staging drivers/iio drivers/infiniband drivers/isdn drivers/usb drivers/scsi
    drivers/net/ethernet drivers/net/wireless drivers/net/usb drivers/hwmon drivers/input drivers/hid sound net/bluetooth net/mac80211 net/wireless)

if [ "$(id -u)" = 0 ]; then cache=/var/cache/blackstart; else cache=${XDG_CACHE_HOME:-$HOME/.cache}/blackstart; fi
mkdir -p "$cache/vm"
exec 9>"$cache/vm/lock"
flock 9

fetch() { # fetch PACKAGE DIR: the parts of the package that a guest needs
    local scratch excludes=()
    scratch=$(mktemp -d "$cache/vm/fetch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    echo "vm: downloading $1" >&2
    (cd "$scratch" && apt-get -q -o APT::Sandbox::User= download "$1") >"$scratch/log" 2>&1 || {
        tail -n 3 "$scratch/log" >&2
        die "the kernel $1 could not be fetched (is there a network? are the package lists old: apt-get update?)"
    }
    for part in "${unused[@]}"; do excludes+=(--exclude="./lib/modules/*/kernel/$part"); done
    mkdir "$scratch/root"
    dpkg --fsys-tarfile "$scratch"/*.deb |
        tar -C "$scratch/root" -x --no-same-owner "${excludes[@]}" ./boot ./lib/modules
    unpack_kernel "$scratch/root"/boot/vmlinuz-* "$scratch/root/vmlinux"
    rm -r "$scratch/root/boot"
    depmod -b "$scratch/root" "$(ls "$scratch/root/lib/modules")"
    rm -rf "$2"
    chmod 755 "$scratch/root"
    mv "$scratch/root" "$2"
    rm -rf "$scratch"
    trap - EXIT
}

# The boot header says where the compressed kernel lies: setup sectors at 0x1f1, offset and length at 0x248.
unpack_kernel() { # unpack_kernel VMLINUZ OUT
    local sectors offset length
    sectors=$(od -An -tu1 -j 497 -N 1 "$1")
    read -r offset length < <(od -An -tu4 -j 584 -N 8 "$1")
    dd if="$1" iflag=skip_bytes,count_bytes skip=$(((sectors + 1) * 512 + offset)) count=$((length - 4)) bs=64k status=none |
        xz -dc >"$2" || die "the kernel in $1 is not compressed with xz"
}

make_initramfs() { # make_initramfs DIR
    local scratch version
    version=$(ls "$1/lib/modules")
    scratch=$(mktemp -d "$cache/vm/initramfs.XXXXXX")
    mkdir "$scratch"/{bin,dev,proc,sys,host,layer,over,root,modules}
    cp /bin/busybox "$scratch/bin/busybox"
    install -m 755 "$here/init" "$scratch/init"
    modprobe -d "$1" -S "$version" --show-depends -a "${early[@]}" | awk '$1 == "insmod" && !seen[$2]++ {print $2}' |
        while read -r module; do
            cp "$module" "$scratch/modules/"
            echo "${module##*/}" >>"$scratch/modules/order"
        done
    (cd "$scratch" && find . | busybox cpio -o -H newc) >"$1/initramfs.new" 2>/dev/null
    rm -rf "$scratch"
    mv "$1/initramfs.new" "$1/initramfs"
}

for tool in busybox modprobe depmod xz; do
    command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null ||
        die "$tool is missing: sudo ./dev test vm installs what the lane needs, or see './dev packages vm'"
done
PATH=$PATH:/usr/sbin:/sbin
package=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '$1 == "Depends:" {print $2; exit}')
[ -n "$package" ] || package=$(cd "$cache/vm" && ls -dt linux-image-*/ 2>/dev/null | head -n 1 | tr -d /)
[ -n "$package" ] || die "apt knows no linux-image-amd64 (apt-get update?)"
dir=$cache/vm/$package
[ -f "$dir/vmlinux" ] || fetch "$package" "$dir"
[ -f "$dir/initramfs" ] && [ "$dir/initramfs" -nt "$here/init" ] && [ "$dir/initramfs" -nt "$here/kernel.sh" ] || make_initramfs "$dir"
echo "$dir"
