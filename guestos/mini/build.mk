# SPDX-License-Identifier: MIT
#
# mini, and the test guests of the labs: each is one file on it. labs/.../tests/X.c becomes build/labs/.../tests/X.elf, but for
# those whose second line is "/* host test */", programs of the host (tests/host), or "/* Linux test */", programs for Linux (tests/linux).

MINI_CFLAGS := -m32 -march=i686 -mgeneral-regs-only -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
	-fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-strict-aliasing -fcf-protection=none \
	-Wall -Wextra -Werror -Wno-unused-parameter -Iguestos/mini -Isrc
MINI_LDFLAGS := -m elf_i386 -nostdlib -static --build-id=none -z noexecstack
MINI_LIBGCC = $(shell $(CC) -m32 -print-libgcc-file-name)

MINI_SRC := $(filter-out guestos/mini/hello.c,$(wildcard guestos/mini/*.c guestos/mini/*.S))
MINI_OBJ := $(MINI_SRC:%=build/%.o) $(patsubst src/lib/%,build/guestos/mini/lib/%.o,src/lib/printf.c src/lib/string.c)
HOST_TESTS := $(shell grep -ls '^/\* host test \*/' labs/*/tests/*.c)
LINUX_TESTS := $(shell grep -ls '^/\* Linux test \*/' labs/*/tests/*.c)
MINI_TESTS := $(patsubst %.c,build/%.elf,$(filter-out $(HOST_TESTS) $(LINUX_TESTS),$(wildcard labs/*/tests/*.c)))

MINI_NEEDS += build/mini.elf
CHECK_NEEDS += $(MINI_TESTS)
CHECK_QUICK_NEEDS += $(MINI_TESTS)

.PHONY: mini
mini: build/mini.elf $(MINI_TESTS)	## the small guest OS, and the labs' test guests

build/mini.elf: build/guestos/mini/hello.c.o $(MINI_OBJ) guestos/mini/mini.lds
	$(call say,LINK,$@)$(LD) $(MINI_LDFLAGS) -T guestos/mini/mini.lds -o $@ $(filter %.o,$^) $(MINI_LIBGCC)

build/labs/%.elf: build/labs/%.c.o $(MINI_OBJ) guestos/mini/mini.lds
	$(call say,LINK,$@)$(LD) $(MINI_LDFLAGS) -T guestos/mini/mini.lds -o $@ $(filter %.o,$^) $(MINI_LIBGCC)

build/guestos/mini/lib/%.c.o: src/lib/%.c guestos/mini/build.mk | deps-build
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(MINI_CFLAGS) -MMD -MP -c -o $@ $<

build/guestos/mini/%.c.o: guestos/mini/%.c guestos/mini/build.mk | deps-build
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(MINI_CFLAGS) -MMD -MP -c -o $@ $<

build/guestos/mini/%.S.o: guestos/mini/%.S guestos/mini/build.mk | deps-build
	@mkdir -p $(@D)
	$(call say,AS)$(CC) $(MINI_CFLAGS) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

build/labs/%.c.o: labs/%.c guestos/mini/build.mk | deps-build
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(MINI_CFLAGS) -MMD -MP -c -o $@ $<

.SECONDARY: $(MINI_TESTS:.elf=.c.o)

-include $(wildcard build/guestos/mini/*.d build/guestos/mini/lib/*.d build/labs/*/tests/*.d)
