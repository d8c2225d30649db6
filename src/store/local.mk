noinst_LTLIBRARIES += libstore.la
libstore_la_SOURCES = \
	%D%/master_key.c \
	%D%/seal.c %D%/seal.h \
	%D%/store.c %D%/store.h \
	%D%/store_open.c %D%/store_impl.h
