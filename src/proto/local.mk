# SPDX-License-Identifier: BSD-3-Clause
# One file a line, sorted.
noinst_LTLIBRARIES += libproto.la
libproto_la_SOURCES = \
	%D%/canon.c \
	%D%/canon.h \
	%D%/chain.c \
	%D%/chain.h \
	%D%/command.c \
	%D%/command.h \
	%D%/doc.c \
	%D%/doc.h \
	%D%/doc_bundle.c \
	%D%/doc_head.c \
	%D%/doc_json.c \
	%D%/doc_json.h \
	%D%/doc_leaf.c \
	%D%/doc_members.c \
	%D%/doc_root.c \
	%D%/edkey.c \
	%D%/edkey.h \
	%D%/event.c \
	%D%/event.h \
	%D%/http.c \
	%D%/http.h \
	%D%/http_request.c \
	%D%/http_server.c \
	%D%/http_server.h \
	%D%/metrics.c \
	%D%/metrics.h \
	%D%/minisign.c \
	%D%/minisign.h \
	%D%/minisign_key.c \
	%D%/onion.c \
	%D%/onion.h \
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
dist_man_MANS += %D%/onionmirror-list.5
