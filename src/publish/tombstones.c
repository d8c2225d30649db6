/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was withdrawn: retired and revoked onions of the list, and the addresses
 * of the file `revoked` in the site folder, which is for those of a host that
 * was lost with its state.
 */
#include "config.h"
#include "publish/publish_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOUR 3600
#define REVOKED_MAX (1024 * 1024)

static int
take_line(struct publish_site *s, const char *line, size_t n, struct err *e)
{
	char addr[ONION_ADDR_LEN + 1];
	uint8_t pk[ONION_PUBKEY_LEN];
	void *more;

	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	if (n == 0 || line[0] == '#')
		return 0;
	if (onion_from_host(pk, addr, line, n) != 0)
		return err_set(e, ERR_PARSE, "not an address: each line is <56 characters>.onion or begins with #");
	more = realloc(s->revoked, (s->n_revoked + 1) * sizeof *s->revoked);
	if (more == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->revoked = more;
	memcpy(s->revoked[s->n_revoked++], addr, sizeof addr);
	return 0;
}

int
revoked_load(struct publish_site *s, const char *dir, struct err *e)
{
	char path[PATH_MAX], *text = NULL;
	struct err inner = ERR_INIT;
	size_t n, at, end;
	struct stat st;
	unsigned line = 1;
	int r = 0;

	snprintf(path, sizeof path, "%s/revoked", dir);
	if (file_read(path, REVOKED_MAX, FILE_PUBLIC, &text, &n, &inner) != 0)
		return inner.sys == ENOENT ? 0 : err_set(e, inner.code, "%s", inner.msg);
	if (stat(path, &st) == 0)
		s->revoked_since = st.st_mtime - st.st_mtime % HOUR;
	for (at = 0; r == 0 && at < n; at = end + 1, line++) {
		end = at + strcspn(text + at, "\n");
		if (end > n)
			end = n;
		r = take_line(s, text + at, end - at, e);
		if (r != 0)
			err_prefix(e, "%s:%u", path, line);
	}
	free(text);
	return r;
}

int
tombstone_cmp(const void *a, const void *b)
{
	return memcmp(((const struct doc_tombstone *)a)->h, ((const struct doc_tombstone *)b)->h, DOC_HASH_LEN);
}

void
tombstones_sort(struct doc_tombstone *t, size_t n)
{
	if (n > 1)
		qsort(t, n, sizeof *t, tombstone_cmp);
}

/* Each h once, and `revoked` is never softened. */
static size_t
unite(struct doc_tombstone *t, size_t n)
{
	size_t i, kept = 0;

	tombstones_sort(t, n);
	for (i = 0; i < n; i++) {
		if (kept > 0 && memcmp(t[kept - 1].h, t[i].h, DOC_HASH_LEN) == 0) {
			if (t[i].state == DOC_STATE_REVOKED)
				t[kept - 1].state = DOC_STATE_REVOKED;
			continue;
		}
		t[kept++] = t[i];
	}
	return kept;
}

int
tombstones_make(struct doc_tombstone **out, size_t *n_out, const struct publish_site *s, const struct publish_list *l, struct err *e)
{
	/* Once no proof of possession of it can be good, nobody needs to be told. */
	size_t n_revoked = l->now < s->revoked_since + possession_s(s) + HOUR ? s->n_revoked : 0, n = 0, i;
	struct doc_tombstone *t = calloc(l->n_tombstones + n_revoked + 1, sizeof *t);

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (i = 0; i < l->n_tombstones; i++, n++) {
		doc_tombstone_hash(t[n].h, l->tombstones[i].address);
		t[n].state = l->tombstones[i].state == TOMBSTONE_REVOKED ? DOC_STATE_REVOKED : DOC_STATE_RETIRED;
		t[n].since = l->tombstones[i].since - l->tombstones[i].since % HOUR;
	}
	for (i = 0; i < n_revoked; i++, n++) {
		doc_tombstone_hash(t[n].h, s->revoked[i]);
		t[n].state = DOC_STATE_REVOKED;
		t[n].since = s->revoked_since;
	}
	*n_out = unite(t, n);
	*out = t;
	return 0;
}
