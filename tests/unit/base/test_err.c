/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(base_err, the_first_one_wins)
{
	struct err e = ERR_INIT;

	cr_expect_eq(err_set(&e, ERR_PARSE, "line %d", 3), -1);
	errno = ENOENT;
	cr_expect_eq(err_set_sys(&e, "second"), -1);
	cr_expect_eq(err_set(&e, ERR_AUTH, "third"), -1);
	cr_expect(e.code == ERR_PARSE && e.sys == 0);
	cr_expect_str_eq(e.msg, "line 3");
	err_clear(&e);
	cr_expect(e.code == ERR_NONE && e.msg[0] == '\0');
	err_set(&e, ERR_AUTH, "fourth");
	cr_expect_str_eq(e.msg, "fourth");
}

Test(base_err, none_to_fill_is_fine)
{
	errno = EIO;
	cr_expect_eq(err_set(NULL, ERR_PARSE, "x"), -1);
	cr_expect_eq(err_set_sys(NULL, "x"), -1);
	cr_expect_eq(err_prefix(NULL, "x"), -1);
	err_clear(NULL);
	cr_expect_eq(errno, EIO);
}

Test(base_err, a_system_error_has_its_number_and_text)
{
	struct err e = ERR_INIT;

	errno = ENOENT;
	cr_expect_eq(err_set_sys(&e, "/a/%s", "b"), -1);
	cr_expect(e.code == ERR_SYS && e.sys == ENOENT && errno == ENOENT);
	cr_expect_str_eq(e.msg, "/a/b: No such file or directory");
}

Test(base_err, prefixes_stack_up)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_LIMIT, "too long");
	cr_expect_eq(err_prefix(&e, "field %d", 2), -1);
	err_prefix(&e, "document");
	cr_expect_str_eq(e.msg, "document: field 2: too long");
	cr_expect_eq(e.code, ERR_LIMIT);
}

Test(base_err, long_texts_are_cut_at_the_end)
{
	char text[2000];
	struct err e = ERR_INIT;
	size_t n;

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	err_set(&e, ERR_PARSE, "%s", text);
	cr_expect_eq(strlen(e.msg), sizeof e.msg - 1);
	err_prefix(&e, "where");
	cr_expect_eq(strlen(e.msg), sizeof e.msg - 1);
	cr_expect_eq(strncmp(e.msg, "where: xxx", 10), 0);
	err_clear(&e);
	errno = EPERM;
	err_set_sys(&e, "%s", text);
	cr_expect_eq(strlen(e.msg), sizeof e.msg - 1);
	/* Prefixes of every length around the limit. */
	for (n = sizeof e.msg - 6; n < sizeof e.msg + 6; n++) {
		err_clear(&e);
		err_set(&e, ERR_PARSE, "message");
		err_prefix(&e, "%.*s", (int)n, text);
		cr_expect_lt(strlen(e.msg), sizeof e.msg);
		cr_expect_eq(e.msg[0], 'x');
	}
}

Test(base_err, every_code_has_a_name_of_its_own)
{
	int a, b;

	for (a = ERR_NONE; a <= ERR_REFUSED; a++) {
		cr_expect_str_neq(err_code_name((enum err_code)a), "unknown", "%d", a);
		for (b = ERR_NONE; b < a; b++)
			cr_expect_str_neq(err_code_name((enum err_code)a), err_code_name((enum err_code)b));
	}
	cr_expect_str_eq(err_code_name((enum err_code)99), "unknown");
}
