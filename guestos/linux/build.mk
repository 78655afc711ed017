# SPDX-License-Identifier: MIT
#
# Linux: Debian's source, the port laid over it, a kernel for domain 0 and one for the bare machine (the
# benchmark's baseline), and the file systems that they boot into. tools/linux-tree says how.
#
# Whoever has a file for domain 0's file system, the full one, adds it, in a fragment that is read before this one:
#	INITRAMFS_ADD += FILE=/PLACE

# dpkg writes this list when it installs the package; the archive's own time is that of Debian's build.
LINUX_PACKAGE	:= /var/lib/dpkg/info/linux-source-6.1.list
# The folders are among them: a file that goes away changes its folder.
LINUX_PORT	:= $(shell find $(wildcard $(addprefix guestos/linux/,arch drivers include patches)) src/public)
LINUX_IMAGE	:= build/linux/vmlinux
NATIVE_IMAGE	:= build/linux/native/arch/x86/boot/bzImage
INITRAMFS_SMALL	:= build/initramfs/small.cpio.lz4
INITRAMFS_FULL	:= build/initramfs/full.cpio.lz4
INITRAMFS	:= $(INITRAMFS_SMALL) $(INITRAMFS_FULL)
DISK_PRISTINE	:= build/disk/debian.img
DISK_IMAGE	:= build/disk/disk.img
DISK_SMALL	:= build/disk/small.ext4
DISK_FILES	:= $(shell find guestos/linux/debian)

# What domain 0 creates other domains from.
INITRAMFS_ADD	+= $(LINUX_IMAGE)=/boot/vmlinux $(INITRAMFS_SMALL)=/boot/initrd build/mini.elf=/boot/mini

LINUX_NEEDS	+= $(LINUX_IMAGE) $(INITRAMFS)
DISK_NEEDS	+= $(DISK_IMAGE) $(DISK_SMALL)	# lab 9

.PHONY: linux linux-native initramfs disk port-size
linux: $(LINUX_IMAGE)		## build/linux/vmlinux: Linux for domain 0, from Debian's source (minutes, once)
linux-native: $(NATIVE_IMAGE)	## the same Linux for the bare machine: the benchmark's baseline
initramfs: $(INITRAMFS)		## build/initramfs/: Debian's i386 programs, for Linux to boot into
disk: $(DISK_IMAGE) $(DISK_SMALL)	## build/disk/disk.img: a Debian 12 for a domain, and room for more
port-size:			## counts the lines of the Linux port, against the paper's 2,995
	@tools/port-size

$(LINUX_PACKAGE): | deps-linux
	@test -f $@ || { echo "linux-source-6.1 is not installed: run \`make deps\`" >&2; exit 1; }

build/linux/unpacked: $(LINUX_PACKAGE) | deps-linux
	@tools/linux-tree unpack
	@touch $@

# `ported` is touched only if a file of the source changed: else Linux is not built again.
build/linux/ported: build/linux/unpacked $(LINUX_PORT) tools/linux-tree
	@tools/linux-tree port

$(LINUX_IMAGE): build/linux/ported guestos/linux/config-base guestos/linux/config-atelier tools/linux-tree
	@tools/linux-tree build dom0
	@ln -sf dom0/vmlinux $@.debug
	$(call say,STRIP)$(OBJCOPY) --strip-all build/linux/dom0/vmlinux $@

$(NATIVE_IMAGE): build/linux/ported guestos/linux/config-base guestos/linux/config-native tools/linux-tree
	@tools/linux-tree build native

$(INITRAMFS_SMALL): guestos/linux/init tools/initramfs tools/debian.py | deps-linux
	@tools/initramfs small

$(INITRAMFS_FULL): $(INITRAMFS_SMALL) $(foreach pair,$(INITRAMFS_ADD),$(firstword $(subst =, ,$(pair))))
	@tools/initramfs $(INITRAMFS_ADD:%=--add %) full

$(DISK_PRISTINE): $(DISK_FILES) tools/disk-image tools/debian.py | deps-disk
	@tools/disk-image

# What domains have written to it stays: made when it is not there, and else never touched from here.
$(DISK_IMAGE) $(DISK_SMALL) &: | $(DISK_PRISTINE)
	@tools/disk-image
