/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A daemon that waits for its passphrase: it has a control socket and no state.
 * It knows no address, no key and no tor; it answers status and unlock.
 */
#include "config.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MAX_MS 60000

bool
locked_allows(const char *method)
{
	return strcmp(method, "status") == 0 || strcmp(method, "unlock") == 0 || strcmp(method, "subscribe") == 0;
}

/* There is a state already, so that a wrong passphrase can be told from a right one. */
static bool
has_state(const struct daemon *d)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/store.db", d->conf->state_dir);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

json_t *
locked_status(const struct daemon *d)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:[],s:{},s:{s:I,s:I,s:I},s:{s:I,s:I},s:s,s:[s],s:o,s:b,s:b}", "site", d->conf->site,
	    "site_id", "", "member", "", "version", PACKAGE_VERSION, "started", (json_int_t)d->started, "tors", "mirrors", "list",
	    "serial", (json_int_t)0, "published", (json_int_t)0, "valid_until", (json_int_t)0, "expiry", "root", (json_int_t)0,
	    "member", (json_int_t)0, "clock", "", "alarms", LOCKED_TEXT, "sandbox", sandbox_json(d->sandbox), "locked", 1, "new", (int)!has_state(d));
}

/* Each wrong passphrase makes the next try wait: 1, 2, 4, ... 60 s. */
static void
count_wrong(struct daemon *d)
{
	int64_t wait = d->wrong_tries < 6 ? INT64_C(1000) << d->wrong_tries : WAIT_MAX_MS;

	d->wrong_tries++;
	d->next_try = clock_mono_ms() + (wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS);
	log_warn("a wrong passphrase was given (%u so far): still locked", d->wrong_tries);
}

/* The passphrase in secret memory. It came through the socket's buffer and a JSON value, which are wiped when they are freed. */
static char *
take_passphrase(const json_t *v, struct err *e)
{
	size_t n = json_string_length(v);
	char *text = secret_alloc(n + 1);

	if (text == NULL)
		err_set(e, ERR_MEMORY, "no locked memory for a passphrase");
	else
		memcpy(text, json_string_value(v), n + 1);
	return text;
}

static int
try_passphrase(struct daemon *d, const char *text, size_t n, const char **reason, struct err *e)
{
	if (master_from_passphrase(d, text, n, e) != 0) {
		*reason = e->code == ERR_PARSE ? "bad-params" : "refused";
		return -1;
	}
	if (daemon_unlock(d, e) == 0)
		return 0;
	*reason = "refused";
	if (e->code == ERR_CRYPTO) {
		*reason = "wrong-passphrase";
		err_clear(e);
		err_set(e, ERR_REFUSED, "the passphrase is wrong: it is still locked");
		count_wrong(d);
	} else {
		log_error("unlock: %s", e->msg);
	}
	return -1;
}

json_t *
locked_unlock(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	const json_t *passphrase = json_object_get(params, "passphrase");
	int64_t left = d->next_try - clock_mono_ms();
	char *text;
	int r;

	*reason = "not-locked";
	if (!d->locked) {
		err_set(e, ERR_REFUSED, "it is not locked");
		return NULL;
	}
	*reason = "too-soon";
	if (d->wrong_tries > 0 && left > 0) {
		err_set(e, ERR_REFUSED, "the last passphrase was wrong: try again in %lld s", (long long)(left + 999) / 1000);
		return NULL;
	}
	*reason = "refused";
	if ((text = take_passphrase(passphrase, e)) == NULL)
		return NULL;
	r = try_passphrase(d, text, json_string_length(passphrase), reason, e);
	secret_free(text);
	return r == 0 ? json_pack("{s:I}", "op", (json_int_t)op_new(d)) : NULL;
}
