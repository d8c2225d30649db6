/* SPDX-License-Identifier: BSD-3-Clause */
/* onionmirror unlock: hands a daemon that started locked the passphrase of its state. Owns it in secret memory. */
#include "config.h"
#include "cli/client.h"

#include "cli/passphrase.h"
#include "proto/rpc.h"

#include <stdio.h>

/* Asked for twice where nothing could tell a wrong one: the state is made with it. */
static int
ask(struct client *cl, const char *fd, struct secret_text **out, struct err *e)
{
	json_t *status = client_call(cl, "status", NULL, e);
	bool locked = json_is_true(json_object_get(status, "locked")), fresh = json_is_true(json_object_get(status, "new"));

	json_decref(status);
	if (status == NULL)
		return -1;
	if (!locked)
		return err_set(e, ERR_REFUSED, "the daemon is not locked");
	return passphrase_get(out, fd, fresh ? "New passphrase of the state: " : "Passphrase of the state: ", fresh, e);
}

static json_t *
unlock(struct client *cl, const char *fd, struct err *e)
{
	struct secret_text *passphrase = NULL;
	json_t *params, *result = NULL;

	if (ask(cl, fd, &passphrase, e) != 0)
		return NULL;
	params = json_pack("{s:s%}", "passphrase", passphrase->text, passphrase->len);
	if (params != NULL)
		result = client_call(cl, "unlock", params, e);
	else
		err_set(e, ERR_PARSE, "a passphrase must be UTF-8 text");
	passphrase_free(passphrase);
	return result;
}

int
verb_unlock(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	const struct cli_opt opts[] = { { "passphrase-fd", NULL, &fd }, { 0 } };
	struct err e = ERR_INIT;
	struct client *cl;
	json_t *result;

	if (cli_take(c, &argc, argv, opts, 0, 0) != 0)
		return CLI_USAGE;
	rpc_wipe_values();
	if ((cl = client_open(c, &e)) == NULL)
		return client_fail(&e);
	result = unlock(cl, fd, &e);
	client_close(cl);
	if (result == NULL)
		return e.code == ERR_CLOSED || e.code == ERR_TIMEOUT || e.code == ERR_PROTO || e.code == ERR_REFUSED ? client_fail(&e) : cli_fail(CLI_FAILED, "%s", e.msg);
	if (c->json)
		cli_print_json(result);
	else {
		puts("unlocked");
		json_decref(result);
	}
	return CLI_DONE;
}
