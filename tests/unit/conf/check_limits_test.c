/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

#define TWO_ARMS "node = \"n\"; interfaces: { i: {}; b: {}; };\n"

/* A file with n_services nat services that share a pool of n_servers. */
static char *large(unsigned n_services, unsigned n_servers, const char *head)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fprintf(out,
		"%sgateways: { g: { address = \"10.99.0.1\"; interface = \"b\"; }; };\n"
		"vips: { v: { address = \"192.0.2.1\"; interface = \"i\"; }; };\n"
		"pools: { p: { servers: {\n",
		head);
	for (unsigned i = 0; i < n_servers; i++)
		fprintf(out, "s%u: { address = \"10.%u.%u.%u\"; };\n", i, i >> 14, i >> 7 & 127,
			i & 127);
	fputs("}; }; };\nservices: {\n", out);
	for (unsigned i = 0; i < n_services; i++)
		fprintf(out, "s%u: { vip = \"v\"; port = %u; forward = \"nat\"; pool = \"p\"; };\n",
			i, i + 1);
	fputs("};\n", out);
	fclose(out);
	return text;
}

/* Reads a text and frees it; its errors come first and are `says`. */
static void expect_errors(char *text, const char *says)
{
	char *got;
	struct conf *c;
	struct diags d;
	size_t n_errors = 0;

	assert_int_equal(conf_parse(text, "t", &c, &d), -EINVAL);
	for (const char *p = says; (p = strchr(p, '\n')) != NULL; p++)
		n_errors++;
	assert_int_equal(d.n_errors, n_errors);
	got = diags_text(&d);
	/* The notes on nat come behind. */
	assert_memory_equal(got, says, strlen(says));
	free(got);
	free(text);
	diags_free(&d);
}

static void expect_large(
	unsigned n_services, unsigned n_servers, const char *head, const char *says)
{
	expect_errors(large(n_services, n_servers, head), says);
}

static void large_files_are_told_their_limits(void **state)
{
	(void)state;
	/* Nowhere to point at: the limits are the defaults. */
	expect_large(2, 4097, TWO_ARMS,
		"0:0: error: \"limits.servers\" is 4096, but the file's servers need 4097; write "
		"servers = 8192; in \"limits\"\n");
	/* A pool with the largest ring there is. */
	expect_large(1, 5243, TWO_ARMS "limits: { servers = 20000; ring_slots = 1048575; };\n",
		"2:41: error: \"limits.ring_slots\" is 1048575, but the rings of the file's pools need "
		"1048576; write ring_slots = 1048576; in \"limits\"\n");
	/* A limit that is bad itself is not compared. */
	expect_large(1, 4097, TWO_ARMS "limits: { servers = 0; };\n",
		"2:21: error: \"limits.servers\" must be from 1 to 65535, not 0\n");
	/* Advice stays within the possible. */
	expect_large(20, 2000, TWO_ARMS "limits: { servers = 9999; };\n",
		"2:21: error: \"limits.servers\" is 9999, but replies from the servers of nat services, one "
		"for each service and server, need 40000; write servers = 65535; in \"limits\"\n");
	/* More replies than can be, so that they are not looked at one by one. */
	expect_large(20, 5000, TWO_ARMS "limits: {\nservers = 65535; };\n",
		"3:11: error: replies from the servers of nat services, one for each service and "
		"server, need 100000 of \"limits.servers\", but 65535 is the most that is "
		"possible\n");
}

/* Eight pools of n servers each, where one falls back on the next: no group of a file can be as large as a
 * pool may be. */
static char *chain(unsigned n)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs("node = \"n\"; interfaces: { i: {}; };\n"
	      "limits: { servers = 65535; ring_slots = 8388608; };\npools: {\n",
		out);
	for (unsigned pool = 0; pool < 8; pool++) {
		if (pool < 7)
			fprintf(out, "p%u: { when_empty = \"p%u\"; servers: {\n", pool, pool + 1);
		else
			fprintf(out, "p%u: { servers: {\n", pool);
		for (unsigned i = 0; i < n; i++)
			fprintf(out, "s%u: { address = \"10.%u.%u.%u\"; };\n", i, pool, i >> 8,
				i & 255);
		fputs("}; };\n", out);
	}
	fputs("};\n", out);
	fclose(out);
	return text;
}

static void pools_are_limited_together_with_their_fall_backs(void **state)
{
	(void)state;
	expect_errors(chain(4095),
		"2:21: error: the file's servers, those that a pool falls back on once more, need 147420 of "
		"\"limits.servers\", but 65535 is the most that is possible\n");
	expect_errors(chain(4096),
		"2:21: error: the file's servers, those that a pool falls back on once more, need 147456 of "
		"\"limits.servers\", but 65535 is the most that is possible\n"
		"4:1: error: pool \"p0\" has 32768 servers together with those that it falls back on; a "
		"pool can have 32766 at most\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools_are_limited_together_with_their_fall_backs),
		cmocka_unit_test(large_files_are_told_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
