# What every test program links.
OM_LIBS = $(SODIUM_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(CONFUSE_LIBS) $(EVENT_LIBS) $(SECCOMP_LIBS) $(QRENCODE_LIBS)

include %D%/support/local.mk
include %D%/unit/base/local.mk
include %D%/unit/proto/local.mk
include %D%/unit/conf/local.mk
include %D%/unit/io/local.mk
include %D%/unit/mirror/local.mk
include %D%/unit/tor/local.mk
include %D%/unit/store/local.mk
include %D%/unit/publish/local.mk
include %D%/unit/lib/local.mk
include %D%/unit/daemon/local.mk
include %D%/unit/cli/local.mk
include %D%/conformance/local.mk
include %D%/metrics/local.mk
include %D%/docs/local.mk
include %D%/states/local.mk
include %D%/fuzz/local.mk
include %D%/sim/local.mk
include %D%/unit/sim/local.mk
include %D%/system/local.mk
include %D%/bench/local.mk

# Criterion ignores leaks found at exit; the wrapper makes every sanitizer report a failure.
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)'; top_srcdir='$(top_srcdir)'; top_builddir='$(top_builddir)'; \
	CC='$(CC)'; SANITIZE='$(SANITIZE)'; export srcdir top_srcdir top_builddir CC SANITIZE;
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/sanitized.sh
TEST_EXTENSIONS = .sh .py
SH_LOG_COMPILER = $(SHELL)
PY_LOG_COMPILER = python3
STRUCTURE_TESTS = tests/check-layers.sh tests/check-headers.sh tests/check-exports.sh tests/check-resolver.sh \
	tests/check-sizes.sh tests/check-install.sh tests/check-states.sh tests/check-control.sh tests/check-verbs.sh \
	tests/check-metrics.sh tests/check-systemd.sh tests/check-apparmor.sh tests/check-docs.sh tests/check-faults.py
dist_check_SCRIPTS += $(STRUCTURE_TESTS)
EXTRA_DIST += tests/sanitized.sh tests/c-text.awk tests/faults.tsv
TESTS += $(STRUCTURE_TESTS) $(UNIT_TESTS) $(FUZZ_TESTS) $(SIM_TESTS)
