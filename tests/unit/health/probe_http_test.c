/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers by RFC 9112 unless a test says what is wrong with them. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "tests/unit/health/trial.h"
#include "tests/unit/test.h"

#define PIECES(...)	 ((const char *const[]){ __VA_ARGS__, NULL })
#define TOO_LONG_HEADERS "not an HTTP answer, or headers over 16384 bytes"
#define TOO_LONG_BODY	 "body over 65536 bytes, or broken chunks"

/* Probes a server on the loopback that answers with these pieces and then closes or does not. */
static void answer(struct trial *t, const char *const *pieces, bool closes)
{
	struct peer_script s = { .pieces = pieces, .close = closes };

	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
}

static void the_request(void **state)
{
	const struct peer_script ok = { .pieces = PIECES("HTTP/1.1 200 OK\r\n\r\n") };
	struct trial *t = *state;
	char expected[512];

	t->check.path = "/healthz?a=b";
	trial_run(t, &probe_http, "127.0.0.1", 0, &ok);
	trial_is(t, PROBE_OK, "status 200");
	snprintf(expected, sizeof expected,
		"GET /healthz?a=b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: tandem/%s\r\n"
		"Accept: */*\r\nConnection: close\r\n\r\n",
		t->peer->port, TANDEM_VERSION);
	assert_string_equal(t->peer->request, expected);
	t->check.method = CONF_HEAD;
	trial_run(t, &probe_http, "127.0.0.1", 0, &ok);
	assert_memory_equal(t->peer->request, "HEAD /healthz?a=b HTTP/1.1\r\n", 28);
}

static void the_host_header(void **state)
{
	const struct peer_script ok = { .pieces = PIECES("HTTP/1.1 200 OK\r\n\r\n") };
	struct trial *t = *state;
	char expected[64];

	trial_run(t, &probe_http, "127.0.0.1", 80, &ok);
	assert_non_null(strstr(t->peer->request, "\r\nHost: 127.0.0.1\r\n"));
	trial_run(t, &probe_http, "::1", 80, &ok);
	assert_non_null(strstr(t->peer->request, "\r\nHost: [::1]\r\n"));
	trial_run(t, &probe_http, "::1", 0, &ok);
	snprintf(expected, sizeof expected, "\r\nHost: [::1]:%u\r\n", t->peer->port);
	assert_non_null(strstr(t->peer->request, expected));
	t->check.host = "www.example.com";
	trial_run(t, &probe_http, "::1", 0, &ok);
	assert_non_null(strstr(t->peer->request, "\r\nHost: www.example.com\r\n"));
}

static void methods(void **state)
{
	static const char *const names[] = {
		[CONF_GET] = "GET",
		[CONF_HEAD] = "HEAD",
		[CONF_POST] = "POST",
		[CONF_PUT] = "PUT",
		[CONF_DELETE] = "DELETE",
		[CONF_OPTIONS] = "OPTIONS",
		[CONF_TRACE] = "TRACE",
		[CONF_PATCH] = "PATCH",
	};
	struct trial *t = *state;
	char expected[32];

	for (enum conf_method i = 0; i < sizeof names / sizeof *names; i++) {
		t->check.method = i;
		answer(t, PIECES("HTTP/1.1 204 No Content\r\n\r\n"), true);
		trial_is(t, PROBE_OK, "status 204");
		snprintf(expected, sizeof expected, "%s / HTTP/1.1\r\n", names[i]);
		assert_memory_equal(t->peer->request, expected, strlen(expected));
	}
}

static void the_status_decides(void **state)
{
	struct trial *t = *state;

	answer(t, PIECES("HTTP/1.1 200 OK\r\n\r\n"), false);
	trial_is(t, PROBE_OK, "status 200");
	answer(t, PIECES("HTTP/1.0 399\r\n\r\n"), false);
	trial_is(t, PROBE_OK, "status 399");
	answer(t, PIECES("HTTP/1.1 503 Service Unavailable\r\n\r\n"), false);
	trial_is(t, PROBE_FAILED, "status 503, want 200-399");
	answer(t, PIECES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), false);
	trial_is(t, PROBE_FAILED, "status 100, want 200-399");
	answer(t, PIECES("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), false);
	trial_is(t, PROBE_FAILED, "status 103, want 200-399");
	t->check.status_min = t->check.status_max = 204;
	answer(t, PIECES("HTTP/1.1 200 OK\r\n\r\n"), false);
	trial_is(t, PROBE_FAILED, "status 200, want 204");
	answer(t, PIECES("HTTP/1.1 204 No Content\r\n\r\n"), false);
	trial_is(t, PROBE_OK, "status 204");
}

/* A wrong status is known before a body that takes for ever. */
static void the_status_decides_at_once(void **state)
{
	struct peer_script s = { .pieces = PIECES(
					 "HTTP/1.1 500 Oh\r\nContent-Length: 99999999\r\n\r\n"),
		.endless = "x",
		.dribble = true };
	struct trial *t = *state;

	t->check.body = "ok";
	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
	trial_is(t, PROBE_FAILED, "status 500, want 200-399");
	s.pieces = PIECES("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
	t->check.body = "";
	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
	trial_is(t, PROBE_OK, "status 200");
}

static void an_answer_in_pieces(void **state)
{
	struct trial *t = *state;

	t->check.body = "all is well";
	answer(t,
		PIECES("H", "TTP/1.1 2", "00 O", "K\r", "\nContent-Le", "ngth: 15\r\nX: y\r\n",
			"\r\n", "so al", "l is", " well!"),
		false);
	trial_is(t, PROBE_OK, "status 200, body contains \"all is well\"");
}

static void bodies_are_searched(void **state)
{
	static const struct {
		const char *answer;
		bool closes, found;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, true },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok", false, false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nok", false, false },
		{ "HTTP/1.1 200 OK\r\n\r\nit is ok so far", true, true },
		{ "HTTP/1.1 200 OK\r\n\r\nno", true, false },
		{ "HTTP/1.0 200 OK\r\n\r\nok", true, true },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", true, true },
		{ "HTTP/1.1 200 OK\r\nX: ok\r\nContent-Length: 2\r\n\r\nno", false, false },
		{ "HTTP/1.1 204 ok\r\n\r\n", false, false },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
			false, true },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, false },
		/* Across chunks, the sizes of which are not part of the body. */
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nso \r\n1 \r\no\r\n"
		  "1\r\nk\r\n0\r\nTrailer: x\r\n\r\n",
			false, true },
	};
	struct trial *t = *state;

	t->check.body = "ok";
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		answer(t, PIECES(cases[i].answer), cases[i].closes);
		if (t->timed_out || (t->outcome == PROBE_OK) != cases[i].found)
			fail_msg("%s: %s", cases[i].answer, t->reason);
		if (!cases[i].found)
			assert_string_equal(t->reason, "body does not contain \"ok\"");
	}
}

static void chunks_in_pieces(void **state)
{
	struct trial *t = *state;

	t->check.body = "healthy";
	answer(t,
		PIECES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r", "\nhe",
			"al\r\n", "3\r\nthy", "\r\n0\r", "\n\r\n"),
		false);
	trial_is(t, PROBE_OK, "status 200, body contains \"healthy\"");
}

static void what_is_no_http(void **state)
{
	static const char *const answers[] = { "SSH-2.0-OpenSSH_9.2\r\n", "\r\n",
		"HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 OK 200\r\n\r\n",
		"200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "\x16\x03\x01\x02\n" };
	struct trial *t = *state;

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		answer(t, PIECES(answers[i]), false);
		trial_is(t, PROBE_FAILED, TOO_LONG_HEADERS);
	}
}

static void early_ends(void **state)
{
	static const char *const answers[] = { "", "HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n" };
	struct trial *t = *state;

	t->check.body = "ok";
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		answer(t, PIECES(answers[i]), true);
		trial_is(t, PROBE_FAILED, "closed before the answer was complete");
	}
}

static void endless_headers(void **state)
{
	struct peer_script s = { .pieces = PIECES("HTTP/1.1 200 OK\r\n"),
		.endless = "X: yyyyyyyyyyyy\r\n" };
	struct trial *t = *state;

	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
	trial_is(t, PROBE_FAILED, TOO_LONG_HEADERS);
	s.endless = "one line that never ends";
	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
	trial_is(t, PROBE_FAILED, TOO_LONG_HEADERS);
	s.pieces = NULL;
	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
	trial_is(t, PROBE_FAILED, TOO_LONG_HEADERS);
}

static void bodies_over_the_bound(void **state)
{
	static const char *const heads[] = { "HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnumber\r\n" };
	struct peer_script s = { .endless = "ok ok ok ok ok ok ok ok " };
	struct trial *t = *state;

	t->check.body = "ok";
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		s.pieces = PIECES(heads[i]);
		trial_run(t, &probe_http, "127.0.0.1", 0, &s);
		trial_is(t, PROBE_FAILED, TOO_LONG_BODY);
	}
	/* Without a body to look for its length does not matter. */
	t->check.body = "";
	s.pieces = PIECES(heads[0]);
	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
	trial_is(t, PROBE_OK, "status 200");
}

/* Each read costs a search through what was read before. */
static void an_answer_in_very_many_pieces(void **state)
{
	struct peer_script s = { .endless = "11" };
	struct trial *t = *state;

	s.pieces = PIECES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	t->check.body = "ok";
	trial_run(t, &probe_http, "127.0.0.1", 0, &s);
	trial_is(t, PROBE_FAILED, "answer in over 2000 pieces");
}

/* What is read waits in memory until it makes sense; no more than so much. */
static void a_line_without_end(void **state)
{
	static char line[300000];
	struct trial *t = *state;

	memset(line, '1', sizeof line - 1);
	t->check.body = "ok";
	answer(t, PIECES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", line), true);
	trial_is(t, PROBE_FAILED, "answer with a line or chunk over 98304 bytes");
}

static void a_body_as_long_as_the_bound(void **state)
{
	static char body[65536 + 1];
	struct trial *t = *state;

	memset(body, 'x', sizeof body - 3);
	memcpy(body + sizeof body - 3, "ok", 2);
	t->check.body = "ok";
	answer(t, PIECES("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n", body), false);
	trial_is(t, PROBE_OK, "status 200, body contains \"ok\"");
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Whoever keeps a probe waiting is left, however busy the connection is. */
static void servers_that_do_not_come_to_an_end(void **state)
{
	const struct peer_script scripts[] = {
		{ 0 },
		{ .deaf = true },
		{ .pieces = PIECES("HTTP/1.1 200 OK\r\n") },
		{ .endless = "H", .dribble = true },
		{ .pieces = PIECES("HTTP/1.1 200 OK\r\n"), .endless = "X: y\r\n", .dribble = true },
		{ .pieces = PIECES("HTTP/1.1 200 OK\r\n\r\n"), .endless = "x", .dribble = true },
		{ .pieces = PIECES("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"),
			.endless = "x",
			.dribble = true },
		{ .pieces = PIECES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
			.endless = "1",
			.dribble = true },
		{ .pieces = PIECES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
			.endless = "\r\n",
			.dribble = true },
	};
	struct trial *t = *state;

	t->check.timeout_ms = 150;
	t->check.body = "ok";
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		uint64_t start = now_ms();

		trial_run(t, &probe_http, "127.0.0.1", 0, &scripts[i]);
		trial_timed_out(t);
		assert_in_range(now_ms() - start, 149, 2000);
	}
}

static void connections_that_fail(void **state)
{
	const struct peer_script refusing = { .refuse = true };
	struct trial *t = *state;
	struct addr nowhere;

	trial_run(t, &probe_http, "127.0.0.1", 0, &refusing);
	trial_is(t, PROBE_FAILED, "connection refused");
	trial_run(t, &probe_http, "::1", 0, &refusing);
	trial_is(t, PROBE_FAILED, "connection refused");
	assert_int_equal(addr_parse("192.0.2.1", &nowhere), 0);
	trial_run_at(t, &probe_http, &nowhere, 80);
	trial_is(t, PROBE_FAILED, "network unreachable");
	assert_int_equal(system("ip route add unreachable 192.0.2.0/24"), 0);
	trial_run_at(t, &probe_http, &nowhere, 80);
	trial_is(t, PROBE_FAILED, "host unreachable");
	assert_int_equal(system("ip route del unreachable 192.0.2.0/24"), 0);
}

static void no_file_descriptors_left(void **state)
{
	const struct peer_script silent = { 0 };
	struct trial *t = *state;
	struct rlimit before, none;

	t->check.timeout_ms = 100;
	trial_run(t, &probe_http, "127.0.0.1", 0, &silent);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	trial_run_at(t, &probe_http, &t->peer->addr, t->peer->port);
	setrlimit(RLIMIT_NOFILE, &before);
	trial_is(t, PROBE_NOT_MADE, "Too many open files");
}

/* Some servers speak first, or close before they have read. */
static void hasty_servers(void **state)
{
	const struct peer_script answering = { .hasty = true,
		.pieces = PIECES("HTTP/1.1 200 OK\r\n\r\n") },
				 closing = { .hasty = true, .close = true };
	struct trial *t = *state;

	for (int i = 0; i < 20; i++) {
		trial_run(t, &probe_http, "127.0.0.1", 0, &answering);
		trial_is(t, PROBE_OK, "status 200");
		trial_run(t, &probe_http, "127.0.0.1", 0, &closing);
		trial_is(t, PROBE_FAILED, "closed before the answer was complete");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trial_setup, trial_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_request),
		TEST(the_host_header),
		TEST(methods),
		TEST(the_status_decides),
		TEST(the_status_decides_at_once),
		TEST(an_answer_in_pieces),
		TEST(bodies_are_searched),
		TEST(chunks_in_pieces),
		TEST(what_is_no_http),
		TEST(early_ends),
		TEST(endless_headers),
		TEST(bodies_over_the_bound),
		TEST(an_answer_in_very_many_pieces),
		TEST(a_line_without_end),
		TEST(a_body_as_long_as_the_bound),
		TEST(servers_that_do_not_come_to_an_end),
		TEST(connections_that_fail),
		TEST(no_file_descriptors_left),
		TEST(hasty_servers),
	};

	return cmocka_run_group_tests(tests, trial_group_setup, NULL);
}
