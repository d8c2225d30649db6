/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_UTC_H
#define BASE_UTC_H

#include <stdint.h>

/*
 * Civil UTC times without the C library's locale and zone. Years 1970..9999;
 * seconds since 1970-01-01, no leap seconds.
 */
#define UTC_LEN 20 /* "YYYY-MM-DDThh:mm:ssZ" */

/* Writes UTC_LEN characters and a NUL. */
void utc_format(char out[UTC_LEN + 1], int64_t t);
/* As above, rounded down to the hour: the only form that documents hold (design: rotation times are nobody's business). */
void utc_format_hour(char out[UTC_LEN + 1], int64_t t);
/* Parses exactly "YYYY-MM-DDThh:mm:ssZ" with a real date; 0 or -1. */
int utc_parse(int64_t *t, const char *s);
/* As utc_parse(), and minutes and seconds must be zero. */
int utc_parse_hour(int64_t *t, const char *s);
/* Parses tor's "YYYY-MM-DD hh:mm:ss"; 0 or -1. */
int utc_parse_tor(int64_t *t, const char *s);

#endif
