/* SPDX-License-Identifier: BSD-3-Clause */
/* The simplest model: tors that take everything, a network where every address answers, backends that are up or not. */
#include "config.h"
#include "sim/sim.h"

#include "base/enc.h"
#include "base/mem.h"
#include "proto/edkey.h"
#include "proto/onion.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONIONS 256

struct tor {
	unsigned index;
	struct sim_server *control, *socks;
	struct sim_conn *link; /* the newest controller */
	bool running, network;
	int64_t fit_since;
	unsigned char cookie[32];
};
struct onion {
	char address[ONION_ADDR_LEN + 1];
	unsigned tor, mirror;
	bool taken_down;
};
struct control {
	struct tor *tor;
	bool open;
	unsigned char client[32], server[32];
};
struct socks {
	struct tor *tor;
	int stage;
	char host[64];
};

static struct tor tors[SIM_TORS];
static struct onion onions[ONIONS];
static unsigned n_onions;
static enum backend_mode backends[SIM_MIRRORS];
static struct sim_server *sites[SIM_MIRRORS];

/* Memory until the model stops. */
struct arena {
	struct arena *next;
};
static struct arena *arena;

static void *
make(size_t n)
{
	struct arena *a = xcalloc(1, sizeof *a + 8 + n);

	a->next = arena;
	arena = a;
	return (char *)a + 16;
}

static struct onion *
find(const char *address)
{
	unsigned i;

	for (i = 0; i < n_onions; i++)
		if (strncmp(onions[i].address, address, ONION_ADDR_LEN) == 0)
			return &onions[i];
	return NULL;
}

/* --- control --- */

static void
hex_upper(char *out, const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02X", p[i]);
}

static void
challenge(struct control *k, struct sim_conn *c, const char *hex)
{
	static const char key[] = "Tor safe cookie authentication server-to-controller hash";
	crypto_auth_hmacsha256_state st;
	unsigned char out[32];
	char line[256], a[65], b[65];

	hex_decode_any(k->client, 32, hex, 64);
	sim_bytes(DICE_TOR, k->server, 32);
	crypto_auth_hmacsha256_init(&st, (const unsigned char *)key, sizeof key - 1);
	crypto_auth_hmacsha256_update(&st, k->tor->cookie, 32);
	crypto_auth_hmacsha256_update(&st, k->client, 32);
	crypto_auth_hmacsha256_update(&st, k->server, 32);
	crypto_auth_hmacsha256_final(&st, out);
	hex_upper(a, out, 32);
	hex_upper(b, k->server, 32);
	snprintf(line, sizeof line, "250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s\r\n", a, b);
	sim_conn_puts(c, line);
}

struct upload {
	char address[ONION_ADDR_LEN + 1];
	unsigned tor;
	bool done;
};

static void
on_upload(void *arg)
{
	struct upload *u = arg;
	char line[200];

	if (tors[u->tor].link != NULL && find(u->address) != NULL) {
		snprintf(line, sizeof line, "650 HS_DESC UPLOAD%s %s UNKNOWN $%040d~relay%s\r\n", u->done ? "ED" : "", u->address, 1,
		    u->done ? "" : " descriptor");
		sim_conn_puts(tors[u->tor].link, line);
		if (!u->done) {
			u->done = true;
			sim_after(sim_between(DICE_NET, 500, 3000), on_upload, u);
			return;
		}
	}
}

static void
add_onion(struct control *k, struct sim_conn *c, const char *blob)
{
	unsigned char key[EDKEY_LEN], pub[EDKEY_PUB_LEN];
	struct upload *u;
	struct onion *o;
	char line[200];
	const char *port;
	unsigned i;

	if (b64_decode(key, sizeof key, blob, strcspn(blob, " ")) != 0 || edkey_pubkey(pub, key, NULL) != 0 || n_onions == ONIONS) {
		sim_conn_puts(c, "512 Bad key\r\n");
		return;
	}
	o = &onions[n_onions];
	onion_from_pubkey(line, pub);
	if (find(line) != NULL) {
		sim_conn_puts(c, "550 Onion address collision\r\n");
		return;
	}
	n_onions++;
	memcpy(o->address, line, sizeof o->address);
	o->tor = k->tor->index;
	o->taken_down = false;
	port = strstr(blob, " Port=");
	for (i = 0; i < sim_plan.n_mirrors; i++)
		if (port != NULL && strstr(port, sim_plan.mirrors[i].backend) != NULL)
			o->mirror = i;
	snprintf(line, sizeof line, "250-ServiceID=%s\r\n250 OK\r\n", o->address);
	sim_conn_puts(c, line);
	u = make(sizeof *u);
	memcpy(u->address, o->address, sizeof u->address);
	u->tor = k->tor->index;
	sim_after(1000, on_upload, u);
}

static void
detached(struct control *k, struct sim_conn *c)
{
	char line[128];
	unsigned i, n = 0;

	for (i = 0; i < n_onions; i++)
		n += onions[i].tor == k->tor->index;
	sim_conn_puts(c, n > 1 ? "250+onions/detached=\r\n" : "250-onions/detached=");
	for (i = 0; i < n_onions; i++)
		if (onions[i].tor == k->tor->index) {
			snprintf(line, sizeof line, n > 1 ? "%s\r\n" : "%s", onions[i].address);
			sim_conn_puts(c, line);
		}
	sim_conn_puts(c, n > 1 ? ".\r\n250 OK\r\n" : "\r\n250 OK\r\n");
}

static void
command(struct control *k, struct sim_conn *c, const char *line)
{
	struct onion *o;

	if (strncmp(line, "PROTOCOLINFO", 12) == 0) {
		sim_conn_puts(c, "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"");
		sim_conn_puts(c, sim_plan.tors[k->tor->index].cookie);
		sim_conn_puts(c, "\"\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n");
	} else if (strncmp(line, "AUTHCHALLENGE SAFECOOKIE ", 25) == 0)
		challenge(k, c, line + 25);
	else if (strncmp(line, "ADD_ONION ED25519-V3:", 21) == 0)
		add_onion(k, c, line + 21);
	else if (strncmp(line, "DEL_ONION ", 10) == 0) {
		o = find(line + 10);
		sim_conn_puts(c, o != NULL ? "250 OK\r\n" : "552 Unknown Onion Service id\r\n");
		if (o != NULL)
			*o = onions[--n_onions];
	} else if (strcmp(line, "GETINFO version") == 0)
		sim_conn_puts(c, "250-version=0.4.9.11\r\n250 OK\r\n");
	else if (strcmp(line, "GETINFO status/circuit-established") == 0)
		sim_conn_puts(c, k->tor->network ? "250-status/circuit-established=1\r\n250 OK\r\n" : "250-status/circuit-established=0\r\n250 OK\r\n");
	else if (strcmp(line, "GETINFO network-liveness") == 0)
		sim_conn_puts(c, k->tor->network ? "250-network-liveness=up\r\n250 OK\r\n" : "250-network-liveness=down\r\n250 OK\r\n");
	else if (strcmp(line, "GETINFO consensus/valid-until") == 0)
		sim_conn_puts(c, "250-consensus/valid-until=2999-01-01 00:00:00\r\n250 OK\r\n");
	else if (strcmp(line, "GETINFO onions/detached") == 0)
		detached(k, c);
	else if (strncmp(line, "GETCONF DisableNetwork", 22) == 0)
		sim_conn_puts(c, "250 DisableNetwork=0\r\n");
	else
		sim_conn_puts(c, "250 OK\r\n");
}

static void
on_control_data(struct sim_conn *c, void *arg)
{
	struct control *k = arg;
	const char *p, *lf;
	size_t n;
	char line[1024];

	while ((p = sim_conn_peek(c, &n)), (lf = memchr(p, '\n', n)) != NULL) {
		n = (size_t)(lf - p);
		snprintf(line, sizeof line, "%.*s", (int)(n > 0 && p[n - 1] == '\r' ? n - 1 : n), p);
		sim_conn_consume(c, n + 1);
		check_on_command(k->tor->index, line, strlen(line));
		command(k, c, line);
	}
}

static void
on_control_closed(struct sim_conn *c, void *arg)
{
	struct control *k = arg;

	if (k->tor->link == c)
		k->tor->link = NULL;
}

static void
on_control(struct sim_conn *c, void *arg)
{
	static const struct sim_conn_ops ops = { on_control_data, on_control_closed };
	struct control *k = make(sizeof *k);

	k->tor = arg;
	k->tor->link = c;
	sim_conn_set(c, &ops, k);
}

/* --- socks --- */

struct answer {
	struct sim_conn *c;
};

static void
serve(struct sim_conn *c, enum backend_mode mode)
{
	char page[256];

	if (mode == BACKEND_SILENT || mode == BACKEND_SLOW)
		return;
	snprintf(page, sizeof page, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", mode == BACKEND_ERROR500 ? "500 No" : "200 OK",
	    strlen(sim_plan.body), mode == BACKEND_DEFACED ? "lies, all lies" : sim_plan.body);
	sim_conn_puts(c, page);
}

static void
serve_probe(struct sim_conn *c, const struct onion *o)
{
	serve(c, backends[o->mirror]);
	check_on_probe(o->address, backends[o->mirror] == BACKEND_OK);
}

static void
socks_connect(struct socks *k, struct sim_conn *c)
{
	char reply[10] = { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	struct onion *o = find(k->host);

	if (!k->tor->network || o == NULL || o->taken_down)
		reply[1] = 4;
	else if (backends[o->mirror] == BACKEND_DOWN)
		reply[1] = 1;
	sim_conn_write(c, reply, sizeof reply);
}

static void
on_socks_data(struct sim_conn *c, void *arg)
{
	struct socks *k = arg;
	const unsigned char *p;
	struct onion *o;
	size_t n, u, len;

	for (;;) {
		p = (const unsigned char *)sim_conn_peek(c, &n);
		len = 0;
		if (k->stage == 0 && n >= 2 && n >= 2 + (size_t)p[1]) {
			len = 2 + (size_t)p[1];
			sim_conn_write(c, "\5\2", 2);
		} else if (k->stage == 1 && n >= 2 && n >= 3 + (u = p[1]) && n >= 3 + u + p[2 + u]) {
			len = 3 + u + p[2 + u];
			sim_conn_write(c, "\1\0", 2);
		} else if (k->stage == 2 && n >= 5 && n >= 7 + (u = p[4])) {
			len = 7 + u;
			snprintf(k->host, sizeof k->host, "%.*s", (int)u, (const char *)p + 5);
			socks_connect(k, c);
		} else if (k->stage == 3 && memmem(p, n, "\r\n\r\n", 4) != NULL) {
			len = n;
			o = find(k->host);
			if (o != NULL)
				serve_probe(c, o);
		}
		if (len == 0)
			return;
		sim_conn_consume(c, len);
		k->stage++;
	}
}

static void
on_socks_closed(struct sim_conn *c, void *arg)
{
	(void)c;
	(void)arg;
}

static void
on_socks(struct sim_conn *c, void *arg)
{
	static const struct sim_conn_ops ops = { on_socks_data, on_socks_closed };
	struct socks *k = make(sizeof *k);

	k->tor = arg;
	sim_conn_set(c, &ops, k);
}

/* --- backends, seen directly --- */

static void
on_site_data(struct sim_conn *c, void *arg)
{
	size_t n;
	const char *p = sim_conn_peek(c, &n);

	if (memmem(p, n, "\r\n\r\n", 4) == NULL)
		return;
	sim_conn_consume(c, n);
	serve(c, *(enum backend_mode *)arg);
}

static void
on_site(struct sim_conn *c, void *arg)
{
	static const struct sim_conn_ops ops = { on_site_data, NULL };

	sim_conn_set(c, &ops, arg);
}

void
model_backend(unsigned mirror, enum backend_mode mode)
{
	backends[mirror] = mode;
	if (mode == BACKEND_DOWN) {
		sim_server_free(sites[mirror]);
		sites[mirror] = NULL;
	} else if (sites[mirror] == NULL) {
		sites[mirror] = sim_server_new(sim_plan.mirrors[mirror].backend, on_site, &backends[mirror]);
	}
}

/* --- the model --- */

void
model_tor_start(unsigned i)
{
	struct tor *t = &tors[i];

	if (t->running)
		return;
	t->running = t->network = true;
	t->fit_since = sim_now();
	sim_bytes(DICE_TOR, t->cookie, sizeof t->cookie);
	sim_file_put(sim_plan.tors[i].cookie, t->cookie, sizeof t->cookie, 0640);
	t->control = sim_server_new(sim_plan.tors[i].control, on_control, t);
	t->socks = sim_server_new(sim_plan.tors[i].socks, on_socks, t);
}

void
model_tor_kill(unsigned i)
{
	struct tor *t = &tors[i];
	unsigned k;

	if (!t->running)
		return;
	t->running = false;
	t->link = NULL;
	sim_server_free(t->control);
	sim_server_free(t->socks);
	t->control = t->socks = NULL;
	for (k = n_onions; k-- > 0;)
		if (onions[k].tor == i)
			onions[k] = onions[--n_onions];
}

void
model_tor_stop(unsigned i, bool stopped)
{
	if (!tors[i].running)
		return;
	sim_server_stop(tors[i].control, stopped);
	sim_server_stop(tors[i].socks, stopped);
	tors[i].fit_since = stopped ? INT64_MAX : sim_now();
}

void
model_tor_filter(unsigned i, bool on)
{
	(void)i;
	(void)on;
}

void
model_tor_network(unsigned i, bool is_up)
{
	tors[i].network = is_up;
	tors[i].fit_since = is_up ? sim_now() : INT64_MAX;
}

void
model_tor_lose_onions(unsigned i)
{
	unsigned k;

	for (k = n_onions; k-- > 0;)
		if (onions[k].tor == i)
			onions[k] = onions[--n_onions];
}

void
model_uploads_lost(unsigned ppm)
{
	(void)ppm;
}

void
model_bad_spells(unsigned ppm)
{
	(void)ppm;
}

void
model_takedown(unsigned nth)
{
	if (n_onions > 0)
		onions[nth % n_onions].taken_down = true;
}

void
model_start(void)
{
	unsigned i;

	memset(tors, 0, sizeof tors);
	n_onions = 0;
	for (i = 0; i < sim_plan.n_tors; i++) {
		tors[i].index = i;
		model_tor_start(i);
	}
	for (i = 0; i < sim_plan.n_mirrors; i++) {
		sites[i] = NULL;
		model_backend(i, BACKEND_OK);
	}
}

void
model_stop(void)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++)
		model_tor_kill(i);
	for (i = 0; i < sim_plan.n_mirrors; i++)
		model_backend(i, BACKEND_DOWN);
	while (arena != NULL) {
		struct arena *a = arena;

		arena = a->next;
		free(a);
	}
}

void
model_heal(void)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++) {
		model_tor_start(i);
		model_tor_stop(i, false);
		model_tor_network(i, true);
	}
	for (i = 0; i < sim_plan.n_mirrors; i++)
		model_backend(i, BACKEND_OK);
}

void
model_power_loss(void)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++) {
		model_tor_kill(i);
		model_tor_start(i);
	}
}

bool
model_reachable(const char *address)
{
	const struct onion *o = find(address);

	return o != NULL && !o->taken_down && tors[o->tor].running && tors[o->tor].network && backends[o->mirror] == BACKEND_OK;
}

bool
model_has_onion(const char *address)
{
	return find(address) != NULL;
}

bool
model_fit_for(int64_t ms)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++)
		if (!tors[i].running || tors[i].fit_since == INT64_MAX || sim_now() - tors[i].fit_since < ms)
			return false;
	return true;
}
