/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the master key is found at start: a credential of the service manager, else what the configuration names; else the start is locked. */
#include "config.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/daemon.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CREDENTIAL_KEY "onionmirror.master-key"
#define CREDENTIAL_PASSPHRASE "onionmirror.passphrase"
#define FILE_MAX 1024

int
master_from_passphrase(struct daemon *d, const char *text, size_t n, struct err *e)
{
	if (n < MASTER_PASSPHRASE_MIN)
		return err_set(e, ERR_PARSE, "the passphrase needs at least %d characters", MASTER_PASSPHRASE_MIN);
	return master_key_from_passphrase(&d->master, d->conf->state_dir, text, n, e);
}

/* A file whose first line is the passphrase. */
static int
from_passphrase_file(struct daemon *d, const char *path, struct err *e)
{
	char *text = NULL;
	size_t n;
	int r;

	if (file_read(path, FILE_MAX, FILE_SECRET, &text, &n, e) != 0)
		return -1;
	r = master_from_passphrase(d, text, strcspn(text, "\n"), e);
	mem_wipe(text, n);
	free(text);
	return r == 0 ? 0 : err_prefix(e, "%s", path);
}

static bool
has_credential(char *path, const char *name)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (dir == NULL || dir[0] != '/' || snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return false;
	return access(path, F_OK) == 0;
}

int
master_find(struct daemon *d, struct err *e)
{
	char key[PATH_MAX], passphrase[PATH_MAX];
	bool has_key = has_credential(key, CREDENTIAL_KEY), has_passphrase = has_credential(passphrase, CREDENTIAL_PASSPHRASE);

	if (has_key && has_passphrase)
		return err_set(e, ERR_CONFIG, "there are two credentials, " CREDENTIAL_KEY " and " CREDENTIAL_PASSPHRASE ": give one");
	if (has_key || has_passphrase)
		log_info("the state is opened by the credential %s", has_key ? key : passphrase);
	if (has_key)
		return master_key_from_file(&d->master, key, e);
	if (has_passphrase)
		return from_passphrase_file(d, passphrase, e);
	if (d->conf->passphrase_file != NULL)
		return from_passphrase_file(d, d->conf->passphrase_file, e);
	d->locked = d->conf->locked_start;
	return d->locked ? 0 : master_key_from_file(&d->master, d->conf->key_file, e);
}
