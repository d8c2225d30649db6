# SPDX-License-Identifier: BSD-3-Clause
noinst_LTLIBRARIES += libconf.la
libconf_la_SOURCES = \
	%D%/conf.h \
	%D%/load.c \
	%D%/print.c \
	%D%/scan.c %D%/scan.h \
	%D%/table.c %D%/table.h \
	%D%/value.c
dist_man_MANS += %D%/onionmirror.conf.5
