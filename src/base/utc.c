/* SPDX-License-Identifier: BSD-3-Clause */
/* Civil UTC times, by the day-count arithmetic of the proleptic Gregorian calendar. */
#include "config.h"
#include "base/utc.h"

#include <stdio.h>
#include <string.h>

#define UTC_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* Days since 1970-01-01; years are counted from March so that the leap day comes last. */
static int64_t
days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static void
civil_from_days(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era;
	unsigned doe, yoe, doy, mp;

	z += 719468;
	era = z / 146097;
	doe = (unsigned)(z - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

void
utc_format(char out[UTC_LEN + 1], int64_t t)
{
	char text[64];
	int64_t y;
	unsigned m, d, s;

	if (t < 0)
		t = 0;
	if (t > UTC_MAX)
		t = UTC_MAX;
	civil_from_days(t / 86400, &y, &m, &d);
	s = (unsigned)(t % 86400);
	snprintf(text, sizeof text, "%04d-%02u-%02uT%02u:%02u:%02uZ", (int)y, m, d, s / 3600, s / 60 % 60, s % 60);
	memcpy(out, text, UTC_LEN);
	out[UTC_LEN] = '\0';
}

void
utc_format_hour(char out[UTC_LEN + 1], int64_t t)
{
	utc_format(out, t);
	memcpy(out + 14, "00:00", 5);
}

static int
digits(const char *s, int n, unsigned *v)
{
	*v = 0;
	while (n-- > 0) {
		if (*s < '0' || *s > '9')
			return -1;
		*v = *v * 10 + (unsigned)(*s++ - '0');
	}
	return 0;
}

static int
parse_with(int64_t *t, const char *s, char mid, const char *tail)
{
	static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned y, mo, d, h, mi, se;

	if (strlen(s) != 19 + strlen(tail) || strcmp(s + 19, tail) != 0)
		return -1;
	if (s[4] != '-' || s[7] != '-' || s[10] != mid || s[13] != ':' || s[16] != ':')
		return -1;
	if (digits(s, 4, &y) != 0 || digits(s + 5, 2, &mo) != 0 || digits(s + 8, 2, &d) != 0 ||
	    digits(s + 11, 2, &h) != 0 || digits(s + 14, 2, &mi) != 0 || digits(s + 17, 2, &se) != 0)
		return -1;
	if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > days[mo - 1] || h > 23 || mi > 59 || se > 59)
		return -1;
	if (mo == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))
		return -1;
	*t = days_from_civil(y, mo, d) * 86400 + (int64_t)h * 3600 + mi * 60 + se;
	return 0;
}

int
utc_parse(int64_t *t, const char *s)
{
	return parse_with(t, s, 'T', "Z");
}

int
utc_parse_hour(int64_t *t, const char *s)
{
	int64_t v;

	if (utc_parse(&v, s) != 0 || v % 3600 != 0)
		return -1;
	*t = v;
	return 0;
}

int
utc_parse_tor(int64_t *t, const char *s)
{
	return parse_with(t, s, ' ', "");
}
