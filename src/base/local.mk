noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	%D%/buf.c %D%/buf.h \
	%D%/clock.c %D%/clock.h \
	%D%/confine.c %D%/confine.h \
	%D%/enc.c %D%/enc.h \
	%D%/endpoint.c %D%/endpoint.h \
	%D%/err.c %D%/err.h \
	%D%/file.c %D%/file.h \
	%D%/log.c %D%/log.h \
	%D%/mem.c %D%/mem.h \
	%D%/mutant.c %D%/mutant.h \
	%D%/rng.c %D%/rng.h \
	%D%/utc.c %D%/utc.h
