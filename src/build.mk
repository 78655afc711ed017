# SPDX-License-Identifier: MIT
# The hypervisor: build/atelier.elf, and with DEBUG=1 build/atelier-debug.elf, which checks itself as it goes.

HV_SRC := $(wildcard src/*.c src/lib/*.c src/pc/*.c src/pc/*.S)

# No SSE, MMX or 387: the floating-point registers are always a guest's. Frame pointers are for the back-trace.
HV_CFLAGS := -m32 -march=i686 -mtune=generic -mno-sse -mno-mmx -mno-80387 -mpreferred-stack-boundary=2 -freg-struct-return \
	-std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-omit-frame-pointer -fno-optimize-sibling-calls \
	-Wall -Wextra -Werror -Wno-unused-parameter -Wa,--noexecstack -Isrc
# A stage of the course has it: what a function is until a student writes it, and static ones have no caller yet.
HV_CFLAGS += $(patsubst %,-include % -Wno-unused-function,$(wildcard src/lib/exercise.h))
HV_LDFLAGS := -m elf_i386 -nostdlib -z max-page-size=4096 --build-id=none -T src/pc/link.lds
HV_LIBGCC = $(shell $(CC) -m32 -print-libgcc-file-name)

# The back-trace's symbols: an address and a name for each function, in a section behind the text, so that they do not move
# what they name. The first link, without them, is where they come from.
define HV_SYMBOLS
BEGIN { print ".section .symbols, \"a\"\n.globl symbols\nsymbols:" }
$$2 ~ /^[tT]$$/ && $$3 !~ /_(start|end)$$/ { printf ".long 0x%s\n.asciz \"%s\"\n", $$1, $$3 }
END { print ".long 0" }
endef
export HV_SYMBOLS

# $(call hv_rules,ELF,folder of objects,more flags)
define hv_rules
$(1): $(HV_SRC:%=$(2)/%.o) $(2)/symbols.o src/pc/link.lds
	$$(call say,LINK,$$@)$$(LD) $$(HV_LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(HV_LIBGCC)

$(2)/unnamed.elf: $(HV_SRC:%=$(2)/%.o) $(2)/no_symbols.o src/pc/link.lds
	@$$(LD) $$(HV_LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(HV_LIBGCC)

$(2)/symbols.S: $(2)/unnamed.elf
	@$$(NM) -n $$< | awk "$$$$HV_SYMBOLS" > $$@

$(2)/no_symbols.S:
	@mkdir -p $$(@D)
	@awk "$$$$HV_SYMBOLS" < /dev/null > $$@

$(2)/%.o: $(2)/%.S
	@$$(CC) $$(HV_CFLAGS) -c -o $$@ $$<

$(2)/%.o: % src/build.mk | deps-build
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)$$(CC) $$(HV_CFLAGS) $(3) -MMD -MP -c -o $$@ $$<

-include $(HV_SRC:%=$(2)/%.d)
endef

$(eval $(call hv_rules,build/atelier.elf,build/hv,))
$(eval $(call hv_rules,build/atelier-debug.elf,build/hv-debug,-DDEBUG=1))

ifneq ($(filter-out 0,$(DEBUG)),)
.DEFAULT_GOAL := build/atelier-debug.elf
endif

# The labs' tests boot the one that checks itself.
CHECK_NEEDS += build/atelier-debug.elf
CHECK_QUICK_NEEDS += build/atelier-debug.elf
