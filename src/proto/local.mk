# SPDX-License-Identifier: BSD-3-Clause
# One file a line, sorted.
noinst_LTLIBRARIES += libproto.la
libproto_la_SOURCES = \
	%D%/command.c \
	%D%/command.h \
	%D%/event.c \
	%D%/event.h \
	%D%/http.c \
	%D%/http.h \
	%D%/http_request.c \
	%D%/reply.c \
	%D%/reply.h \
	%D%/reply_arg.c \
	%D%/reply_parse.c \
	%D%/rpc.c \
	%D%/rpc.h \
	%D%/rpc_response.c \
	%D%/socks.c \
	%D%/socks.h \
	%D%/verdict.c \
	%D%/verdict.h \
	%D%/version.c
