/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading when memory is short: linked with --wrap, so that each of our own allocations fails in turn, and
 * no other (libconfig's do not). Leaks are for the sanitizers to find. */
#include "controlplane/conf/memory.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

static int before; /* allocations to go until one fails */

static bool fails(void)
{
	return before-- == 0;
}

/* The linker's names: calls of NAME go to __wrap_NAME, and __real_NAME is what they would have gone to. */
#define REAL(name) __asm__("__real_" #name)
#define WRAP(name) __asm__("__wrap_" #name)

void *real_malloc(size_t size) REAL(malloc);
void *real_calloc(size_t n, size_t size) REAL(calloc);
void *real_realloc(void *p, size_t size) REAL(realloc);
void *real_reallocarray(void *p, size_t n, size_t size) REAL(reallocarray);
char *real_strdup(const char *text) REAL(strdup);
char *real_strndup(const char *text, size_t n) REAL(strndup);
int real_vasprintf(char **out, const char *fmt, va_list ap) REAL(vasprintf);

void *wrap_malloc(size_t size) WRAP(malloc);
void *wrap_calloc(size_t n, size_t size) WRAP(calloc);
void *wrap_realloc(void *p, size_t size) WRAP(realloc);
void *wrap_reallocarray(void *p, size_t n, size_t size) WRAP(reallocarray);
char *wrap_strdup(const char *text) WRAP(strdup);
char *wrap_strndup(const char *text, size_t n) WRAP(strndup);
int wrap_vasprintf(char **out, const char *fmt, va_list ap) WRAP(vasprintf);
int wrap_asprintf(char **out, const char *fmt, ...) WRAP(asprintf)
	__attribute__((format(printf, 2, 3)));

void *wrap_malloc(size_t size)
{
	return fails() ? NULL : real_malloc(size);
}

void *wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : real_calloc(n, size);
}

void *wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : real_realloc(p, size);
}

void *wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : real_reallocarray(p, n, size);
}

char *wrap_strdup(const char *text)
{
	return fails() ? NULL : real_strdup(text);
}

char *wrap_strndup(const char *text, size_t n)
{
	return fails() ? NULL : real_strndup(text, n);
}

int wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
	return fails() ? -1 : real_vasprintf(out, fmt, ap);
}

int wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = wrap_vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

/* Nothing is to be said of it, and it has more settings (over 64) than a first list of places holds. */
#define HEALTH(name) \
	name ": { type = \"http\"; interval = \"1s\"; path = \"/x\"; host = \"x\"; };\n"
#define POOL(name)                  \
	name ": { health = \"" name \
	     "\"; servers: { s: { address = \"10.0.0.1\"; weight = 2; }; }; };\n"
#define SERVICE(name, port) \
	name ": { vip = \"v\"; port = " port "; forward = \"dsr\"; pool = \"" name "\"; };\n"
/* clang-format off */
static const char quiet[] =
	BASE "vips: { v: { address = \"192.0.2.1\"; interface = \"i\"; }; };\n"
	"health: {" HEALTH("a") HEALTH("b") HEALTH("c") HEALTH("d") HEALTH("e") "};\n"
	"pools: {" POOL("a") POOL("b") POOL("c") POOL("d") POOL("e") "};\n"
	"services: {"
	SERVICE("a", "1") SERVICE("b", "2") SERVICE("c", "3") SERVICE("d", "4") SERVICE("e", "5")
	"};\n";
/* clang-format on */

/* Reads with the allocation number n failing. Returns whether there was one, and what came of it in *rc. */
static bool read_with(int n, const char *text, int *rc)
{
	struct conf *c = NULL;
	struct diags d;
	bool failed;

	before = n;
	*rc = conf_parse(text, "t", &c, &d);
	failed = before < 0;
	before = INT_MAX;
	assert_true((c != NULL) == (*rc == 0));
	assert_true(*rc != -EINVAL || d.n_errors);
	conf_free(c);
	diags_free(&d);
	return failed;
}

/* Only the file's name in messages can be done without: the first allocation. */
static void nothing_is_left_out_of_a_configuration(void **state)
{
	int n = 1, rc;

	(void)state;
	while (read_with(n, quiet, &rc)) {
		assert_int_equal(rc, -ENOMEM);
		n++;
	}
	assert_int_equal(rc, 0);
	assert_in_range(n, 50, 1000);
}

/* A message that there is no memory for still counts. */
static void errors_stay_errors(void **state)
{
	int n = 0, rc;

	(void)state;
	while (read_with(n, "node = 1; interfaces = 2; vips: { v: {}; }; oops = 1;", &rc)) {
		assert_true(rc == -ENOMEM || rc == -EINVAL);
		n++;
	}
	assert_int_equal(rc, -EINVAL);
	assert_in_range(n, 20, 1000);
}

static void warnings_may_be_lost(void **state)
{
	int n = 0, rc;

	(void)state;
	while (read_with(n, BASE "pools: { q: {}; };", &rc)) {
		assert_true(rc == -ENOMEM || rc == 0);
		n++;
	}
	assert_int_equal(rc, 0);
	assert_in_range(n, 20, 1000);
}

static void takings_are_zero_and_aligned(void **state)
{
	struct conf_memory *m;

	(void)state;
	before = INT_MAX;
	m = conf_memory_new();
	for (size_t n = 0; n < 100; n++) {
		char *p = conf_memory_take(m, n, 3);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n * 3; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n * 3);
	}
	assert_string_equal(conf_memory_copy(m, "web"), "web");
	assert_null(conf_memory_take(m, SIZE_MAX / 2, 3));
	assert_null(conf_memory_take(m, SIZE_MAX, 1));
	conf_memory_free(m);
	conf_memory_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_out_of_a_configuration),
		cmocka_unit_test(errors_stay_errors),
		cmocka_unit_test(warnings_may_be_lost),
		cmocka_unit_test(takings_are_zero_and_aligned),
	};

	before = INT_MAX;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
