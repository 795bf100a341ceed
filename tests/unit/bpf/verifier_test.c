/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs cost the kernel's verifier: steps, of which it takes a million, and stack, of which there are 512
 * bytes for all functions that call each other. Linux 6.1 counts at least 32 bytes for each of them and
 * rounds up to 32 (kernel/bpf/verifier.c, check_max_stack_depth()); later kernels may count less. */
#include "tests/unit/test.h"
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "bpf/decap.skel.h"
#include "bpf/tandem.skel.h"
#include "dataplane/l4/capture.h"
#include "tests/program.h"

/* Linux 6.1 takes half as many steps again as later ones do, and they are to be three quarters of the kernel's limit there. */
enum { MAX_STEPS_6_1 = 750000, MAX_STEPS = 500000 };

enum { MAX_STACK = 480, LOG_SIZE = 1 << 16, LOG_STATS = 4 };

static char said[LOG_SIZE];

static void listen(struct bpf_program *p)
{
	memset(said, 0, sizeof said);
	assert_int_equal(bpf_program__set_log_buf(p, said, sizeof said), 0);
	assert_int_equal(bpf_program__set_log_level(p, LOG_STATS), 0);
}

/* "stack depth 0+336+120", in the order of the functions. */
static unsigned read_depths(unsigned depths[PROGRAM_FUNCTIONS])
{
	static const char word[] = "stack depth ";
	const char *at = strstr(said, word);
	unsigned n = 0;
	char *end;

	assert_non_null(at);
	at += sizeof word - 1;
	do {
		assert_true(n < PROGRAM_FUNCTIONS);
		depths[n++] = (unsigned)strtoul(at, &end, 10);
		assert_true(end > at);
		at = end + 1;
	} while (*end == '+');
	return n;
}

static unsigned long read_steps(void)
{
	const char *at = strstr(said, "processed ");

	assert_non_null(at);
	return strtoul(at + strlen("processed "), NULL, 10);
}

static unsigned long max_steps(void)
{
	struct utsname host;

	assert_int_equal(uname(&host), 0);
	return strncmp(host.release, "6.1.", 4) ? MAX_STEPS : MAX_STEPS_6_1;
}

static unsigned counted(unsigned depth)
{
	return depth ? (depth + 31) / 32 * 32 : 32;
}

/* The dearest chain of calls that begins with a function; there is no recursion in BPF. */
static unsigned deepest(const struct program *p, const unsigned *depths, unsigned function)
{
	unsigned most = 0;

	for (unsigned i = 0; i < p->n; i++) {
		unsigned below = p->functions[function].calls >> i & 1 ? deepest(p, depths, i) : 0;

		if (below > most)
			most = below;
	}
	return counted(depths[function]) + most;
}

static void check(const struct bpf_program *program)
{
	unsigned depths[PROGRAM_FUNCTIONS];
	struct program p;

	assert_int_equal(program_read(bpf_program__fd(program), &p), 0);
	assert_int_equal(read_depths(depths), p.n);
	printf("%s: %lu steps, %u bytes of stack\n", bpf_program__name(program), read_steps(),
		deepest(&p, depths, 0));
	for (unsigned i = 0; i < p.n; i++)
		printf("  %3u %-20s %5u instructions; with what it calls %u\n", depths[i],
			p.functions[i].name, p.functions[i].instructions, deepest(&p, depths, i));
	assert_in_range(read_steps(), 1, max_steps());
	assert_in_range(deepest(&p, depths, 0), 1, MAX_STACK);
}

/* Of the object's programs each instance loads one. */
static void check_engine(struct tandem_bpf *b, struct bpf_program *wanted)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int image = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", 4, 64 * 1024, 1, &opts);
	struct bpf_program *p;

	assert_true(image >= 0);
	assert_int_equal(bpf_map__set_inner_map_fd(b->maps.generation, image), 0);
	bpf_object__for_each_program(p, b->obj)
	{
		assert_int_equal(bpf_program__set_autoload(p, p == wanted), 0);
	}
	listen(wanted);
	assert_int_equal(tandem_bpf__load(b), 0);
	check(wanted);
	tandem_bpf__destroy(b);
	close(image);
}

static void test_engine(void **state)
{
	struct tandem_bpf *b = tandem_bpf__open();

	(void)state;
	assert_non_null(b);
	check_engine(b, b->progs.tandem_xdp);
}

static void test_trace(void **state)
{
	struct tandem_bpf *b = tandem_bpf__open();

	(void)state;
	assert_non_null(b);
	check_engine(b, b->progs.tandem_trace);
}

static void test_capture(void **state)
{
	struct tandem_bpf *b = tandem_bpf__open();

	(void)state;
	assert_non_null(b);
	b->rodata->reports = L4_REPORTS_CAPTURE;
	check_engine(b, b->progs.tandem_capture);
}

static void check_decap(struct decap_bpf *b, const struct bpf_program *p)
{
	assert_int_equal(decap_bpf__load(b), 0);
	check(p);
	decap_bpf__destroy(b);
}

static void test_decap(void **state)
{
	struct decap_bpf *b = decap_bpf__open();

	(void)state;
	assert_non_null(b);
	listen(b->progs.decap);
	check_decap(b, b->progs.decap);
	b = decap_bpf__open();
	assert_non_null(b);
	listen(b->progs.clamp);
	check_decap(b, b->progs.clamp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_decap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
