/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics inside the daemon: what they say of what happened, where they are shown, and that they stay bounded. */
#include "config.h"
#include "unit/daemon/rig.h"

#include "base/file.h"
#include "daemon/metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig r;

static void
conf(const char *inside, unsigned mirrors)
{
	char text[512];

	snprintf(text, sizeof text, "metrics { %s }\n", inside);
	rig_conf(&r, text, mirrors);
}

static void
start(void)
{
	char inside[256];

	rig_init(&r, "");
	snprintf(inside, sizeof inside, "listen = \"unix:%s/metrics\" textfile = \"%s/m.prom\"", r.dir, r.dir);
	conf(inside, 1);
}

static void
stop(void)
{
	rig_fini(&r);
}

TestSuite(daemon_metrics, .init = start, .fini = stop);

static void
open_and_list(void)
{
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
}

static const char *
now(void)
{
	size_t n;
	const char *text;

	text = metrics_text(&r.d, &n);
	cr_assert_not_null(text);
	cr_expect_eq(strlen(text), n);
	return text;
}

static bool
says(void *want)
{
	size_t n;
	const char *text = metrics_text(&r.d, &n);

	return text != NULL && strstr(text, want) != NULL;
}

/* A line comes, within the second that a text is kept and what the daemon needs. */
static void
expect_line(const char *line)
{
	cr_expect(loop_run_until(r.d.loop, says, (void *)(uintptr_t)line, 10000), "no %s in\n%s", line, now());
}

Test(daemon_metrics, tell_what_is_and_what_happened)
{
	open_and_list();
	expect_line("\nonionmirror_mirror_state{mirror=\"a\",state=\"up\"} 1\n");
	expect_line("\nonionmirror_mirror_state{mirror=\"a\",state=\"down\"} 0\n");
	expect_line("\nonionmirror_mirrors{state=\"up\"} 1\n");
	expect_line("\nonionmirror_mirror_listed{mirror=\"a\"} 1\n");
	expect_line("\nonionmirror_up 1\n");
	expect_line("\nonionmirror_tor_up{tor=\"main\"} 1\n");
	expect_line("\nonionmirror_tor_fit{tor=\"main\"} 1\n");
	expect_line("\nonionmirror_rotations_total{mirror=\"a\",cause=\"start\",result=\"ok\"} 1\n");
	expect_line("\nonionmirror_rotation_duration_seconds_count 1\n");
	expect_line("\nonionmirror_descriptor_uploads_total{mirror=\"a\",result=\"ok\"} 16\n");
	expect_line("\nonionmirror_rotation_budget_left 6\n");
	expect_line("\nonion_service_reachable{name=\"a\",protocol=\"http\",port=\"80\",path=\"/\"} 1\n");
	expect_line("\nonion_service_status_code{name=\"a\",protocol=\"http\",port=\"80\",path=\"/\"} 200\n");
	cr_expect_null(strstr(now(), "onionmirror_probes_total{mirror=\"a\",verdict=\"ok\"} 0\n"));
	cr_expect_null(strstr(now(), "onionmirror_store_write_seconds_count 0\n"));
	cr_expect_null(strstr(now(), "onionmirror_delay_seconds_count 0\n"));
	cr_expect_null(strstr(now(), ".onion"), "no address unless asked");
	cr_expect_null(strstr(now(), rig_listed(&r)->address));
}

Test(daemon_metrics, addresses_are_labels_only_when_asked)
{
	char line[160];

	conf("addresses = on", 1);
	open_and_list();
	snprintf(line, sizeof line, "\nonion_service_reachable{name=\"a\",address=\"%s.onion\",protocol=\"http\",port=\"80\",path=\"/\"} 1\n",
	    rig_listed(&r)->address);
	expect_line(line);
}

static size_t
lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static bool
has_new_address(void *arg)
{
	const struct onion_record *o = rig_listed(&r);

	return o != NULL && o->id != *(uint64_t *)arg;
}

Test(daemon_metrics, series_do_not_grow_with_addresses_and_go_with_their_mirror)
{
	struct buf faults = BUF_INIT(4096);
	size_t before;
	uint64_t id;

	open_and_list();
	expect_line("\nonion_service_reachable{");
	before = lines(now());
	id = rig_listed(&r)->id;
	rig_connect(&r);
	json_decref(rig_line(&r));
	json_decref(rig_call(&r, "rotate", "{\"mirror\":\"a\"}"));
	cr_assert(loop_run_until(r.d.loop, has_new_address, &id, 20000), "%s", r.log);
	expect_line("\nonionmirror_rotations_total{mirror=\"a\",cause=\"operator\",result=\"ok\"} 1\n");
	expect_line("\nonion_service_reachable{");
	cr_expect_eq(lines(now()), before);
	conf("", 2);
	cr_assert_eq(daemon_reload(&r.d, &faults), 0, "%s", buf_str(&faults));
	expect_line("\nonionmirror_probes_total{mirror=\"b\",verdict=\"ok\"} ");
	expect_line("\nonionmirror_rotations_total{mirror=\"a\",cause=\"operator\",result=\"ok\"} 1\n");
	conf("", 1);
	cr_assert_eq(daemon_reload(&r.d, &faults), 0, "%s", buf_str(&faults));
	expect_line("\nonionmirror_mirrors{state=\"up\"} 1\n");
	cr_expect_null(strstr(now(), "\"b\""));
	buf_free(&faults);
}

/* --- where it is shown ---------------------------------------------------------------------------------- */

static void
expect_answer(const char *request, const char *begin, bool whole)
{
	struct stream *s = rig_ask(&r, rig_path(&r, "metrics"), request, 4 * 1024 * 1024);
	const char *p, *body;
	size_t n;

	cr_assert(rig_run(&r, rig_is_over));
	p = stream_peek(s, &n);
	cr_expect(n > strlen(begin) && strncmp(p, begin, strlen(begin)) == 0, "%s: %.*s", request, (int)(n < 200 ? n : 200), p);
	body = memmem(p, n, "\r\n\r\n", 4);
	cr_assert_not_null(body);
	cr_expect_eq(whole, memmem(body, n - (size_t)(body - p), "\nonionmirror_up 1\n", 18) != NULL, "%s", request);
	stream_free(s);
}

Test(daemon_metrics, the_socket_answers_get_and_head_for_one_path)
{
	struct stat st;

	open_and_list();
	cr_assert_eq(stat(rig_path(&r, "metrics"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
	expect_answer("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n", true);
	expect_answer("GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n", true);
	expect_answer("HEAD /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4", false);
	expect_answer("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ", false);
	expect_answer("GET /metrics/ HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ", false);
	expect_answer("POST /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 405 ", false);
	expect_answer("nonsense\r\n\r\n", "HTTP/1.1 400 ", false);
}

static bool
file_is_there(void *arg)
{
	(void)arg;
	return access(rig_path(&r, "m.prom"), F_OK) == 0;
}

Test(daemon_metrics, the_file_is_there_while_it_is_configured_and_the_daemon_runs)
{
	struct buf faults = BUF_INIT(4096);
	struct err e = ERR_INIT;
	struct stat st;
	char *text = NULL;
	size_t n;

	open_and_list();
	cr_assert(rig_run(&r, file_is_there));
	cr_assert_eq(file_read(rig_path(&r, "m.prom"), 1 << 20, FILE_PUBLIC, &text, &n, &e), 0, "%s", e.msg);
	cr_expect_not_null(strstr(text, "\nonionmirror_up 1\n"));
	cr_expect(stat(rig_path(&r, "m.prom"), &st) == 0 && (st.st_mode & 0777) == 0644, "node_exporter is another user");
	free(text);
	conf("", 1);
	cr_assert_eq(daemon_reload(&r.d, &faults), 0, "%s", buf_str(&faults));
	cr_expect_neq(access(rig_path(&r, "m.prom"), F_OK), 0);
	cr_expect_neq(access(rig_path(&r, "metrics"), F_OK), 0, "nor is the socket");
	buf_free(&faults);
}

Test(daemon_metrics, a_file_that_cannot_be_written_stops_nothing)
{
	char inside[256];

	snprintf(inside, sizeof inside, "textfile = \"%s/nowhere/m.prom\"", r.dir);
	conf(inside, 1);
	open_and_list();
	cr_expect_not_null(strstr(r.log, "metrics, textfile: "), "%s", r.log);
}

Test(daemon_metrics, a_socket_that_cannot_be_opened_is_told_at_start)
{
	struct err e = ERR_INIT;

	cr_assert_eq(file_write(rig_path(&r, "metrics"), "x", 1, 0644, &e), 0, "%s", e.msg);
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "metrics, listen: "), "%s", r.log);
}

Test(daemon_metrics, the_control_socket_gives_the_same_text)
{
	const char *text;
	json_t *v;

	open_and_list();
	rig_connect(&r);
	json_decref(rig_line(&r));
	v = rig_call(&r, "metrics", "{}");
	text = json_string_value(json_object_get(json_object_get(v, "result"), "text"));
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, "# TYPE onionmirror_probe_duration_seconds histogram\n"));
	json_decref(v);
	v = rig_call(&r, "metrics", "{\"x\":1}");
	cr_expect_not_null(json_object_get(v, "error"));
	json_decref(v);
}

Test(daemon_metrics, the_table_follows_the_conventions_of_names)
{
	const struct metric_row *row;
	size_t n = 0, len, i;

	for (row = metric_rows; row->m.name != NULL; row++, n++) {
		const char *name = row->m.name;

		len = strlen(name);
		cr_expect_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), len, "%s", name);
		cr_expect(strncmp(name, "onionmirror_", 12) == 0 || strncmp(name, "onion_service_", 14) == 0, "%s", name);
		cr_expect_eq(row->m.type == METRIC_COUNTER, len > 6 && strcmp(name + len - 6, "_total") == 0, "%s", name);
		cr_expect_eq(row->m.type == METRIC_HISTOGRAM, row->m.bounds != NULL, "%s", name);
		cr_expect(row->m.help[0] != '\0' && strchr(row->m.help, '\n') == NULL, "%s", name);
		for (i = 0; row->m.labels[i] != NULL; i++)
			cr_expect_eq(strspn(row->m.labels[i], "abcdefghijklmnopqrstuvwxyz_"), strlen(row->m.labels[i]));
	}
	cr_expect_geq(n, 20);
}
