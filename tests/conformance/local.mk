# The conformance suite of the signed list: kept as its generator, index and hashes; the bundles are made on the way.
conformance_sources = \
	%D%/case.py \
	%D%/cases_edge.py \
	%D%/cases_form.py \
	%D%/cases_heads.py \
	%D%/cases_leaves.py \
	%D%/cases_memory.py \
	%D%/cases_roots.py \
	%D%/ed25519.py \
	%D%/kit.py \
	%D%/make.py
EXTRA_DIST += $(conformance_sources) %D%/README %D%/SHA256SUMS %D%/index
if TESTS_ENABLED
check_DATA += %D%/cases/SHA256SUMS
dist_check_SCRIPTS += %D%/check.sh
TESTS += %D%/check.sh
endif
# Whoever sees SHA256SUMS sees all of it.
%D%/cases/SHA256SUMS: $(conformance_sources)
	$(AM_V_GEN)rm -rf %D%/cases %D%/cases.tmp && \
		python3 $(srcdir)/tests/conformance/make.py %D%/cases.tmp && mv %D%/cases.tmp %D%/cases
clean-local: clean-conformance
.PHONY: clean-conformance
clean-conformance:
	rm -rf %D%/cases %D%/cases.tmp
