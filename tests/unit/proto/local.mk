# SPDX-License-Identifier: BSD-3-Clause
# One file a line, sorted.
if TESTS_ENABLED
check_PROGRAMS += tests/unit/proto/unit-proto
UNIT_TESTS += tests/unit/proto/unit-proto
tests_unit_proto_unit_proto_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_proto_unit_proto_SOURCES = \
	%D%/raw.h \
	%D%/test_canon.c \
	%D%/test_chain.c \
	%D%/test_command.c \
	%D%/test_doc.c \
	%D%/test_edkey.c \
	%D%/test_event.c \
	%D%/test_http.c \
	%D%/test_http_request.c \
	%D%/test_http_server.c \
	%D%/test_metrics.c \
	%D%/test_minisign.c \
	%D%/test_onion.c \
	%D%/test_reply.c \
	%D%/test_reply_arg.c \
	%D%/test_reply_parse.c \
	%D%/test_rpc.c \
	%D%/test_socks.c \
	%D%/test_verdict.c \
	%D%/test_version.c
tests_unit_proto_unit_proto_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_proto_unit_proto_LDADD = libtestsupport.la libproto.la libio.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
