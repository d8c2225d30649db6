# SPDX-License-Identifier: BSD-3-Clause
# Run by contrib/check.sh, not by make check: most need real tor processes. One file a line, sorted.
dist_noinst_SCRIPTS += \
	%D%/alone.py \
	%D%/backends.py \
	%D%/browser.py \
	%D%/content.py \
	%D%/docs.py \
	%D%/faults.py \
	%D%/forwarded.py \
	%D%/grater.py \
	%D%/hostile.py \
	%D%/interop.py \
	%D%/keys.py \
	%D%/lists.py \
	%D%/metrics.py \
	%D%/process.py \
	%D%/prometheus.py \
	%D%/reader-tor.py \
	%D%/reader.py \
	%D%/realtor.py \
	%D%/sandbox.py \
	%D%/service.py \
	%D%/testnet.py \
	%D%/torrc.sh \
	%D%/transcript.py \
	%D%/verbs.py \
	%D%/verdicts.py \
	%D%/watch.py
EXTRA_DIST += \
	%D%/cdp.py \
	%D%/faketor.py \
	%D%/listcheck.py \
	%D%/om.py \
	%D%/onion_grater.py \
	%D%/soak.py \
	%D%/torture.c \
	%D%/torture.py
check_PROGRAMS += tests/system/probe
tests_system_probe_SOURCES = %D%/probe.c
tests_system_probe_LDADD = libtor.la libio.la libproto.la libbase.la $(OM_LIBS)
if SECCOMP
check_PROGRAMS += tests/system/without
tests_system_without_SOURCES = %D%/without.c
tests_system_without_LDADD = $(SECCOMP_LIBS)
endif
