# SPDX-License-Identifier: MIT
# Tests of the C on the host: the files of src/ that decide, with the pretend machine of tests/host/ under them (labs/build.mk),
# and all the suites together.

# ---- unit tests: `make unit`, or one file's: `make unit TEST=frame_test.c` ----

UNIT_SRC := $(wildcard tests/unit/*.c)
$(eval $(call host_config,unit,$(CC),-O1 $(HOST_SANITIZE) -DMAX_DOMAINS=6 -DTLB_CLOCK_START=0xfffffffdu -DRING_START=0xfffffffbu \
	-DFRAME_COUNT_MAX=40 -DVBD_POOL=20u -DLOOKS_A_STEP=64u))

build/host/unit/run: $(call host_objects,unit,$(UNIT_SRC))
	$(call say,LINK,$@) $(CC) -m32 $(HOST_SANITIZE) $(HOST_LINK) -o $@ $^

.PHONY: unit
unit: build/host/unit/run	## the unit tests; TEST=frame_test.c: one file's
	@$< $(TEST)

# ---- drivers, over devices that do what they should not ----

$(eval $(call host_config,drivers,$(CC),-O1 $(HOST_SANITIZE) -iquote tests/drivers))
DRIVERS_OBJ := $(patsubst %.c,build/host/drivers/%.o,src/pc/ide.c $(wildcard tests/drivers/*.c) tests/unit/main.c)

build/host/drivers/run: $(DRIVERS_OBJ)
	$(call say,LINK,$@) $(CC) -m32 $(HOST_SANITIZE) -o $@ $^

.PHONY: drivers
drivers: build/host/drivers/run	## the disk driver's tests, on drives that fail in each way
	@$<

# ---- the explorer: every state of a tiny domain ----

PAIR_SRC := $(wildcard tests/explore/pair*.c) tests/explore/symbols.c
EXPLORE_SRC := $(filter-out tests/explore/pair%,$(wildcard tests/explore/*.c))

# $(call explore_config,NAME,OWN FRAMES,SLOTS,MORE FLAGS)
define explore_config
$(call host_config,explore-$(1),$(CC),-O3 -fno-pie -DOWN=$(2)u -DTABLE_ENTRIES=$$(shell expr $(3) + 1)u -DGUEST_SLOTS=$(3)u \
	-DMAX_DOMAINS=2 -DHOST_SLOTS=2u -DHOST_FRAMES=16u -DFRAME_COUNT_MAX=7 -DHOST_EMPTY_TEMPLATE=1 -DAUDIT_DESCRIPTORS=8 \
	-DVBD_REQUESTS=1u -DVBD_POOL=1u $(4))
build/host/explore-$(1)/explore: $(call host_objects,explore-$(1),$(EXPLORE_SRC))
	$$(call say,LINK,$$@) $(CC) -m32 -no-pie $(HOST_LINK) -o $$@ $$^
endef

# The smallest can always afford full tables: what -f asks of the others.
$(eval $(call explore_config,2x1,2,1,-DUSED_WORDS=WORDS))
$(eval $(call explore_config,2x2,2,2))
$(eval $(call explore_config,3x1,3,1))
$(eval $(call explore_config,3x2,3,2))

# Two domains: tests/explore/pair.h.
define pair_config
$(call host_config,explore-$(1),$(CC),-O3 -fno-pie -DTABLE_ENTRIES=2u -DGUEST_SLOTS=1u -DMAX_DOMAINS=2 -DHOST_SLOTS=2u -DHOST_FRAMES=16u \
	-DFRAME_COUNT_MAX=7 -DHOST_EMPTY_TEMPLATE=1 -DAUDIT_DESCRIPTORS=8 -DVBD_REQUESTS=1u -DVBD_POOL=1u $(2))
build/host/explore-$(1)/explore: $(call host_objects,explore-$(1),$(PAIR_SRC))
	$$(call say,LINK,$$@) $(CC) -m32 -no-pie $(HOST_LINK) -o $$@ $$^
endef
$(eval $(call pair_config,pair,-DPLAY=2u))
$(eval $(call pair_config,pair-events,-DPLAY=1u -DPAIR_EVENTS=1))

# tests/explore/explore.c says what the options are.
EXPLORE_QUICK := 2x1 3x1 2x2 2x2-full pair pair-events
.PHONY: explore explore-quick $(EXPLORE_QUICK:%=explore-%) explore-3x2
explore-quick: $(EXPLORE_QUICK:%=explore-%)	## every state of small domains, alone and two together, in a minute
explore: explore-quick explore-3x2		## the same of a larger one, in a quarter of an hour
explore-2x1 explore-3x1 explore-2x2: explore-%: build/host/explore-%/explore
	@$< -b $(EXPLORE_STATES)
explore-2x2-full: build/host/explore-2x2/explore
	@$< -f -r $(EXPLORE_STATES)
explore-pair explore-pair-events: explore-%: build/host/explore-%/explore
	@$<
explore-3x2: EXPLORE_STATES ?= 20000000
explore-3x2: build/host/explore-3x2/explore
	@$< -r $(EXPLORE_STATES)

# ---- fuzzers: `make fuzz SECONDS=60`; their corpora are replayed by every check ----

FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -UDEBUG -DDEBUG=0
FUZZ_SMALL := -DTABLE_ENTRIES=16u -DGUEST_SLOTS=6u -DHOST_VA=0x400000u -DMAX_DOMAINS=3 -DHOST_SLOTS=3u -DHOST_FRAMES=64u \
	-DFRAME_COUNT_MAX=24 -DTLB_CLOCK_START=0xfffffff0u -DVBD_REQUESTS=6u -DVBD_POOL=6u
FUZZERS := paging dispatch descriptors builder extents headers ring events shares
SECONDS ?= 60

# Coverage of the core alone leads the fuzzer; the auditors' would only slow it down.
FUZZ_COVERAGE := -fsanitize-coverage=inline-8bit-counters,pc-table
$(eval $(call host_config,fuzz-small,clang,-O2 $(FUZZ_SANITIZE) $(FUZZ_SMALL),$(FUZZ_COVERAGE)))
$(eval $(call host_config,fuzz-full,clang,-O2 $(FUZZ_SANITIZE) -DMAX_DOMAINS=3 -DHOST_SLOTS=3u -DHOST_FRAMES=64u,$(FUZZ_COVERAGE)))

$(eval $(call host_config,fuzz-net,clang,-O2 $(FUZZ_SANITIZE) -DTABLE_ENTRIES=32u -DGUEST_SLOTS=6u -DHOST_VA=0x400000u -DAUDIT_DESCRIPTORS=8 \
	-DMAX_DOMAINS=3 -DHOST_SLOTS=3u -DHOST_FRAMES=192u,$(FUZZ_COVERAGE)))

$(eval $(call host_config,fuzz-many,clang,-O2 $(FUZZ_SANITIZE) -DTABLE_ENTRIES=16u -DGUEST_SLOTS=6u -DHOST_VA=0x400000u -DAUDIT_DESCRIPTORS=8 \
	-DMAX_DOMAINS=6 -DHOST_SLOTS=6u -DHOST_FRAMES=80u -DRING_START=0xfffffff8u -DVBD_REQUESTS=6u -DVBD_POOL=6u,$(FUZZ_COVERAGE)))

# $(call fuzzer,NAME,CONFIGURATION)
define fuzzer
build/host/fuzz/$(1): $(call host_objects,$(2),tests/fuzz/$(1)_fuzz.c)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@) clang -m32 $(FUZZ_SANITIZE) -fsanitize=fuzzer $(HOST_LINK) -o $$@ $$^
endef
$(eval $(call fuzzer,paging,fuzz-small))
$(eval $(call fuzzer,dispatch,fuzz-small))
$(eval $(call fuzzer,descriptors,fuzz-full))
$(eval $(call fuzzer,builder,fuzz-full))
$(eval $(call fuzzer,extents,fuzz-small))
$(eval $(call fuzzer,headers,fuzz-net))
$(eval $(call fuzzer,ring,fuzz-many))
$(eval $(call fuzzer,events,fuzz-many))
$(eval $(call fuzzer,shares,fuzz-many))

.PHONY: fuzz fuzz-replay
fuzz-replay: $(FUZZERS:%=build/host/fuzz/%)	## the fuzzers' corpora once more
	@for f in $(FUZZERS); do build/host/fuzz/$$f -runs=0 tests/fuzz/corpus/$$f 2>&1 | tests/fuzz/summary $$f || exit 1; done

# New inputs that reach something new are left in build/host/fuzz/new/: `make fuzz-keep` takes the few that matter.
fuzz: $(FUZZERS:%=fuzz-%)	## looks for new faults, SECONDS=60 each
fuzz-%: build/host/fuzz/%
	@mkdir -p build/host/fuzz/new/$*
	@cd build/host/fuzz && ./$* -max_total_time=$(SECONDS) -max_len=1024 -print_final_stats=1 new/$* ../../../tests/fuzz/corpus/$* 2>&1 | \
		../../../tests/fuzz/summary $*
.PHONY: fuzz-keep
fuzz-keep: $(FUZZERS:%=build/host/fuzz/%)	## the smallest set of inputs that reaches as much becomes the corpus
	@for f in $(FUZZERS); do mkdir -p tests/fuzz/corpus/$$f build/host/fuzz/new/$$f && \
		build/host/fuzz/$$f -merge=1 -use_counters=0 -max_len=256 tests/fuzz/corpus/$$f build/host/fuzz/new/$$f 2>&1 | tail -1; done

# ---- proofs, and mutants ----

# What ties the models to the code: tests/models/replay.c.
build/host/unit/replay: $(call host_objects,unit,tests/models/replay.c)
	$(call say,LINK,$@) $(CC) -m32 $(HOST_SANITIZE) $(HOST_LINK) -o $@ $^

.PHONY: prove models mutants kill-matrix
prove: | deps-check	## proves the rules of descriptors, ranges and flags for all inputs; PROOF=segment: those alone
	@$(PYTHON) tests/prove/prove.py $(PROOF)

models: build/host/unit/replay | deps-check	## searches the models of events, rings and barriers, and replays their traces
	@tests/models/run

mutants: | deps-check	## does every known mistake get caught? MUTANT=name: that one alone
	@$(PYTHON) tests/mutants/run $(MUTANT)

kill-matrix: $(LINUX_NEEDS) $(DISK_NEEDS) | deps-build deps-run deps-bochs deps-check	## is every wrong solution of the labs caught, and no right one? LAB=3: of that lab
	@tools/kill-matrix $(if $(LAB),--lab $(LAB)) && tools/kill-matrix --different $(if $(LAB),--lab $(LAB))

# Twice as many at a time as there are processors: that no test minds how long it is kept waiting is what is shown.
SEEDS ?= 20
.PHONY: seeds
seeds: $(LINUX_NEEDS) $(DISK_NEEDS) | deps-build deps-run deps-bochs deps-check	## do the solved labs pass with any of SEEDS=20 seeds, and equal seeds leave equal traces? LAB=3
	@grader/run-tests --solved --seeds $(SEEDS) --twice --jobs $$((2 * $(JOBS))) $(if $(LAB),--lab $(LAB))

# ---- everything ----

.PHONY: check check-quick check-long house
check: build/atelier.elf $(LINUX_NEEDS) $(DISK_NEEDS) $(MINI_NEEDS) $(CHECK_NEEDS) | deps-build deps-run deps-linux deps-bochs deps-iso deps-check deps-gdb deps-class deps-slurm	## every test of the project
	@tests/run$(leave_status)

check-quick: build/atelier.elf $(MINI_NEEDS) $(CHECK_QUICK_NEEDS) | deps-build deps-run deps-check deps-class deps-slurm	## the tests that need no Linux, in two minutes
	@tests/run --quick$(leave_status)

check-long: build/atelier.elf $(LINUX_NEEDS) $(DISK_NEEDS) | deps-build deps-run deps-bochs deps-check	## what takes longer: the mutants, the explorer on the largest of its machines, twenty seeds of every lab, every wrong solution, a class of a hundred, fifty power cuts, a Debian in Bochs
	@$(MAKE) mutants explore && $(MAKE) seeds && $(MAKE) kill-matrix
	@tests/handouts/run long
	@CUTS=50 tests/boot/run power debian:a_debian_serves_a_page_in_bochs_too

house: build/atelier.elf | deps-check	## are the layers kept, and the style?
	@tests/house
