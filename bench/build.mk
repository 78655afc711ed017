# SPDX-License-Identifier: MIT
#
# The evaluation: the same Linux on the bare machine and on Atelier, in one emulator.
#
#	make bench			everything
#	make bench WORKLOAD=disk	one group of workloads; micro: what is none; domains: many of them

BENCH_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-parameter
BENCH_TOOLS := build/bench/plugin.so build/bench/null_call.elf build/bench/neighbour.elf
# Static i386 programs that stand for themselves.
BENCH_PROGRAMS := build/bench/micro build/bench/mark build/bench/disk build/bench/worker
BENCH_NEEDS := $(BENCH_TOOLS) $(BENCH_PROGRAMS) build/atelier.elf build/linux/vmlinux \
	build/linux/native/arch/x86/boot/bzImage build/initramfs/small.cpio.lz4 build/initramfs/full.cpio.lz4 \
	build/disk/debian.img build/atl

.PHONY: bench bench-profile
bench: $(BENCH_NEEDS) | deps-bench	## the evaluation: tables and plots under build/bench/
	@bench/run $(WORKLOAD)

# ROW is one of micro.c's, or boot, or null_hypercall. SYMBOL: the code of this function with its counts.
bench-profile: $(BENCH_NEEDS) | deps-bench	## where one row's instructions go: ROW=fork_exit, and SYMBOL=function
	@bench/profile $(ROW) $(SYMBOL:%=--symbol %)

# tests/boot/neighbours.py, which takes minutes.
.PHONY: neighbours
neighbours: $(BENCH_NEEDS)	## many domains at once, and hostile ones: what each may cost the others
	@tests/boot/run neighbours

$(BENCH_PROGRAMS): build/bench/%: bench/%.c bench/mark.h | deps-build
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(BENCH_CFLAGS) -m32 -static -o $@ $<

build/bench/plugin.so: bench/plugin.c bench/mark.h | deps-build
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(BENCH_CFLAGS) -shared -fPIC -o $@ $<

# mini.elf stands for the objects of mini: its own fragment names them, and is read after this one.
build/bench/%.elf: bench/%.c bench/mark.h build/mini.elf | deps-build
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -iquote guestos/mini $(MINI_CFLAGS) -c -o build/bench/$*.o $< && \
		$(LD) $(MINI_LDFLAGS) -T guestos/mini/mini.lds -o $@ build/bench/$*.o $(MINI_OBJ) $(MINI_LIBGCC)
