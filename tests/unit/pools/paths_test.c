// SPDX-License-Identifier: BSD-2-Clause
#include "controlplane/pools/paths.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "controlplane/pools/build.h"

enum { NOW = 1000 };

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static bool tell(struct paths *p, const char *to, uint32_t mtu, uint64_t now)
{
	struct addr a = address(to);

	return paths_told(p, &a, mtu, now);
}

static unsigned known(const struct paths *p, const char *to)
{
	struct addr a = address(to);

	return paths_mtu(p, &a);
}

static void a_path_gets_narrower_only(void **state)
{
	struct paths *p = paths_new();

	(void)state;
	assert_int_equal(known(p, "198.51.100.1"), 0);
	assert_true(tell(p, "198.51.100.1", 1400, NOW));
	assert_false(tell(p, "198.51.100.1", 1400, NOW));
	assert_false(tell(p, "198.51.100.1", 1401, NOW));
	assert_int_equal(known(p, "198.51.100.1"), 1400);
	assert_true(tell(p, "198.51.100.1", 1399, NOW));
	assert_int_equal(known(p, "198.51.100.1"), 1399);
	paths_free(p);
}

static void nobody_is_believed_everything(void **state)
{
	struct paths *p = paths_new();

	(void)state;
	assert_true(tell(p, "198.51.100.1", 0, NOW));
	assert_int_equal(known(p, "198.51.100.1"), PATHS_MIN4);
	assert_true(tell(p, "2001:db8::1", 68, NOW));
	assert_int_equal(known(p, "2001:db8::1"), PATHS_MIN6);
	assert_false(tell(p, "2001:db8::2", UINT32_MAX, NOW));
	assert_int_equal(known(p, "2001:db8::2"), UINT16_MAX);
	paths_free(p);
}

static void each_address_has_its_own(void **state)
{
	struct paths *p = paths_new();
	char to[32];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(to, sizeof to, "10.0.0.%u", i * 77 % 200);
		assert_true(tell(p, to, 1000 + i * 77 % 200, NOW + i));
	}
	for (unsigned i = 0; i < 200; i++) {
		snprintf(to, sizeof to, "10.0.0.%u", i);
		assert_int_equal(known(p, to), 1000 + i);
	}
	assert_int_equal(known(p, "10.0.0.200"), 0);
	assert_int_equal(known(p, "a00::"), 0);
	paths_free(p);
}

static void it_is_forgotten_in_the_end(void **state)
{
	struct paths *p = paths_new();

	(void)state;
	assert_int_equal(paths_next(p), 0);
	tell(p, "10.0.0.2", 1400, NOW);
	tell(p, "10.0.0.1", 1400, NOW + 5);
	assert_int_equal(paths_next(p), NOW + PATHS_AGE_MS);
	assert_false(paths_expire(p, NOW + PATHS_AGE_MS - 1));
	assert_true(paths_expire(p, NOW + PATHS_AGE_MS));
	assert_int_equal(known(p, "10.0.0.2"), 0);
	assert_int_equal(known(p, "10.0.0.1"), 1400);

	/* Told once more it lasts longer; a wider one says nothing about the narrow one. */
	tell(p, "10.0.0.1", 1400, NOW + 100);
	tell(p, "10.0.0.1", 1401, NOW + 200);
	assert_int_equal(paths_next(p), NOW + 100 + PATHS_AGE_MS);
	assert_true(paths_expire(p, NOW + 100 + PATHS_AGE_MS));
	assert_int_equal(paths_next(p), 0);
	paths_free(p);
}

static struct snapshot_member member(const char *to, const char *from, uint8_t bits)
{
	struct addr server = address(to);
	struct snapshot_member m = { .af = server.af, .source_bits = bits };

	memcpy(m.bytes, server.bytes, sizeof m.bytes);
	if (from) {
		struct addr source = address(from);

		memcpy(m.source, source.bytes, sizeof m.source);
	}
	return m;
}

static bool ours_by(const struct build *b, const char *from, const char *to, uint16_t port)
{
	struct addr f = address(from), t = address(to);

	return paths_are_ours(b, &f, &t, port);
}

static bool ours(const struct build *b, const char *from, const char *to)
{
	return ours_by(b, from, to, 0);
}

static struct snapshot_member by_gue(const char *server, const char *source)
{
	struct snapshot_member m = member(server, source, 0);

	m.gue_port = 6080;
	return m;
}

static void tunnels_of_the_engine_are_known(void **state)
{
	struct snapshot_member members[] = {
		member("198.51.100.1", "198.51.100.2", 0),
		member("198.51.100.3", "10.9.0.0", 16),
		member("198.51.100.4", NULL, 0),
		member("2001:db8::1", "2001:db8:9::", 32),
		by_gue("198.51.100.6", "198.51.100.2"),
	};
	struct build b = { .members = members, .input.n_members = 5 };

	(void)state;
	assert_true(ours_by(&b, "198.51.100.2", "198.51.100.6", 6080));
	assert_false(ours_by(&b, "198.51.100.2", "198.51.100.6", 6081));
	assert_false(ours(&b, "198.51.100.2", "198.51.100.6"));
	assert_false(ours_by(&b, "198.51.100.2", "198.51.100.1", 6080));
	assert_true(ours(&b, "198.51.100.2", "198.51.100.1"));
	assert_false(ours(&b, "198.51.100.5", "198.51.100.1"));
	assert_false(ours(&b, "198.51.100.1", "198.51.100.2"));
	assert_true(ours(&b, "10.9.255.1", "198.51.100.3"));
	assert_false(ours(&b, "10.8.255.1", "198.51.100.3"));
	assert_false(ours(&b, "0.0.0.0", "198.51.100.4"));
	assert_true(ours(&b, "2001:db8:9::1234:5678", "2001:db8::1"));
	assert_false(ours(&b, "2001:db8:9:0:1::", "2001:db8::1"));
	assert_false(ours(&b, "198.51.100.2", "2001:db8::1"));
	assert_false(ours(NULL, "198.51.100.2", "198.51.100.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_gets_narrower_only),
		cmocka_unit_test(nobody_is_believed_everything),
		cmocka_unit_test(each_address_has_its_own),
		cmocka_unit_test(it_is_forgotten_in_the_end),
		cmocka_unit_test(tunnels_of_the_engine_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
