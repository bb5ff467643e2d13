# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# A thin face on meson and the scripts beside it; `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

CACHE := $(or $(FIREBREAK_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/firebreak)
NATIVE := build/native
ARM64 := build/arm64
# Host kernel of the lab: a name under the cache's kernels/, or a folder with Image and modules.
KERNEL ?= newest
PREFIX ?= /usr/local

export FIREBREAK_CACHE := $(CACHE)

.PHONY: help
help: ## this list
	@echo "firebreak: arm64 virtual machines that survive bad memory"
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | \
		while IFS=$$'\t' read -r t d; do printf '  make %-14s %s\n' "$$t" "$$d"; done

.PHONY: setup
setup: ## install the Debian packages a build needs (as root), fetch kernels and arm64 userland into the cache
	@lab/setup

$(NATIVE)/build.ninja: | setup
	@echo "configuring the native build (ASan, UBSan)"
	@meson setup $(NATIVE) . -Db_sanitize=address,undefined -Db_lundef=false >build/native.log || \
		{ cat build/native.log; exit 1; }

# Meson keeps what a cross file said the first time.
$(ARM64)/build.ninja: tools/meson/aarch64.ini | setup
	@echo "configuring the arm64 build (static)"
	@meson setup $(if $(wildcard $@),--wipe) $(ARM64) . --cross-file tools/meson/aarch64.ini \
		-Darm64_sysroot=$(CACHE)/sysroot/arm64 >build/arm64.log || { cat build/arm64.log; exit 1; }

.PHONY: native
native: setup builddir $(NATIVE)/build.ninja ## build library, tools and tests for this machine, with sanitizers
	@ninja -C $(NATIVE)

.PHONY: arm64
arm64: setup builddir $(ARM64)/build.ninja ## cross-build the monitor, the guest programs and the scenarios for arm64
	@ninja -C $(ARM64)

.PHONY: builddir
builddir:
	@mkdir -p build

.PHONY: kmod
kmod: setup builddir ## build the sea-inject module against the lab's host kernels
	@lab/kmod-build $(KERNEL) kmod build/kmod/$(KERNEL)

.PHONY: guests
guests: arm64 ## make the guests' initial RAM disks
	@guest/mkinitrd --all build/guest

.PHONY: demo
demo: arm64 kmod guests lab-runner ## four acts in the lab: what a bad page costs without firebreak, and with it (ACT=N for one)
	@demo/run $(if $(ACT),--act $(ACT)) --kernel $(KERNEL)

.PHONY: debian-image
debian-image: setup ## make a Debian arm64 root file system for a guest, with systemd and servers (once, some minutes)
	@guest/debian/build

build/guest/debian.cpio: guest/mkinitrd guest/handover build/arm64/guest/aim
	@mkdir -p build/guest
	@guest/mkinitrd --handover 6.12 $@

.PHONY: debian-guest
debian-guest: arm64 kmod debian-image
	@$(MAKE) build/guest/debian.cpio

.PHONY: demo-debian
demo-debian: debian-guest lab-runner ## real work in a Debian guest, redis and nginx under load, while its memory goes bad
	@demo/run-debian --kernel $(KERNEL)

.PHONY: test-debian
test-debian: debian-guest lab-runner ## the same as a test: some minutes, and not a part of `make test`
	@tests/run --only debian --kernel $(KERNEL)

.PHONY: test
test: native arm64 kmod guests lab-runner ## every test: unit, golden, fuzz corpora, embedding, lab, SEA table, contract, scenarios
	@tests/run --kernel $(KERNEL)

# The lab's host kernels that are built here. Those of 6.12 and 7 without the series are Debian's own; 6.12-stock and
# 7-stock are for bench/kernels, which compares kernels of one configuration.
KERNELS ?= 6.12-firebreak 7-firebreak
DEBUG_KERNELS := 6.12-firebreak-debug 7-firebreak-debug

.PHONY: kernels
kernels: ## build host kernels with our patch series for the lab (KERNELS="6.12-firebreak 7-firebreak 7-stock ...")
	@lab/setup
	@kernel/build $(KERNELS)

# What `make test` has run already (the newest kernel: all of it; 6.12: sea and contract) is left out, unless ALL is set.
TEST_KERNELS := selftests@newest $(if $(ALL),sea@newest contract@newest scenarios@newest) \
	selftests@6.12 $(if $(ALL),sea@6.12 contract@6.12) scenarios@6.12 \
	$(foreach k,7-firebreak 6.12-firebreak,selftests@$(k) sea@$(k) contract@$(k) scenarios@$(k))
# Their checks make kernels slow: one guest's story of each way in, beside all that needs no guest.
TEST_DEBUG := $(foreach k,$(DEBUG_KERNELS),selftests@$(k) sea@$(k) contract@$(k) scenarios@$(k))

.PHONY: test-kernels
test-kernels: arm64 guests lab-runner ## the suites and KVM's selftests on stock and patched kernels (DEBUG=1: with lockdep and KASAN; ALL=1)
	@kernel/build $(if $(DEBUG),$(DEBUG_KERNELS),6.12-firebreak 7-firebreak)
	@$(if $(DEBUG),SCENARIO="$(or $(SCENARIO),01-anonymous 24-host-poison-consumed)") tests/run --only "$(if $(DEBUG),$(TEST_DEBUG),$(TEST_KERNELS))"

.PHONY: test-unit
test-unit: native ## the native tests only: unit, golden, fuzz corpora, embedding
	@tests/run --only native

.PHONY: scenarios
scenarios: arm64 kmod guests lab-runner ## the scenarios only (SCENARIO=NAME for one)
	@tests/run --only scenarios --kernel $(KERNEL)

.PHONY: lab-runner
lab-runner: setup native-lab

.PHONY: native-lab
native-lab: builddir $(NATIVE)/build.ninja
	@ninja -C $(NATIVE) lab/firebreak-lab >/dev/null

.PHONY: lab
lab: lab-runner ## an interactive shell on the emulated arm64 KVM host
	@lab/lab shell

.PHONY: fuzz
fuzz: builddir ## run every fuzz target for FUZZ_SECONDS (30), or FUZZ_RUNS executions, from the committed corpora
	@lab/setup --with fuzz
	@tests/fuzz/run $(if $(FUZZ_RUNS),--runs $(FUZZ_RUNS),$(or $(FUZZ_SECONDS),30))

.PHONY: bench
bench: arm64 kmod guests lab-runner ## instructions and memory, side by side with a bare handler, in the deterministic lab
	@bench/run --kernel $(KERNEL)

.PHONY: bench-vmm
bench-vmm: arm64 kmod guests lab-runner ## the whole monitor beside Debian's arm64 QEMU, in the deterministic lab (long)
	@bench/vmm --kernel $(KERNEL)

.PHONY: golden-update
golden-update: native ## rewrite the golden ACPI tables after a change that was meant
	@ninja -C $(NATIVE) golden-update golden-lib-update golden-cli-update

.PHONY: install
install: native ## install library, headers, tools and man pages below PREFIX (/usr/local)
	@meson setup build/release . --buildtype=release --prefix=$(PREFIX) -Dtests=false -Dexamples=false --reconfigure >/dev/null 2>&1 || \
		meson setup build/release . --buildtype=release --prefix=$(PREFIX) -Dtests=false -Dexamples=false >/dev/null
	@meson install -C build/release

.PHONY: clean
clean: ## remove what was built (the cache stays)
	rm -rf build

.PHONY: distclean
distclean: clean ## remove what was built, and the cache
	rm -rf "$(CACHE)"
