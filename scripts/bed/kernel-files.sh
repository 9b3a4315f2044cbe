# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's kernels without an installation, for scripts/bed/fetch-kernel and
# scripts/bed/foreign-root. To be sourced.

# unpack_debs FROM ROOT
unpack_debs()
{
	local file

	for file in "$1"/*.deb; do
		dpkg-deb -x "$file" "$2" || return
	done
}

# finish_kernel PLACE RELEASE: what the scripts of its packages would have done in
# PLACE/root, as far as it is needed, and the names by which scripts/bed/vm and
# scripts/bed/build-module find it.
finish_kernel()
{
	local headers=root/usr/src/linux-headers-$2

	sed -i 's|/usr/src|..|' "$1/$headers/Makefile" &&
	depmod -b "$1/root" "$2" &&
	ln -s "root/boot/vmlinuz-$2" "$1/image" &&
	ln -s "$headers" "$1/headers"
}
