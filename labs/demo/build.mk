# SPDX-License-Identifier: MIT
#
# What each lab has to show: labs/.../demo/. A show.c there is a guest on mini, a crimes.c part of the vandal.

DEMO_SHOWS := $(patsubst %.c,build/%.elf,$(wildcard labs/*/demo/show.c))
VANDAL_OBJ := $(patsubst %.c,build/%.c.o,labs/demo/vandal.c $(sort $(wildcard labs/*/demo/crimes.c)))
DEMO_OBJ := $(patsubst %.c,build/%.c.o,$(filter-out %/crimes.c,$(wildcard labs/*/demo/*.c)))
DEMO_NEEDS := build/labs/demo/vandal.elf $(DEMO_SHOWS)

build/labs/demo/vandal.elf: $(VANDAL_OBJ) $(MINI_OBJ) guestos/mini/mini.lds
	$(call say,LINK,$@)$(LD) $(MINI_LDFLAGS) -T guestos/mini/mini.lds -o $@ $(filter %.o,$^) $(MINI_LIBGCC)

# What else there is in a show's folder belongs to it.
define demo_show
$(1): $(filter $(dir $(1))%,$(DEMO_OBJ)) $(MINI_OBJ) guestos/mini/mini.lds
	$$(call say,LINK,$$@)$$(LD) $$(MINI_LDFLAGS) -T guestos/mini/mini.lds -o $$@ $$(filter %.o,$$^) $$(MINI_LIBGCC)
endef
$(foreach show,$(DEMO_SHOWS),$(eval $(call demo_show,$(show))))

$(VANDAL_OBJ): MINI_CFLAGS += -Ilabs/demo

# Domain 0 can create the vandal, too.
ifdef INITRAMFS_FULL
INITRAMFS_ADD += build/labs/demo/vandal.elf=/boot/vandal
$(INITRAMFS_FULL): build/labs/demo/vandal.elf
endif

DEMO_LAB := $(if $(LAB),$(firstword $(wildcard labs/lab$(LAB)-*/demo)))
DEMO_SYSTEM := $(if $(KEYS),,$(if $(wildcard $(DEMO_LAB)/session),$(LINUX_NEEDS) $(DISK_NEEDS)))
DEMO_FLAGS = $(if $(KEYS),--keys='$(KEYS)') $(if $(EMU),--emu='$(EMU)') $(if $(HYPERVISOR),--hypervisor='$(HYPERVISOR)')

.PHONY: demo demo-needs
demo: | deps-run	## shows what a lab is about, then lets the vandal loose: LAB=3 (KEYS=abc, EMU=bochs)
	@$(if $(DEMO_LAB),$(MAKE) demo-needs >&2,:)
	@tools/demo --lab='$(LAB)' $(DEMO_FLAGS)$(leave_status)
demo-needs: $(or $(HYPERVISOR),build/atelier.elf build/atelier-debug.elf) $(DEMO_NEEDS) $(DEMO_SYSTEM)
	@:

CHECK_NEEDS += $(DEMO_NEEDS)
CHECK_QUICK_NEEDS += $(DEMO_NEEDS)

-include $(wildcard build/labs/demo/*.d build/labs/*/demo/*.d)
