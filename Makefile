# SPDX-License-Identifier: MIT
#
# Everything starts here: `make help` lists it. Parts of the tree bring their rules along in a build.mk of
# their own; a tree that lacks a part lacks its build.mk, and nothing here is edited for that.
#
#	make V=1	shows commands instead of names
#	make JOBS=1	one thing at a time

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build/atelier.elf

JOBS ?= $(shell nproc)
ifeq ($(MAKELEVEL) $(filter -j%,$(MAKEFLAGS)),0 )
MAKEFLAGS += -j$(JOBS)
endif
export JOBS

CC	:= gcc
LD	:= ld
AR	:= ar
NM	:= nm
OBJCOPY	:= objcopy
PYTHON	:= /usr/bin/python3

# $(call say,CC) in front of a command: a quiet line with what is made, `  CC      src/paging.c`. A second
# argument says it in other words.
ifeq ($(V),1)
say =
else
say = @printf '  %-7s %s\n' '$(1)' '$(or $(2),$(patsubst build/%.o,%,$@))';
endif

# ---- packages ----

# Whoever needs Debian packages has `| deps-GROUP`; tools/deps says what is in a group, and does nothing
# where they are installed.
DEPS := build run linux disk bochs iso check gdb bench doctor grade class slurm handouts
.PHONY: deps $(DEPS:%=deps-%)
deps:		## installs the Debian packages that everything here needs
	@tools/deps $(DEPS)
$(DEPS:%=deps-%): deps-%:
	@tools/deps $*

# ---- the parts ----

# Each adds to these what its system or its tests need.
LINUX_NEEDS :=
DISK_NEEDS :=
MINI_NEEDS :=
CHECK_NEEDS :=
CHECK_QUICK_NEEDS :=

include $(sort $(wildcard src/build.mk guestos/*/build.mk grader/build.mk labs/build.mk labs/demo/build.mk tools/*/build.mk \
	tests/build.mk tests/*/build.mk bench/build.mk handouts/build.mk))

# ---- run ----

# Before the port of Linux is there, mini is the guest.
ifeq ($(wildcard guestos/linux),)
GUEST ?= mini
endif

# What a person gives to `make run` goes to tools/run letter for letter: make expands no dollar in it.
RUN_WORDS := cmd=CMD cmdline=CMDLINE disk=DISK emu=EMU forward=FORWARD guest=GUEST hypervisor=HYPERVISOR \
	image=IMAGE initrd=INITRD kvm=KVM mem=MEM net=NET options=OPTIONS snapshot=SNAPSHOT
word_option = $(firstword $(subst =, ,$(1)))
word_name = $(lastword $(subst =, ,$(1)))
define pass_word
unexport $(1)
export ATELIER_$(1) := $$(value $(1))
endef
$(foreach word,$(RUN_WORDS),$(eval $(call pass_word,$(call word_name,$(word)))))
RUN_FLAGS = $(foreach word,$(RUN_WORDS),$(if $(value $(call word_name,$(word))),\
	--$(call word_option,$(word))="$$ATELIER_$(call word_name,$(word))"))

# make itself knows the statuses 0, 1 and 2 alone, and has something to say about each but 0. This small
# extension of it ends it with the status that a recipe leaves: `exit 3` in a domain is no failure of make.
ifneq ($(filter run demo check check-quick gdb gdb-server bochs-debug doctor,$(MAKECMDGOALS)),)
-load build/tools/make_status.so
endif
leave_status = ; echo $$? >build/status.$$PPID
build/tools/make_status.so: tools/make_status.c | deps-build
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $< >&2

# In a student's tree: is it one of these files? tools/fresh builds the hypervisor with the staff's.
ifneq ($(value FRESH),)
HYPERVISOR := build/fresh/build/atelier.elf
.PHONY: $(HYPERVISOR)
$(HYPERVISOR):
	+@tools/fresh $(FRESH)
endif

# Whoever names a disk, or says DISK=none, does without ours.
GUEST_NEEDS = $(if $(filter mini,$(GUEST)),$(MINI_NEEDS),$(LINUX_NEEDS) $(if $(value DISK),,$(DISK_NEEDS)))
EMU_DEPS = $(if $(filter bochs,$(EMU)),deps-bochs deps-iso,deps-run)
.PHONY: run run-needs
# (First the words, so that nobody waits for a build to hear of a slip; the build's own lines are no output.)
run:		## boots the system in QEMU, to a root shell here; CMD='…' EMU=bochs GUEST=mini MEM=512 KVM=1 …
	@tools/deps $(EMU_DEPS:deps-%=%) >&2
	@tools/run --words-only $(RUN_FLAGS)$(leave_status)
	@grep -qsx 0 build/status.$$PPID || exit 0; $(MAKE) run-needs >&2 || { rm build/status.$$PPID; exit 2; }
	@grep -qsx 0 build/status.$$PPID || exit 0; tools/run $(RUN_FLAGS)$(leave_status)
run-needs: $(or $(HYPERVISOR),build/atelier.elf) $(GUEST_NEEDS)
	@:

# ---- images and debugging ----

.PHONY: iso gdb
iso: build/atelier.iso	## build/atelier.iso: the system for GRUB on a PC, in QEMU and in Bochs
build/atelier.iso: build/atelier.elf $(LINUX_NEEDS) $(MINI_NEEDS) tools/mkiso | deps-iso
	$(call say,ISO) tools/mkiso $@

# A lab's test as it is graded, or the system of `make run`; what is debugged is the build that remembers more.
GDB_WORDS := lab=LAB test=TEST seed=SEED submission=SUBMISSION hypervisor=HYPERVISOR
$(foreach word,LAB TEST SEED SUBMISSION SCRIPT SECONDS,$(eval $(call pass_word,$(word))))
GDB_FLAGS = $(if $(filter-out 0,$(REVERSE)),--reverse) $(if $(value SCRIPT),--script="$$ATELIER_SCRIPT")
gdb_lab = tools/debug $(foreach word,$(GDB_WORDS),$(if $(value $(call word_name,$(word))),\
	--$(call word_option,$(word))="$$ATELIER_$(call word_name,$(word))")) $(GDB_FLAGS) $(if $(filter bochs,$(EMU)),--bochs)
gdb_system = tools/run --gdb $(if $(value HYPERVISOR),,--hypervisor=build/atelier-debug.elf) $(RUN_FLAGS) $(GDB_FLAGS) \
	$(if $(value SECONDS),--seconds="$$ATELIER_SECONDS")
gdb_test = $(filter build/labs/lab$(LAB)-%/tests/$(TEST)$(1),$(2))
gdb_lab_needs = build/atelier-debug.elf $(filter build/labs/lab$(LAB)-%,$(MINI_TESTS)) \
	$(call gdb_test,,$(HOST_TESTS:%.c=build/%)) $(if $(call gdb_test,.elf,$(LINUX_PROGRAMS)),$(LINUX_NEEDS) $(if $(filter 9,$(LAB)),$(DISK_NEEDS)) \
	$(LINUX_TEST_TOOLS) $(filter build/labs/lab$(LAB)-%,$(LINUX_PROGRAMS)))
gdb: $(if $(value LAB),$(if $(value SUBMISSION),,$(gdb_lab_needs)),build/atelier-debug.elf run-needs) | deps-run deps-gdb	## GDB on the system, or on a test: LAB=3 TEST=batch SEED=1; REVERSE=1 SUBMISSION=…
	@$(if $(value LAB),$(gdb_lab),$(gdb_system))$(leave_status)

.PHONY: gdb-server bochs-debug
gdb-server: $(gdb_lab_needs) | deps-run deps-gdb	## a test for a GDB that an editor starts: LAB=3 TEST=batch SEED=1; REVERSE=1
	@$(gdb_lab) --server$(leave_status)

bochs-debug: $(if $(value LAB),$(if $(value SUBMISSION),,$(gdb_lab_needs)),build/atelier-debug.elf $(MINI_NEEDS)) | deps-bochs	## mini, or a test, in Bochs with its own debugger: LAB=4 TEST=gdt SEED=1 SUBMISSION=…
	@$(gdb_lab) --bochs$(leave_status)

# ---- grading ----

# With TEST=, what it boots has to be there: the test says what is not.
.PHONY: grade
grade: $(if $(TEST)$(filter 1 2 3,$(LAB)),,$(LINUX_NEEDS) $(if $(filter-out 9,$(LAB)),,$(DISK_NEEDS))) | deps-build deps-run deps-bochs deps-check deps-grade	## grades this tree on LAB=3 (all labs, if left out); TEST=name SEED=1
	@grader/grade $(if $(LAB),--lab $(LAB)) $(if $(TEST),--test $(TEST)) $(if $(SEED),--seed $(SEED)) .

# ---- for people who read and write the source ----

doctor: | deps-doctor	## tries on this machine what Atelier needs of one, and says what to do
	@tools/doctor$(leave_status)

C_FILES = $(sort $(wildcard src/*.[ch] src/*/*.[ch] guestos/mini/*.[ch] labs/*/tests/*.[ch] tests/*/*.[ch]))
.PHONY: doctor format clean help
format: | deps-check	## lays the C out as .clang-format says
	$(call say,FORMAT,$(words $(C_FILES)) files)tools/format $(C_FILES)

compile_commands.json: $(MAKEFILE_LIST) tools/compile-commands	## for clangd and other editors
	$(call say,GEN)$(MAKE) --dry-run --always-make V=1 build/atelier.elf $(MINI_NEEDS) | tools/compile-commands >$@

tags: $(C_FILES) $(wildcard src/pc/*.S) | deps-check	## for editors: where each name is defined
	$(call say,TAGS)ctags -f $@ $^

clean:		## forgets what was built, but for Linux, Debian's packages and the disk (`rm -r build` does all)
	@find build -mindepth 1 -maxdepth 1 ! -name linux ! -name initramfs ! -name disk -exec rm -r {} +

help:		## this list
	@sed -n 's/^\([a-z][a-zA-Z0-9_./-]*\):.*##  *\(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | \
		awk -F '\t' '{ printf "  make %-22s %s\n", $$1, $$2 }'
