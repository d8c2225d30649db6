/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which version of the content each mirror told last, and who is behind. Kept in
 * memory only: after a start the probes tell it again. One mirror alone, perhaps
 * in wrong hands, must not make all others look old: a version counts as the
 * newest when two others have it, or the only other one.
 */
#include "config.h"
#include "daemon/daemon.h"

#include <stdlib.h>
#include <string.h>

struct seen_version {
	struct seen_version *next;
	char mirror[ONION_NAME_MAX + 1];
	uint64_t version;
};

static struct seen_version *
find(const struct daemon *d, const char *mirror)
{
	struct seen_version *s;

	for (s = d->versions; s != NULL && strcmp(s->mirror, mirror) != 0; s = s->next)
		;
	return s;
}

void
versions_take(struct daemon *d, const char *mirror, uint64_t version)
{
	struct seen_version *s = find(d, mirror);

	if (s == NULL) {
		s = xcalloc(1, sizeof *s);
		memcpy(s->mirror, mirror, strlen(mirror) + 1);
		s->next = d->versions;
		d->versions = s;
	}
	s->version = version;
}

bool
versions_is_behind(const struct daemon *d, const char *mirror, uint64_t *newest)
{
	const struct conf_mirror *m = daemon_mirror(d, mirror);
	const struct seen_version *mine = find(d, mirror), *s;
	uint64_t first = 0, second = 0;
	size_t i, others = 0;

	if (m == NULL || mine == NULL)
		return false;
	for (i = 0; i < d->conf->n_mirrors; i++) {
		const struct conf_mirror *o = &d->conf->mirrors[i];

		if (o == m || o->check != m->check || (s = find(d, o->name)) == NULL)
			continue;
		others++;
		if (s->version > first) {
			second = first;
			first = s->version;
		} else if (s->version > second) {
			second = s->version;
		}
	}
	*newest = others == 1 ? first : second;
	return others > 0 && mine->version < *newest;
}

void
versions_trim(struct daemon *d)
{
	struct seen_version **at = &d->versions, *s;

	while ((s = *at) != NULL)
		if (daemon_mirror(d, s->mirror) != NULL) {
			at = &s->next;
		} else {
			*at = s->next;
			free(s);
		}
}

void
versions_free(struct daemon *d)
{
	struct seen_version *s;

	while ((s = d->versions) != NULL) {
		d->versions = s->next;
		free(s);
	}
}
