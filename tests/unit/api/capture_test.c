/* SPDX-License-Identifier: BSD-2-Clause */
/* POST /v1/capture over a real socket: the answer that goes on, and every way in which it ends. */
#include "tests/unit/test.h"
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "controlplane/api/api.h"
#include "controlplane/pools/clock.h"
#include "tests/unit/api/client.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"

enum { WAIT_MS = 5000 };

static struct site_fixture f;
static struct api *api;
static char sock[64], text[1 << 16];
static size_t got;

static int setup(void **state)
{
	struct api_options o = { .path = sock, .group = "" };

	(void)state;
	got = 0;
	fixture_open(&f);
	snprintf(sock, sizeof sock, "%s/api.sock", f.dir);
	return fixture_start(&f) || api_new(&api, f.base, f.site, &o, &f.e) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	api_free(api);
	assert_false(fake.capturing);
	fixture_close(&f);
	return 0;
}

static void turn(void)
{
	const struct timeval pause = { .tv_usec = 1000 };

	event_base_loopexit(f.base, &pause);
	event_base_dispatch(f.base);
}

/* Sends the request; the connection stays open. */
static int begin(const char *body)
{
	int fd = client_connect(sock);
	uint64_t end = clock_ms() + WAIT_MS;
	char request[256];
	int len = snprintf(request, sizeof request,
		"POST /v1/capture HTTP/1.1\r\nHost: tandem\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);

	assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
	while (!fake.capturing) {
		assert_true(clock_ms() < end);
		turn();
	}
	return fd;
}

/* Reads until the answer so far holds the words. */
static void wait_for(int fd, const char *words)
{
	uint64_t end = clock_ms() + WAIT_MS;

	do {
		ssize_t n;

		turn();
		n = recv(fd, text + got, sizeof text - 1 - got, 0);
		got += n > 0 ? (size_t)n : 0;
		text[got] = '\0';
		if (clock_ms() > end)
			fail_msg("\"%s\" has not come: %s", words, text);
	} while (!strstr(text, words));
}

static void wait_for_end(void)
{
	uint64_t end = clock_ms() + WAIT_MS;

	while (fake.capturing) {
		assert_true(clock_ms() < end);
		turn();
	}
}

static void tell_leg(enum l4_leg leg, enum l4_verdict verdict)
{
	struct l4_captured c = { .leg = leg,
		.ifindex = fake.ports[0].ifindex,
		.end = { verdict, 0, site_vip_id(f.site, 0), site_service_id(f.site, 0),
			site_server_id(f.site, 0) },
		.len = 60,
		.captured = 2,
		.bytes = { 0xab, 0x01 } };

	fake.on_leg(fake.capture_arg, &c, 1700000000123456789);
}

static void test_legs_are_told(void **state)
{
	int fd = begin("{\"vip\": \"web\"}");

	(void)state;
	assert_int_equal(fake.filter.vip_id, site_vip_id(f.site, 0));
	assert_int_equal(fake.filter.server_id, 0);
	tell_leg(L4_LEG_IN, L4_V_FORWARDED);
	wait_for(fd, "\n{");
	assert_non_null(strstr(text, "HTTP/1.1 200 OK"));
	assert_non_null(strstr(text, "Content-Type: application/x-ndjson\r\n"));
	assert_non_null(strstr(text,
		"{\"time_ns\":1700000000123456789,\"leg\":\"in\",\"interface\":\"front\","
		"\"verdict\":\"forwarded\",\"action\":\"send\",\"vip\":\"web\","
		"\"service\":\"web\",\"server\":\"web/web1\",\"length\":60,\"frame\":\"ab01\"}\n"));
	tell_leg(L4_LEG_OUT, L4_V_FORWARDED);
	wait_for(fd, "\"leg\":\"out\"");
	tell_leg(L4_LEG_IN, L4_V_NO_SERVER);
	wait_for(fd, "\"verdict\":\"no_server\",\"action\":\"drop\"");
	tell_leg(L4_LEG_IN, L4_V_COUNT); /* of a packet that met no tables */
	fake.lost = 7;
	wait_for(fd, "{\"lost\":7}\n");
	close(fd);
	wait_for_end();
}

static void test_a_server(void **state)
{
	const uint8_t address[4] = { 198, 51, 100, 11 };
	int fd = begin("{\"server\": \"web/web1\"}");

	(void)state;
	assert_int_equal(fake.filter.vip_id, 0);
	assert_int_equal(fake.filter.server_id, site_server_id(f.site, 0));
	assert_memory_equal(fake.filter.address, address, 4);
	assert_int_equal(fake.filter.is6, 0);
	close(fd);
	wait_for_end();
}

static void test_a_gateway(void **state)
{
	int fd = begin("{\"vip\": \"back\"}");

	(void)state;
	assert_int_equal(fake.filter.vip_id, site_gateway_id(f.site, 0));
	close(fd);
	wait_for_end();
}

/* What a client does not take is lost, and it learns of that. */
static void test_a_client_that_is_too_slow(void **state)
{
	int fd = begin("{\"vip\": \"web\"}");

	(void)state;
	for (unsigned i = 0; i < 60000; i++)
		tell_leg(L4_LEG_IN, L4_V_FORWARDED);
	for (uint64_t end = clock_ms() + WAIT_MS; !strstr(text, "{\"lost\":");) {
		ssize_t n;

		assert_true(clock_ms() < end);
		turn();
		while ((n = recv(fd, text, sizeof text - 1, 0)) > 0 && !strstr(text, "{\"lost\":"))
			text[n] = '\0';
	}
	close(fd);
	wait_for_end();
}

/* The daemon ends first: teardown sees to it that the capture does too. */
static void test_the_daemon_ends(void **state)
{
	int fd = begin("{\"vip\": \"web\"}");

	(void)state;
	api_free(api);
	api = NULL;
	assert_false(fake.capturing);
	close(fd);
}

static void refused(const char *body, int status, const char *sentence)
{
	struct answer a = client_request(f.base, sock, "POST", "/v1/capture", body);

	assert_int_equal(a.status, status);
	assert_non_null(strstr(a.text, sentence));
	assert_false(fake.capturing);
	answer_free(&a);
}

static void test_refused(void **state)
{
	(void)state;
	refused("{}", 422, "must be given");
	refused("{\"vip\": \"web\", \"server\": \"web/web1\"}", 422, "must be given");
	refused("{\"vip\": 1}", 422, "must be given");
	refused("{\"vip\": \"wbe\"}", 404, "there is no vip \\\"wbe\\\"");
	refused("{\"server\": \"web/web\"}", 404, "there is no server \\\"web/web\\\"");
	refused("{\"server\": \"web\"}", 404, "there is no server");
	fake.capture_error = -EBUSY;
	refused("{\"vip\": \"web\"}", 409, "captures nothing");
	fake.generation = 0;
	refused("{\"vip\": \"web\"}", 409, "no snapshot has been published");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_legs_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_client_that_is_too_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_daemon_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN); /* as tandemd does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
