noinst_LTLIBRARIES += libconf.la
libconf_la_SOURCES = \
	%D%/build.c \
	%D%/conf.c %D%/conf.h \
	%D%/conf_impl.h \
	%D%/options.c \
	%D%/print.c \
	%D%/values.c
dist_man_MANS += %D%/onionmirror.conf.5
