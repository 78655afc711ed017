# SPDX-License-Identifier: MIT
#
# atl, the control tool: a static program, so that every file system of domain 0 can have it. It reads images with the
# hypervisor's own source.

ATL_SRC := $(wildcard guestos/atl/*.c) src/image.c src/lib/string.c
ATL_FLAGS := -m32 -march=i686 -mtune=generic -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DHOST_BUILD -O2 -g -Wall -Wextra -Werror \
	-Wno-unused-parameter -Isrc -Iguestos/linux/include/uapi

build/atl: $(ATL_SRC:%=build/atl.d/%.o)
	$(call say,LINK,$@)$(CC) -m32 -static -s -o $@ $^

build/atl.d/%.o: % guestos/atl/build.mk | deps-build
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ATL_FLAGS) -MMD -MP -c -o $@ $<

-include $(ATL_SRC:%=build/atl.d/%.d)

INITRAMFS_ADD += build/atl=/usr/sbin/atl guestos/atl/completion.bash=/root/.bashrc
