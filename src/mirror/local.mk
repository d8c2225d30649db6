noinst_LTLIBRARIES += libmirror.la
libmirror_la_SOURCES = \
	%D%/actions.c \
	%D%/control.c \
	%D%/engine.c %D%/engine.h \
	%D%/engine_impl.h \
	%D%/evidence.c \
	%D%/health.c \
	%D%/leaving.c \
	%D%/life.c \
	%D%/listing.c \
	%D%/onion.c %D%/onion.h \
	%D%/policy.c \
	%D%/probe.c \
	%D%/reconcile.c \
	%D%/revoke.c \
	%D%/rotate.c \
	%D%/sight.c \
	%D%/place.c \
	%D%/bulk.c \
	%D%/spare.c \
	%D%/uploads.c \
	%D%/view.c
