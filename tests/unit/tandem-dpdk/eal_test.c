/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/eal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "apps/tandem-dpdk/cpulist.h"
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

static const struct pages no_pages = { .n = 0 };
static const struct pages few_pages = { { { 2048, 300, 100 } }, 1 };
static const struct pages many_pages = { { { 1048576, 0, 0 }, { 2048, 300, 256 } }, 2 };
static const struct pages large_pages = { { { 1048576, 1, 1 } }, 1 };

/* A test's own machine and configuration, and what comes of them. */
struct
try {
	const char *dpdk;  /* keys of engine.dpdk */
	const char *ports; /* members of interfaces */
	const char *cpus;  /* that the process may use */
	const struct pages *pages;
	const char *run_dir;
	int rc;
	struct err e, warning;
	struct eal_workers workers;
	char text[4096]; /* arguments with blanks between, from the third on */
};

#define TRY(dpdk_, ports_, cpus_, pages_)                                      \
	{                                                                      \
		.dpdk = dpdk_, .ports = ports_, .cpus = cpus_, .pages = pages_ \
	}

static void try_it(struct try *t)
{
	struct eal_facts f = { .pages = *t->pages };
	struct eal_args a = { .argc = 0 };
	char text[1024];
	struct conf *c;

	assert_int_equal(cpulist_parse(t->cpus, &f.cpus), 0);
	snprintf(text, sizeof text,
		"node = \"n\"; engine: { type = \"dpdk\"; dpdk: { %s }; }; interfaces: { %s };",
		t->dpdk, t->ports ? t->ports : "i: {};");
	c = parse_good(text);
	t->text[0] = t->e.text[0] = '\0';
	t->rc = eal_workers(&c->engine.dpdk, &f.cpus, &t->workers, &t->e);
	if (!t->rc)
		t->rc = eal_args(
			c, t->run_dir ? t->run_dir : "/run/tandem", &f, &t->workers, &a, &t->e);
	t->warning = a.warning;
	if (!t->rc) {
		assert_string_equal(a.argv[0], "tandem-dpdk");
		assert_null(a.argv[a.argc]);
		for (int i = 1; i < a.argc; i++)
			snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text),
				"%s%s", i > 1 ? " " : "", a.argv[i]);
		eal_args_free(&a);
	}
	conf_free(c);
}

#define PREFIX "--file-prefix=tandem-77229471f753ea87 "
#define HUGE   " --in-memory -m 512"
#define SMALL  " --no-huge --no-shconf --iova-mode=va -m 512"
#define TAIL   " --no-telemetry --log-level=warning"

static void expect(struct try t, const char *args)
{
	const char *from;

	try_it(&t);
	if (t.rc)
		fail_msg("%s", t.e.text);
	from = strchr(t.text, ' '); /* behind the prefix, which has a test of its own */
	assert_non_null(from);
	assert_string_equal(from + 1, args);
}

static void workers_and_the_main_thread_have_their_cpus(void **state)
{
	(void)state;
	expect((struct try)TRY("", NULL, "0-3", &many_pages),
		"--lcores=0@(0-2),1@3 --main-lcore=0" HUGE " --no-pci" TAIL);
	expect((struct try)TRY("cpus = \"2,1\";", NULL, "0-3,6", &many_pages),
		"--lcores=0@(0,3,6),1@2,2@1 --main-lcore=0" HUGE " --no-pci" TAIL);
	expect((struct try)TRY("cpus = \"0-1\";", NULL, "0-1", &many_pages),
		"--lcores=0@(0-1),1@0,2@1 --main-lcore=0" HUGE " --no-pci" TAIL);
	expect((struct try)TRY("", NULL, "5", &many_pages),
		"--lcores=0@(5),1@5 --main-lcore=0" HUGE " --no-pci" TAIL);
	expect((struct try)TRY("cpus = \"1023\";", NULL, "0,1023", &many_pages),
		"--lcores=0@(0),1@1023 --main-lcore=0" HUGE " --no-pci" TAIL);
}

static void cpus_that_are_not_ours_are_refused(void **state)
{
	struct try t = TRY("cpus = \"2-4\";", NULL, "0-3", &many_pages);

	(void)state;
	try_it(&t);
	assert_int_equal(t.rc, -EINVAL);
	assert_string_equal(t.e.text,
		"\"engine.dpdk.cpus\" names CPU 4, which tandem-dpdk may not use: it may use 0-3; name "
		"others, or let it use more (CPUAffinity= of its systemd unit)");
}

static void there_is_room_for_all_workers(void **state)
{
	struct try t = TRY("cpus = \"100-226\";", NULL, "0-1023", &many_pages);

	(void)state;
	try_it(&t);
	assert_int_equal(t.rc, 0);
	assert_int_equal(t.workers.n, CONF_CPUS_MAX);
	assert_non_null(strstr(t.text, "--lcores=0@(0-99,227-1023),1@100,"));
	assert_non_null(strstr(t.text, ",127@226 "));
}

static void memory_lies_in_huge_pages_where_there_are_enough(void **state)
{
	static const struct {
		const char *dpdk;
		const struct pages *pages;
		const char *memory, *warning;
	} samples[] = {
		{ "", &many_pages, " --in-memory -m 512 ", "" },
		{ "", &large_pages, " --in-memory -m 512 ", "" },
		{ "", &few_pages, " --no-huge --no-shconf --iova-mode=va -m 512 ",
			"going on without huge pages, which is slower: \"engine.dpdk.memory\" is 512 MiB: 256 "
			"huge pages of 2048 kB are needed, but 100 are free, and 200 MiB in those of all "
			"sizes; reserve more: echo 456 > "
			"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages" },
		{ "memory = 64;", &few_pages, " --in-memory -m 64 ", "" },
		{ "memory = 200;", &few_pages, " --in-memory -m 200 ", "" },
		{ "memory = 2000;", &large_pages, " --no-huge --no-shconf --iova-mode=va -m 2000 ",
			"going on without huge pages, which is slower: \"engine.dpdk.memory\" is 2000 MiB: 2 "
			"huge pages of 1048576 kB are needed, but 1 are free, and 1024 MiB in those of all "
			"sizes; reserve more: echo 2 > "
			"/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages" },
		{ "", &no_pages, " --no-huge --no-shconf --iova-mode=va -m 512 ",
			"going on without huge pages, which is slower: \"engine.dpdk.memory\" is 512 MiB, but "
			"this kernel has no huge pages at all; write huge_pages = \"none\";, or boot one with "
			"CONFIG_HUGETLBFS" },
		{ "huge_pages = \"none\";", &many_pages,
			" --no-huge --no-shconf --iova-mode=va -m 512 ", "" },
		{ "huge_pages = \"none\";", &no_pages,
			" --no-huge --no-shconf --iova-mode=va -m 512 ", "" },
		{ "huge_pages = \"required\";", &many_pages, " --in-memory -m 512 ", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		struct try t = TRY(samples[i].dpdk, NULL, "0-1", samples[i].pages);

		try_it(&t);
		if (t.rc || !strstr(t.text, samples[i].memory))
			fail_msg("%zu: %s%s", i, t.e.text, t.text);
		assert_string_equal(t.warning.text, samples[i].warning);
	}
}

static void huge_pages_may_be_required(void **state)
{
	struct try t = TRY("huge_pages = \"required\";", NULL, "0-1", &few_pages);

	(void)state;
	try_it(&t);
	assert_int_equal(t.rc, -ENOBUFS);
	assert_string_equal(t.e.text,
		"\"engine.dpdk.memory\" is 512 MiB: 256 huge pages of 2048 kB are needed, but 100 are free, "
		"and 200 MiB in those of all sizes; reserve more: echo 456 > "
		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
	t.pages = &no_pages;
	try_it(&t);
	assert_int_equal(t.rc, -ENOBUFS);
}

static void ports_are_given(void **state)
{
	(void)state;
	expect((struct try)TRY("",
		       "a: { port = \"0000:3b:00.0\"; }; b: { port = \"0000:3b:00.1\"; };", "0-1",
		       &many_pages),
		"--lcores=0@(0),1@1 --main-lcore=0" HUGE " -a 0000:3b:00.0 -a 0000:3b:00.1" TAIL);
	expect((struct try)TRY("",
		       "a: { port = \"net_memif0,socket=/run/m.sock,role=client\"; }; eth0: {};",
		       "0-1", &no_pages),
		"--lcores=0@(0),1@1 --main-lcore=0" SMALL
		" --vdev=net_memif0,socket=/run/m.sock,role=client --no-pci" TAIL);
	expect((struct try)TRY("", "a: { port = \"net_null0\"; }; b: { port = \"0000:3b:00.1\"; };",
		       "0-1", &many_pages),
		"--lcores=0@(0),1@1 --main-lcore=0" HUGE " --vdev=net_null0 -a 0000:3b:00.1" TAIL);
}

/* Of FNV-1a, by another program:
 *	python3 -c 'h = 0xcbf29ce484222325
 *	for b in b"/run/tandem": h = (h ^ b) * 0x100000001b3 % 2**64
 *	print("%016x" % h)' */
static void each_run_dir_has_its_prefix(void **state)
{
	struct try t = TRY("", NULL, "0-1", &many_pages), other = t;

	(void)state;
	other.run_dir = "/run/tandem-2";
	try_it(&t);
	try_it(&other);
	assert_int_equal(strncmp(t.text, PREFIX, strlen(PREFIX)), 0);
	assert_int_not_equal(strncmp(other.text, PREFIX, strlen(PREFIX)), 0);
	assert_int_equal(strcspn(other.text, " "), strlen(PREFIX) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_and_the_main_thread_have_their_cpus),
		cmocka_unit_test(cpus_that_are_not_ours_are_refused),
		cmocka_unit_test(there_is_room_for_all_workers),
		cmocka_unit_test(memory_lies_in_huge_pages_where_there_are_enough),
		cmocka_unit_test(huge_pages_may_be_required),
		cmocka_unit_test(ports_are_given),
		cmocka_unit_test(each_run_dir_has_its_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
