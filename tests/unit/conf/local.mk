if TESTS_ENABLED
check_PROGRAMS += tests/unit/conf/unit-conf
UNIT_TESTS += tests/unit/conf/unit-conf
tests_unit_conf_unit_conf_SOURCES = %D%/test_load.c %D%/test_print.c %D%/test_value.c
tests_unit_conf_unit_conf_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_conf_unit_conf_LDADD = libconf.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS)
endif
