/* SPDX-License-Identifier: BSD-3-Clause */
/* GETINFO and GETCONF: what this tor would say of itself. A value with a line end takes the "+" form, as tor's do. */
#include "config.h"
#include "sim/simtor_impl.h"

#include "base/mem.h"
#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BUILT "$00000000000000000000000000000000000000AA~g,$00000000000000000000000000000000000000BB~m,$00000000000000000000000000000000000000CC~e"

static void
list_services(const struct simtor *t, bool detached, struct buf *v)
{
	struct service *s;

	for (s = t->services; s != NULL; s = s->next)
		if (s->detached == detached) {
			buf_addf(v, "%s%s", v->len > 0 ? "\r\n" : "", s->address);
			s->shown = t->asking;
		}
}

static void
circuit_line(struct buf *v, uint64_t id, const char *purpose, const char *state, const char *address, const char *user)
{
	buf_addf(v, "%s%llu BUILT " BUILT " BUILD_FLAGS=IS_INTERNAL,NEED_CAPACITY,NEED_UPTIME PURPOSE=%s HS_STATE=%s REND_QUERY=%s "
		    "TIME_CREATED=2026-01-01T00:00:00.000000",
	    v->len > 0 ? "\r\n" : "", (unsigned long long)id, purpose, state, address);
	if (user != NULL)
		buf_addf(v, " SOCKS_USERNAME=\"%s\" SOCKS_PASSWORD=\"x\"", user);
}

static void
list_circuits(const struct simtor *t, struct buf *v)
{
	const struct service *s;
	const struct circuit *c;
	unsigned i;

	for (s = t->services; s != NULL; s = s->next) {
		for (i = 0; s->intro_set != 0 && i < 6; i++)
			circuit_line(v, s->id * 1000 + i, "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", s->address, NULL);
		for (i = 0; i < s->visitors && tor_online(t); i++)
			circuit_line(v, s->id * 1000 + 10 + i, "HS_SERVICE_REND", "HSSR_JOINED", s->address, NULL);
	}
	for (c = t->circuits; c != NULL; c = c->next)
		if (c->closes > sim_now())
			circuit_line(v, c->id, "HS_CLIENT_REND", "HSCR_JOINED", c->address, c->user);
}

/* tor's form of a time, from the strict one. */
static void
add_time(struct buf *v, int64_t wall)
{
	static char text[UTC_LEN + 1];
	static int64_t known = -1; /* the same hour is asked for again and again */

	if (wall != known)
		utc_format(text, wall);
	known = wall;
	buf_addf(v, "%.10s %.8s", text, text + 11);
}

/* False: there is no such key. */
static bool
value_of(const struct simtor *t, const char *key, struct buf *v)
{
	if (strcmp(key, "version") == 0)
		buf_adds(v, t->version);
	else if (strcmp(key, "status/circuit-established") == 0)
		buf_adds(v, t->circuits_ok ? "1" : "0");
	else if (strcmp(key, "network-liveness") == 0)
		buf_adds(v, t->live ? "up" : "down");
	else if (strcmp(key, "consensus/valid-until") == 0 || strcmp(key, "consensus/valid-after") == 0) {
		if (t->was_ready)
			add_time(v, net_valid_until() - (key[16] == 'a' ? NET_CONSENSUS_S : 0));
	} else if (strcmp(key, "status/bootstrap-phase") == 0)
		buf_addf(v, "NOTICE BOOTSTRAP PROGRESS=%d TAG=%s SUMMARY=\"%s\"", t->ready ? 100 : 0, t->ready ? "done" : "starting",
		    t->ready ? "Done" : "Starting");
	else if (strcmp(key, "onions/detached") == 0)
		list_services(t, true, v);
	else if (strcmp(key, "onions/current") == 0)
		list_services(t, false, v);
	else if (strcmp(key, "circuit-status") == 0)
		list_circuits(t, v);
	else if (strcmp(key, "net/listeners/socks") == 0)
		buf_addf(v, "%s%s%s", t->socks != NULL ? "\"" : "", t->socks != NULL ? t->socks_ep : "", t->socks != NULL ? "\"" : "");
	else if (strcmp(key, "uptime") == 0)
		buf_addf(v, "%lld", (long long)(sim_now() - t->started) / 1000);
	else if (strcmp(key, "dormant") == 0)
		buf_adds(v, "0");
	else
		return strcmp(key, "stream-status") == 0;
	return true;
}

/* As tor: any unknown key and only the unknown ones are told. */
void
answer_getinfo(struct simtor *t, const char *args, struct buf *out)
{
	char *copy = xstrdup(args), *words[CTL_ARGS_MAX];
	struct buf v = BUF_INIT(4 * 1024 * 1024);
	size_t n = ctl_words(copy, words), i, n_unknown = 0;

	if (n == 1 && strncmp(words[0], "hs/client/desc/id/", 18) == 0) {
		if (client_has_descriptor(t, words[0] + 18))
			buf_addf(out, "250+%s=\r\nhs-descriptor 3\r\n.\r\n250 OK\r\n", words[0]);
		else
			buf_adds(out, "551 Not found in cache\r\n");
		goto out;
	}

	for (i = 0; i < n; i++) {
		buf_reset(&v);
		if (!value_of(t, words[i], &v))
			words[n_unknown++] = words[i];
		else if (strchr(buf_str(&v), '\n') != NULL)
			buf_addf(out, "250+%s=\r\n%s\r\n.\r\n", words[i], buf_str(&v));
		else
			buf_addf(out, "250-%s=%s\r\n", words[i], buf_str(&v));
	}
	if (n_unknown == 0)
		buf_adds(out, "250 OK\r\n");
	else
		buf_reset(out);
	for (i = 0; i < n_unknown; i++)
		buf_addf(out, "552%cUnrecognized key \"%s\"\r\n", i + 1 < n_unknown ? '-' : ' ', words[i]);
out:
	buf_free(&v);
	free(copy);
}

void
answer_getconf(struct simtor *t, const char *args, struct buf *out)
{
	char *copy = xstrdup(args), *words[CTL_ARGS_MAX], value[160];
	struct buf known = BUF_INIT(65536);
	size_t n = ctl_words(copy, words), i;
	const char *name;

	for (i = 0; i < n; i++) {
		if (strcasecmp(words[i], name = "DisableNetwork") == 0)
			snprintf(value, sizeof value, "%d", t->disabled);
		else if (strcasecmp(words[i], name = "PublishHidServDescriptors") == 0)
			snprintf(value, sizeof value, "1");
		else if (strcasecmp(words[i], name = "SocksPort") == 0)
			snprintf(value, sizeof value, "%s%s", t->socks_ep, t->extended ? " ExtendedErrors" : "");
		else {
			buf_addf(out, "552 Unrecognized configuration key \"%s\"\r\n", words[i]);
			break;
		}
		buf_addf(&known, "250%c%s=%s\r\n", i + 1 < n ? '-' : ' ', name, value);
	}
	if (out->len == 0)
		buf_adds(out, n > 0 ? buf_str(&known) : "250 OK\r\n");
	buf_free(&known);
	free(copy);
}
