/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading when memory is short: linked with --wrap, so that our own allocations fail one after the other
 * (libconfig's do not). Leaks are for the sanitizers to find. */
#include "controlplane/conf/memory.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

static int allowed; /* allocations that still succeed */

static bool fails(void)
{
	return allowed-- <= 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
int __real_vasprintf(char **out, const char *fmt, va_list ap);
int __wrap_asprintf(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_vasprintf(char **out, const char *fmt, va_list ap);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
	return fails() ? NULL : __real_strndup(text, n);
}

int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
	return fails() ? -1 : __real_vasprintf(out, fmt, ap);
}

int __wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = __wrap_vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

/* Has something to say at every level, and of every kind. */
static const char text[] =
	"node = \"n\"; interfaces: { i: {}; }; vips: { v: { address = \"192.0.2.1\"; interface = \"i\"; }; };\n"
	"health: { h: { type = \"http\"; }; }; pools: { q: {};\n"
	"p: { health = \"h\"; servers: { s: { address = \"10.0.0.1\"; }; t: { address = \"10.0.0.2\"; }; }; }; };\n"
	"services: { s: { vip = \"v\"; port = 80; forward = \"nat\"; pool = \"p\"; }; };\n";

/* Reads with n allocations allowed; returns whether more were wanted. */
static bool read_with(int n, const char *what, int rc_wanted)
{
	struct conf *c = NULL;
	struct diags d;
	int rc;
	bool short_of;

	allowed = n;
	rc = conf_parse(what, "t", &c, &d);
	short_of = allowed < 0;
	allowed = INT_MAX;
	assert_true(rc == rc_wanted || (short_of && rc == -ENOMEM));
	assert_true((c != NULL) == (rc == 0));
	conf_free(c);
	diags_free(&d);
	return short_of;
}

static void reading_survives_short_memory(void **state)
{
	int n = 0;

	(void)state;
	while (read_with(n, text, 0))
		n++;
	assert_in_range(n, 50, 1000);
}

static void complaining_survives_short_memory(void **state)
{
	int n = 0;

	(void)state;
	/* An error counts, even when there is no memory for its words. */
	while (read_with(n, "node = 1; interfaces = 2; vips: { v: {}; }; oops = 1;", -EINVAL))
		n++;
	assert_in_range(n, 20, 1000);
}

static void takings_are_zero_and_aligned(void **state)
{
	struct conf_memory *m;

	(void)state;
	allowed = INT_MAX;
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
		cmocka_unit_test(reading_survives_short_memory),
		cmocka_unit_test(complaining_survives_short_memory),
		cmocka_unit_test(takings_are_zero_and_aligned),
	};

	allowed = INT_MAX;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
