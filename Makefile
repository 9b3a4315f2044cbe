# SPDX-License-Identifier: GPL-2.0-only
#
# make		build nf_srcroute.ko for the running kernel
# make help	what else there is

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

# Neither kbuild nor make itself can name such a place.
ifneq ($(words $(CURDIR)),1)
$(error srcroute: there is a blank in $(CURDIR), and kernel modules cannot be built there: move it to a directory without)
endif

# All but these leave what they make in out/; scripts/headers looks after the first.
ifneq ($(filter-out modules install clean help selftests,$(MAKECMDGOALS)),)
out := $(shell mkdir -p out 2>&1 && [ -w out ] && echo writable)
ifneq ($(out),writable)
$(error srcroute: $(CURDIR)/out cannot be written to$(if $(out), ($(out))): mend that, or work in a copy)
endif
endif

.DEFAULT_GOAL := modules
.PHONY: modules install clean help demo lab quick check check-debug check-long \
	check-hosts check-image check-lab check-packages kernels mutants mutants-long lint unit proof \
	fuzz coverage selftests bench srtrace field deb dist image judge

# Before and after kbuild's own messages, which say nothing of what to do.
why = scripts/headers $(1) '$(KDIR)' '$(KVER)' \
	'$(if $(filter command,$(origin CC)),$(CC))'

modules:
	@$(call why,before)
	@$(MAKE) -C $(KDIR) M=$(CURDIR) modules || $(call why,after)

install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install
	depmod $$($(MAKE) -s -C $(KDIR) kernelrelease)

clean:
	$(RM) -r out
	$(RM) nf_srcroute.ko nf_srcroute.o nf_srcroute.mod nf_srcroute.mod.[co]
	$(RM) .*.cmd kmod/*.o kmod/.*.cmd Module.symvers modules.order .module*

help:
	@echo 'make              build nf_srcroute.ko for the running kernel'
	@echo 'make KDIR=DIR     ... for the kernel whose headers are in DIR'
	@echo 'make install      install it, so that modprobe finds it'
	@echo 'make deb          Debian packages, in out/deb/'
	@echo 'make image        a disk for GNS3 and EVE-NG, in out/image/: docs/image.md'
	@echo 'make dist         a tarball of the commit and its bill of materials, out/dist/'
	@echo 'make clean        remove what was built'
	@echo 'make demo         the main job, shown on a real kernel in a VM'
	@echo 'make lab          a shell in a VM, among six routers with OSPF'
	@echo 'make lab HERE=1   ... on this machine: needs the module loaded, and root'
	@echo 'make quick        build, style, unit tests and the rules, in two minutes;'
	@echo '                  KERNEL=6.1, TEST=H7: on another kernel, only these'
	@echo 'make check        all tests, on Linux 6.12, and the rules on 6.1'
	@echo 'make check-debug  tests on kernels that notice what is wrong in them'
	@echo 'make check-long   20,000 datagrams against native Linux and a model,'
	@echo '                  a storm of 1,000,000, and as many around the hooks'
	@echo 'make kernels      all selftests on every supported kernel, 5.10 to the newest'
	@echo 'make kernels KERNELS="oldest newest"  ... on these'
	@echo 'make check-packages  those of make deb and make dist, in clean Debian 11 to 13;'
	@echo '                  SUITES=bookworm: in that one'
	@echo 'make check-lab    the labs: in a VM, without one, of containerlab; the examples'
	@echo 'make check-image  that of make image, started as GNS3 and EVE-NG do'
	@echo 'make check-hosts  make demo, check and kernels on a minimal Debian 12 and 13'
	@echo 'make mutants      do the tests notice every break of the code?'
	@echo 'make mutants-long  ... and 200 more, of which nobody has thought'
	@echo 'make lint         style and static checks of all sources'
	@echo 'make unit         tests of the option engine in user space'
	@echo 'make proof        ... and prove that it keeps its contract, and the hooks theirs'
	@echo 'make fuzz         ... with random options, till stopped; or SECONDS=N'
	@echo 'make coverage     ... and do they reach all of it?'
	@echo 'make field        srtrace beside the tracers of others: a table, in out/field.md'
	@echo 'make srtrace      the traceroute of source routes, in out/srtrace/'
	@echo 'make bench        what a forwarded datagram costs, in instructions'
	@echo 'make judge        srconform on the module and on native Linux: docs/judged.md;'
	@echo '                  KERNELS="oldest newest": on these'
	@echo 'make selftests    tests of the module, here: needs it loaded, and root'

demo:
	scripts/lab/demo

lab:
	scripts/lab/$(if $(HERE),here,shell)

quick:
	scripts/check/quick $(or $(KERNEL),6.12) $(TEST)

check:
	scripts/check/all

check-debug:
	scripts/check/debug

check-long:
	scripts/check/long

check-hosts:
	scripts/check/hosts

deb:
	scripts/packages/build

dist:
	scripts/packages/dist

image:
	scripts/packages/image

kernels:
	scripts/check/kernels $(KERNELS)

check-packages:
	scripts/check/packages $(SUITES)

check-lab:
	scripts/check/lab

check-image:
	scripts/setup python
	scripts/check/image

mutants:
	scripts/setup python
	scripts/check/mutants
	scripts/check/debug mutants

mutants-long:
	scripts/setup python
	scripts/check/mutants --mechanical 200

lint:
	scripts/check/lint

unit:
	scripts/check/unit

proof:
	scripts/setup python
	scripts/check/proof
	scripts/check/proof-hooks

fuzz:
	scripts/check/fuzz $(SECONDS)

coverage:
	scripts/check/coverage

bench:
	scripts/setup python
	scripts/bench/measure

srtrace:
	scripts/setup srtrace
	$(MAKE) -C scripts/programs/srtrace

judge:
	scripts/check/judge $(KERNELS)

field: srtrace
	scripts/setup test field
	scripts/check/field

selftests: srtrace
	selftests/run
