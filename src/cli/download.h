/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_DOWNLOAD_H
#define CLI_DOWNLOAD_H

#include "base/endpoint.h"
#include "cli/place.h"
#include "io/loop.h"

#include <stddef.h>

/*
 * One GET of a bundle from an onion through tor's SOCKS port, on circuits of
 * its own, under one deadline. What comes goes straight into a file without a
 * name, so that no source decides how much memory is used.
 */
struct download;

#define DOWNLOAD_MAX ((size_t)4 * 1024 * 1024) /* bytes of body */

/* Why nothing usable came. The names are part of the interface. */
enum download_reason {
	DOWNLOAD_OK = 0,
	DOWNLOAD_NO_PROXY,     /* "no-proxy": the SOCKS port can't be reached, or is none */
	DOWNLOAD_UNREACHABLE,  /* "unreachable": tor does not get through to the onion */
	DOWNLOAD_TIMEOUT,      /* "timeout" */
	DOWNLOAD_NOT_HTTP,     /* "not-http" */
	DOWNLOAD_TRUNCATED,    /* "truncated": it ended early */
	DOWNLOAD_REDIRECT,     /* "redirect": never followed */
	DOWNLOAD_STATUS,       /* "http-status": another one than 200 */
	DOWNLOAD_CONTENT_TYPE, /* "content-type": not application/json */
	DOWNLOAD_TOO_LARGE,    /* "too-large" */
	DOWNLOAD_DISK,         /* "disk": no room for it here */
};
const char *download_reason_name(enum download_reason r);

/*
 * Starts one. Never NULL. `place` (borrowed until freed) is not a file. The
 * nameless file is made in `folder`.
 */
struct download *download_start(
    struct loop *l, const struct endpoint *socks, const struct place *place, const char *folder, int64_t timeout_ms);
bool download_is_done(const struct download *d);
/* Once done: the reason, and a line for a person (remote bytes escaped), "" if DOWNLOAD_OK. */
enum download_reason download_reason(const struct download *d);
const char *download_detail(const struct download *d);
/* The file, for reading from its beginning; it is the download's. */
int download_descriptor(const struct download *d);
/* NULL is fine. */
void download_free(struct download *d);

#endif
