/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The member key: STATE-DIR/import/member.key is taken into the sealed store
 * and removed; from then on it comes from the store.
 */
#include "config.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "proto/minisign.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Overwrites a file before it is removed: best effort on the disks of today, but it costs nothing. */
static int
shred_file(const char *path, size_t n, struct err *e)
{
	char zeros[MINISIGN_KEY_FILE_MAX] = { 0 };
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || write(fd, zeros, n) < 0 || fsync(fd) != 0 || unlink(path) != 0)
		err_set_sys(e, "%s", path);
	if (fd >= 0)
		close(fd);
	return e->code == ERR_NONE ? 0 : -1;
}

static int
take_file(struct daemon *d, const char *path, const char *text, size_t n, struct err *e)
{
	struct minisign_seckey *key = secret_alloc(sizeof *key);
	int r = -1;

	if (key == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for the member key");
	if (minisign_seckey_encrypted(text, n))
		err_set(e, ERR_AUTH, "%s is sealed by a passphrase; put an unsealed copy there (minisign -C -W)", path);
	else if (minisign_seckey_parse(key, text, n, NULL, 0, e) != 0)
		err_prefix(e, "%s", path);
	else
		r = store_put(d->store, STORE_META, STORE_META_MEMBER_KEY, key->sk, sizeof key->sk, e);
	secret_free(key);
	return r;
}

int
import_member_key(struct daemon *d, uint8_t **sk, struct err *e)
{
	char path[PATH_MAX], *text = NULL;
	uint8_t *key;
	struct err inner = ERR_INIT;
	size_t n;
	int r;

	snprintf(path, sizeof path, "%s/import/member.key", d->conf->state_dir);
	if (file_read(path, MINISIGN_KEY_FILE_MAX, FILE_SECRET, &text, &n, &inner) == 0) {
		r = take_file(d, path, text, n, e);
		mem_wipe(text, n);
		free(text);
		if (r != 0 || shred_file(path, n, e) != 0)
			return -1;
		log_notice("member key taken into the sealed store; %s is removed", path);
	} else if (inner.sys != ENOENT) {
		return err_set(e, inner.code, "%s", inner.msg);
	}
	key = secret_alloc(MINISIGN_SK_LEN);
	if (key == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for the member key");
	err_clear(&inner);
	if (store_get_exact(d->store, STORE_META, STORE_META_MEMBER_KEY, key, MINISIGN_SK_LEN, &inner) == 0) {
		*sk = key;
		return 0;
	}
	secret_free(key);
	if (inner.code == ERR_NOTFOUND)
		return err_set(e, ERR_CONFIG, "there is no member key: run `onionmirror init`, or put one at %s", path);
	return err_set(e, inner.code, "%s", inner.msg);
}
