if TESTS_ENABLED
check_PROGRAMS += tests/unit/sim/unit-sim
UNIT_TESTS += tests/unit/sim/unit-sim
tests_unit_sim_unit_sim_SOURCES = \
	%D%/rig.c %D%/rig.h \
	%D%/test_ctl.c \
	%D%/test_simtor.c \
	tests/sim/bare.c tests/sim/bare.h
tests_unit_sim_unit_sim_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_sim_unit_sim_CFLAGS = $(AM_CFLAGS) $(CRITERION_CFLAGS) -fPIE
tests_unit_sim_unit_sim_LDFLAGS = $(AM_LDFLAGS) $(SIM_WRAP)
tests_unit_sim_unit_sim_LDADD = libsimworld.la libtor.la libproto.la libbase.la $(OM_LIBS) $(CRITERION_LIBS) -lm
endif
