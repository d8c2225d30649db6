/* SPDX-License-Identifier: BSD-3-Clause */
/* Site folders and lists for the tests of publishing. */
#include "config.h"
#include "place.h"
#include "support/tree.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char place[64];
struct kit kit;
uint8_t member_sk[64];

void place_setup(void)
{
	snprintf(place, sizeof place, "/tmp/unit-publish-XXXXXX");
	cr_assert_not_null(mkdtemp(place));
	kit_init(&kit);
	kit_key(11, member_sk, NULL);
}

void place_teardown(void)
{
	tree_remove(place);
	kit_free(&kit);
}

const char *place_path(const char *fmt, ...)
{
	static char paths[4][256];
	static unsigned turn;
	char *p = paths[turn++ % 4];
	int n = snprintf(p, 256, "%s/", place);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p + n, 256 - (size_t)n, fmt, ap);
	va_end(ap);
	return p;
}

char *place_read(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	size_t room = 1 << 20, got;
	char *p;

	if (f == NULL)
		return NULL;
	p = malloc(room);
	got = fread(p, 1, room - 1, f);
	fclose(f);
	p[got] = '\0';
	if (n != NULL)
		*n = got;
	return p;
}

static void write_text(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "wb");

	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fwrite(text, 1, n, f), n);
	cr_assert_eq(fclose(f), 0);
}

static void write_signed(const struct kit_text *t, const char *name)
{
	size_t i;

	write_text(place_path("site/%s", name), t->text, t->len);
	for (i = 0; i < t->n_sigs; i++)
		write_text(
		    place_path("site/%s.%zu.minisig", name, i + 1), t->sigs[i], strlen(t->sigs[i]));
}

void place_site(void)
{
	char name[32];
	size_t i;

	kit_build(&kit);
	mkdir(place_path("site"), 0700);
	for (i = 0; i < kit.n_roots; i++) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		write_signed(&kit.roots[i].out, name);
	}
	write_signed(&kit.members.out, "members.json");
}

struct publish_site *place_load(void)
{
	struct publish_site *s = NULL;
	struct err e = ERR_INIT;

	place_site();
	cr_assert_eq(
	    publish_site_load(&s, place_path("site"), member_sk, KIT_NOW, &e), 0, "%s", e.msg);
	return s;
}

void list_init(
    struct list *l, const struct publish_site *s, size_t n, size_t n_channels, uint64_t serial)
{
	static const char *const channels[] = {"public", "press"};
	char addr[ONION_ADDR_LEN + 1];
	struct err e = ERR_INIT;
	uint8_t key[64];
	size_t i;

	memset(l, 0, sizeof *l);
	cr_assert_leq(n, ENTRIES_MAX);
	for (i = 0; i < n; i++) {
		kit_onion((unsigned)i + 1, key, addr);
		cr_assert_eq(publish_leaf_make(
				 &l->leaves[i], s, key, addr, 80, false, "mirror", KIT_NOW, &e),
		    0, "%s", e.msg);
		l->entries[i] = (struct publish_entry){l->leaves[i], channels[i % n_channels]};
	}
	l->l = (struct publish_list){.entries = l->entries,
	    .n_entries = n,
	    .channels = channels,
	    .n_channels = n_channels,
	    .serial = serial,
	    .decoy_key = (const uint8_t *)"a key that is only for these tests",
	    .now = KIT_NOW + 600};
}

void list_free(struct list *l)
{
	size_t i;

	for (i = 0; i < ENTRIES_MAX; i++)
		free(l->leaves[i]);
}

struct publication *list_make(const struct list *l, const struct publish_site *s)
{
	struct publication *p = NULL;
	struct err e = ERR_INIT;

	cr_assert_eq(publication_make(&p, s, &l->l, &e), 0, "%s", e.msg);
	return p;
}

void list_publish(struct list *l, const struct publish_site *s, uint64_t serial)
{
	struct publication *p;
	struct err e = ERR_INIT;

	l->l.serial = serial;
	p = list_make(l, s);
	cr_assert_eq(publication_write(p, place_path("pub"), &e), 0, "%s", e.msg);
	publication_free(p);
}
