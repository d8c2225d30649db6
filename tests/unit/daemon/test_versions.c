/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose content is behind. */
#include "config.h"
#include "daemon/daemon.h"

#include <criterion/criterion.h>
#include <string.h>

static char names[4][2] = { "a", "b", "c", "d" };

/* Mirrors a to d of check 0, but d of check 1 if asked for; n of them. */
static void
set_up(struct daemon *d, struct conf *c, struct conf_mirror *m, size_t n)
{
	size_t i;

	memset(d, 0, sizeof *d);
	memset(c, 0, sizeof *c);
	memset(m, 0, 4 * sizeof *m);
	for (i = 0; i < 4; i++)
		m[i].name = names[i];
	c->mirrors = m;
	c->n_mirrors = n;
	d->conf = c;
}

Test(daemon_versions, of_two_mirrors_the_one_with_the_lower_version_is_behind)
{
	struct conf_mirror m[4];
	struct daemon d;
	struct conf c;
	uint64_t newest = 0;

	set_up(&d, &c, m, 2);
	versions_take(&d, "a", 7);
	cr_expect(!versions_is_behind(&d, "a", &newest), "nobody else has told");
	versions_take(&d, "b", 8);
	cr_expect(versions_is_behind(&d, "a", &newest) && newest == 8);
	cr_expect(!versions_is_behind(&d, "b", &newest));
	versions_take(&d, "a", 8);
	cr_expect(!versions_is_behind(&d, "a", &newest));
	versions_free(&d);
}

Test(daemon_versions, one_mirror_alone_does_not_make_all_others_old)
{
	struct conf_mirror m[4];
	struct daemon d;
	struct conf c;
	uint64_t newest = 0;

	set_up(&d, &c, m, 4);
	versions_take(&d, "a", 7);
	versions_take(&d, "b", 7);
	versions_take(&d, "c", 7);
	versions_take(&d, "d", UINT64_C(9000000000000000000));
	cr_expect(!versions_is_behind(&d, "a", &newest) && !versions_is_behind(&d, "b", &newest));
	versions_take(&d, "c", 8);
	cr_expect(versions_is_behind(&d, "a", &newest) && newest == 8, "two have a newer one");
	cr_expect(!versions_is_behind(&d, "c", &newest));
	versions_free(&d);
}

Test(daemon_versions, mirrors_of_another_check_have_other_content)
{
	struct conf_mirror m[4];
	struct daemon d;
	struct conf c;
	uint64_t newest = 0;

	set_up(&d, &c, m, 3);
	m[1].check = m[2].check = 1;
	versions_take(&d, "a", 1);
	versions_take(&d, "b", 2);
	versions_take(&d, "c", 2);
	cr_expect(!versions_is_behind(&d, "a", &newest));
	cr_expect(!versions_is_behind(&d, "gone", &newest));
	versions_free(&d);
}

Test(daemon_versions, what_a_mirror_told_goes_with_the_mirror)
{
	struct conf_mirror m[4];
	struct daemon d;
	struct conf c;
	uint64_t newest = 0;

	set_up(&d, &c, m, 3);
	versions_take(&d, "a", 1);
	versions_take(&d, "b", 1);
	versions_take(&d, "c", 2);
	c.n_mirrors = 2;
	versions_trim(&d);
	c.n_mirrors = 3;
	versions_take(&d, "b", 2);
	cr_expect(versions_is_behind(&d, "a", &newest) && newest == 2, "b is the only other one");
	versions_take(&d, "b", 1);
	cr_expect(!versions_is_behind(&d, "a", &newest));
	c.n_mirrors = 0;
	versions_trim(&d);
	cr_expect_null(d.versions);
}
