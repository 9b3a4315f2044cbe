# shellcheck shell=bash disable=SC2034 # set here, used where it is sourced
# SPDX-License-Identifier: GPL-2.0-only
#
# Machines of other architectures than this one's. To be sourced.

# arch_known NAME: is it Debian's name of one of them? Sets what they differ in:
#
# triplet	GNU's name: of compilers, and of directories of libraries
# machine	what QEMU calls it, and with what options
# bus		what QEMU calls the bus of its virtio devices
# console	the kernel's name of the serial console
# flavour	the end of the names of its kernel packages
# kbuild_arch	what the kernel calls it
arch_known()
{
	machine_options=
	bus=pci
	flavour=$1
	case $1 in
	s390x)	triplet=s390x-linux-gnu
		machine=s390x
		bus=ccw
		console=ttysclp0
		kbuild_arch=s390 ;;
	arm64)	triplet=aarch64-linux-gnu
		machine=aarch64
		machine_options='-M virt'
		console=ttyAMA0
		kbuild_arch=arm64 ;;
	armhf)	triplet=arm-linux-gnueabihf
		machine=arm
		machine_options='-M virt,highmem=off'
		console=ttyAMA0
		flavour=armmp
		kbuild_arch=arm ;;
	*)	return 1 ;;
	esac
}
