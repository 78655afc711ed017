# SPDX-License-Identifier: MIT
#
# What each lab has to show: labs/.../demo/. A show.c there is a guest on mini, a crimes.c part of the vandal.

DEMO_SHOWS := $(patsubst %.c,build/%.elf,$(wildcard labs/*/demo/show.c))
DEMO_OBJ := $(patsubst %.c,build/%.c.o,labs/demo/vandal.c $(sort $(wildcard labs/*/demo/crimes.c)))
DEMO_NEEDS := build/labs/demo/vandal.elf $(DEMO_SHOWS)
DEMO_LINUX := $(if $(wildcard labs/lab4-segmentation),$(LINUX_NEEDS))

build/labs/demo/vandal.elf: $(DEMO_OBJ) $(MINI_OBJ) guestos/mini/mini.lds
	$(call say,LINK,$@)$(LD) $(MINI_LDFLAGS) -T guestos/mini/mini.lds -o $@ $(filter %.o,$^) $(MINI_LIBGCC)

$(DEMO_OBJ) $(DEMO_SHOWS:.elf=.c.o): MINI_CFLAGS += -Ilabs/demo

CHECK_NEEDS += $(DEMO_NEEDS)
CHECK_QUICK_NEEDS += $(DEMO_NEEDS)

.SECONDARY: $(DEMO_SHOWS:.elf=.c.o)
-include $(wildcard build/labs/demo/*.d build/labs/*/demo/*.d)
