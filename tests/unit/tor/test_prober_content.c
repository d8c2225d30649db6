/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes of https mirrors, and of the version of their content. */
#include "config.h"
#include "probe_rig.h"
#include "tor/tls.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- https ------------------------------------------------------------------------- */

#define WELL_NAMED(days) {ADDRESS ".onion", time(NULL) - 9 * FAKETLS_DAY, time(NULL) + (days) * FAKETLS_DAY, 0, 0, 0}

/* One probe over TLS; `host` is the name in the certificate. */
static enum verdict
probe_https(const struct fakesite_script *script, const uint8_t *pin, struct probe_result *result)
{
	struct probe_rig r;
	enum verdict got;

	probe_rig_init(&r, script);
	r.rq.tls = true;
	r.rq.pin = pin;
	r.rq.port = 443;
	r.rq.contains = "hello";
	got = probe_rig_run(&r);
	*result = r.result;
	cr_expect(strcmp(fakesite_request(r.site), "") == 0 ||
		      strstr(fakesite_request(r.site), "\r\nHost: " ADDRESS ".onion\r\n") != NULL,
	    "the port is the usual one");
	probe_rig_fini(&r);
	return got;
}

Test(tor_prober_content, looks_at_an_https_mirror_through_tls)
{
	const struct faketls_kind kind = WELL_NAMED(9);
	const struct fakesite_script through = {.response = OK_ALL, .tls = &kind};
	const struct fakesite_script to_the_end = {
	    .response = "HTTP/1.1 200 OK\r\n\r\nhello", .close_after = true, .tls = &kind};
	const struct fakesite_script direct = {.response = OK_ALL, .direct = true, .tls = &kind};
	struct probe_result result;

	cr_expect(probe_https(&through, NULL, &result) == VERDICT_OK, "%s", result.detail);
	cr_expect(result.phases.first_byte >= result.phases.circuit);
	cr_expect(probe_https(&to_the_end, NULL, &result) == VERDICT_OK, "%s", result.detail);
	cr_expect(probe_https(&direct, NULL, &result) == VERDICT_OK, "%s", result.detail);
}

Test(tor_prober_content, names_tls_as_the_layer_that_failed)
{
	const struct faketls_kind expired = WELL_NAMED(-1), well = WELL_NAMED(9);
	const struct fakesite_script old = {.response = OK_ALL, .tls = &expired};
	const struct fakesite_script plain = {.response = OK_ALL};
	const struct fakesite_script shut = {.close_after = true, .direct = true};
	const struct fakesite_script named = {.response = OK_ALL, .tls = &well};
	const uint8_t pin[TLS_PIN_LEN] = {1};
	struct probe_result result;

	cr_expect(probe_https(&old, NULL, &result) == VERDICT_TLS && strstr(result.detail, "expired") != NULL);
	cr_expect(probe_https(&named, pin, &result) == VERDICT_TLS && strstr(result.detail, "pinned") != NULL);
	/* A server that speaks HTTP there never answers our greeting: it waits for a request to end. */
	cr_expect(probe_https(&plain, NULL, &result) == VERDICT_TIMEOUT, "%s", result.detail);
	cr_expect(probe_https(&shut, NULL, &result) == VERDICT_TIMEOUT, "%s", result.detail);
}

Test(tor_prober_content, does_not_take_an_answer_that_somebody_cut_for_the_whole)
{
	const struct faketls_kind kind = WELL_NAMED(9);
	const struct fakesite_script script = {
	    .response = "HTTP/1.1 200 OK\r\n\r\nhello", .close_after = true, .cut = true, .tls = &kind};
	struct probe_result result;

	cr_expect(probe_https(&script, NULL, &result) == VERDICT_HTTP);
	cr_expect(strstr(result.detail, "closed in the middle of TLS") != NULL, "%s", result.detail);
}

/* --- the content's version ------------------------------------------------------------ */

#define WITH_BODY(n, text) "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n" text

Test(tor_prober_content, asks_for_the_version_over_the_same_circuit_when_the_answer_was_well)
{
	const struct fakesite_script script = {.response = OK_ALL, .second = WITH_BODY(3, "42\n"), .close_after = true};
	char user[256] = "";
	struct probe_rig r;

	probe_rig_init(&r, &script);
	r.rq.version_path = "/version";
	cr_expect(probe_rig_run(&r) == VERDICT_OK, "%s", r.result.detail);
	snprintf(user, sizeof(user), "%s", fakesite_user(r.site));
	cr_expect(r.result.has_version && r.result.version == 42);
	cr_expect(fakesite_connections(r.site) == 2 && strlen(user) >= 16);
	cr_expect(strncmp(fakesite_request(r.site), "GET /version HTTP/1.1\r\n", 23) == 0);
	cr_expect(r.result.phases.first_byte >= 0 && r.result.phases.total >= r.result.phases.first_byte);
	probe_rig_fini(&r);
}

Test(tor_prober_content, takes_nothing_but_a_number_for_a_version)
{
	static const struct {
		const char *second;
		enum verdict want;
	} cases[] = {
	    {WITH_BODY(1, "0"), VERDICT_OK},
	    {WITH_BODY(2, "-1"), VERDICT_CONTENT},
	    {WITH_BODY(0, ""), VERDICT_CONTENT},
	    {WITH_BODY(4, "1 2 "), VERDICT_CONTENT},
	    {WITH_BODY(20, "99999999999999999999"), VERDICT_CONTENT},
	    {"HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\n7", VERDICT_CONTENT},
	    {"nonsense", VERDICT_HTTP},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fakesite_script script = {
		    .response = OK_ALL, .second = cases[i].second, .close_after = true};
		struct probe_rig r;

		probe_rig_init(&r, &script);
		r.rq.version_path = "/version";
		cr_expect(probe_rig_run(&r) == cases[i].want, "case %zu: %s", i, r.result.detail);
		cr_expect(r.result.has_version == (cases[i].want == VERDICT_OK));
		probe_rig_fini(&r);
	}
}

Test(tor_prober_content, does_not_ask_for_the_version_of_content_that_is_not_well)
{
	const struct fakesite_script script = {.response = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"};
	struct probe_rig r;

	probe_rig_init(&r, &script);
	r.rq.version_path = "/version";
	cr_expect(probe_rig_run(&r) == VERDICT_HTTP && fakesite_connections(r.site) == 1);
	probe_rig_fini(&r);
}
