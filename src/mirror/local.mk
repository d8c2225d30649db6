noinst_LTLIBRARIES += libmirror.la
libmirror_la_SOURCES = \
	%D%/actions.c \
	%D%/control.c \
	%D%/engine.c %D%/engine.h \
	%D%/engine_impl.h \
	%D%/health.c \
	%D%/life.c \
	%D%/listing.c \
	%D%/onion.c %D%/onion.h \
	%D%/probe.c \
	%D%/reconcile.c \
	%D%/rotate.c \
	%D%/sight.c \
	%D%/view.c
