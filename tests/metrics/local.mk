# SPDX-License-Identifier: BSD-3-Clause
check_PROGRAMS += tests/metrics/print-metrics
tests_metrics_print_metrics_SOURCES = %D%/print-metrics.c
tests_metrics_print_metrics_LDADD = $(onionmirrord_LDADD)
