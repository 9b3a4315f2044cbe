# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's kernels without an installation, for scripts/bed/fetch-kernel and
# scripts/bed/foreign-root. To be sourced.

# unpack_debs FROM ROOT: where ROOT has a link in place of a directory, it stays.
unpack_debs()
{
	local file

	mkdir -p "$2"
	for file in "$1"/*.deb; do
		dpkg-deb --fsys-tarfile "$file" |
			tar -x -C "$2" --keep-directory-symlink || return
	done
}

# finish_kernel PLACE RELEASE: what the scripts of its packages would have done in
# PLACE/root, as far as it is needed, and the names by which scripts/bed/vm and
# scripts/bed/build-module find it.
finish_kernel()
{
	local headers=root/usr/src/linux-headers-$2 image=root/boot/vmlinuz-$2

	# Since Linux 6.19 it is with the modules.
	[ -e "$1/$image" ] || image=root/usr/lib/modules/$2/vmlinuz
	[ -e "$1/$image" ] && [ -d "$1/$headers" ] &&
	sed -i 's|/usr/src|..|' "$1/$headers/Makefile" &&
	depmod -b "$1/root" "$2" &&
	ln -s "$image" "$1/image" &&
	ln -s "$headers" "$1/headers"
}
