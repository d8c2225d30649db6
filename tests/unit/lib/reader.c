/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader that the tests of the library share. */
#include "config.h"
#include "reader.h"

#include <criterion/criterion.h>

struct kit kit;
om_site *site;
om_error error;

void
reader_setup(void)
{
	kit_init(&kit);
	kit_build(&kit);
	cr_assert_eq(om_site_open(&site, kit.site_id, NULL), 0);
}

void
reader_teardown(void)
{
	om_site_close(site);
	kit_free(&kit);
}
