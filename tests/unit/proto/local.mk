if TESTS_ENABLED
check_PROGRAMS += tests/unit/proto/unit-proto
UNIT_TESTS += tests/unit/proto/unit-proto
tests_unit_proto_unit_proto_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_proto_unit_proto_SOURCES = \
	%D%/test_chain.c \
	%D%/test_doc.c \
	%D%/test_edkey.c \
	%D%/test_minisign.c \
	%D%/test_onion.c
tests_unit_proto_unit_proto_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_proto_unit_proto_LDADD = libtestsupport.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
