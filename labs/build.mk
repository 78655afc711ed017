# SPDX-License-Identifier: MIT
#
# The labs' tests that are no guests of mini: programs of the host, with the files of src/ that decide and the pretend machine of
# tests/host/ under them, and programs for Linux. Each configuration of the host is the same sources with other sizes and tools,
# under build/host/NAME/; tests/build.mk has more of them.

HOST_CORE := $(wildcard src/*.c src/lib/*.c)
HOST_SRC := $(wildcard tests/host/*.c)
HOST_FLAGS := -m32 -g -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -fno-omit-frame-pointer \
	-DHOST_BUILD -DDEBUG=1 -Isrc -Itests $(patsubst %,-include % -Wno-unused-function,$(wildcard src/lib/exercise.h))
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

# $(call host_config,NAME,COMPILER,FLAGS,MORE FOR THE CORE): how a .c is compiled for NAME. The core's variables get sections of their
# own, so that tests/host/snapshot.c finds where they begin and end.
define host_config
build/host/$(1)/src/%.o: src/%.c labs/build.mk | deps-check
	@mkdir -p $$(@D)
	$$(call say,HOSTCC) $(2) $(HOST_FLAGS) $(3) $(4) -MMD -MP -c -o $$@ $$< && \
		objcopy --rename-section .data=core_data --rename-section .bss=core_bss $$@
build/host/$(1)/tests/%.o: tests/%.c labs/build.mk | deps-check
	@mkdir -p $$(@D)
	$$(call say,HOSTCC) $(2) $(HOST_FLAGS) $(3) -MMD -MP -c -o $$@ $$<
-include $$(wildcard build/host/$(1)/*/*.d build/host/$(1)/*/*/*.d)
endef

# $(call host_objects,NAME,SOURCES): the objects of NAME for the core, the pretend machine and these.
host_objects = $(patsubst %.c,build/host/$(1)/%.o,$(HOST_CORE) $(HOST_SRC) $(2))
HOST_LINK := -Wl,--wrap=frame_pool_alloc -Wl,--wrap=frame_pool_take

# ---- the labs' tests on the host: a program each, labs/.../tests/X.c with the core and the pretend machine ----
# One with a line "/* HOST_DEFINES: -DX=7 */" has a core of its own, built with that.

host_defines = $(shell sed -n 's,^/\* HOST_DEFINES: \(.*\) \*/$$,\1,p' $(1))
LAB_FLAGS := -O1 $(HOST_SANITIZE) -I. -DMAX_DOMAINS=6 -DTLB_CLOCK_START=0xfffffffdu

# $(call lab_config,NAME,MORE FLAGS)
define lab_config
$(call host_config,$(1),$(CC),$(LAB_FLAGS) $(2))
build/host/$(1)/labs/%.o: labs/%.c labs/build.mk | deps-check
	@mkdir -p $$(@D)
	$$(call say,HOSTCC) $(CC) $(HOST_FLAGS) $(LAB_FLAGS) $(2) -MMD -MP -c -o $$@ $$<
build/host/$(1)/guestos/%.o: guestos/%.c labs/build.mk | deps-check
	@mkdir -p $$(@D)
	$$(call say,HOSTCC) $(CC) $(HOST_FLAGS) $(LAB_FLAGS) $(2) -MMD -MP -c -o $$@ $$<
-include $$(wildcard build/host/$(1)/labs/*/tests/*.d)
endef
$(eval $(call lab_config,lab))

# $(call lab_program,SOURCE,NAME)
define lab_program
build/$(1:.c=): $(call host_objects,$(2),guestos/mini/observe.c $(1))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@) $(CC) -m32 $(HOST_SANITIZE) $(HOST_LINK) -o $$@ $$(filter %.o,$$^)
endef
$(foreach t,$(HOST_TESTS),$(if $(call host_defines,$t),\
	$(eval $(call lab_config,lab-$(basename $(notdir $t)),$(call host_defines,$t)))\
	$(eval $(call lab_program,$t,lab-$(basename $(notdir $t)))),\
	$(eval $(call lab_program,$t,lab))))
CHECK_NEEDS += $(HOST_TESTS:%.c=build/%)
CHECK_QUICK_NEEDS += $(HOST_TESTS:%.c=build/%)

# ---- the labs' tests in Linux: a program each, and the C library that they are linked with, to run with them ----

LINUX_PROGRAMS := $(LINUX_TESTS:%.c=build/%.elf)
LINUX_LIBRARIES := $(addprefix build/guestos/glibc/,ld-linux.so.2 libc.so.6)
LINUX_FLAGS := -m32 -march=i686 -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -I. -Itests

build/tests/linux/%.o: %.c labs/build.mk | deps-check
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(LINUX_FLAGS) -MMD -MP -c -o $@ $<

$(LINUX_PROGRAMS): build/%.elf: build/tests/linux/%.o build/tests/linux/guestos/mini/observe.o | $(LINUX_LIBRARIES)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -m32 -Wl,-rpath,/lib -o $@ $^

# Domain 0 of some of them creates others.
LINUX_TEST_TOOLS := $(if $(LINUX_TESTS),build/atl)

$(LINUX_LIBRARIES): | deps-check
	@mkdir -p $(@D)
	$(call say,COPY,$@)cp -L "$$($(CC) -m32 -print-file-name=$(@F))" $@

.SECONDARY: $(LINUX_TESTS:%.c=build/tests/linux/%.o)
-include $(wildcard build/tests/linux/labs/*/tests/*.d build/tests/linux/guestos/mini/*.d)
CHECK_NEEDS += $(LINUX_PROGRAMS) $(LINUX_TEST_TOOLS)
