/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/pages.h"
#include "tests/unit/tandem-dpdk/sysfs.h"
#include "tests/unit/test.h"

#define TOP   "sys/kernel/mm/hugepages/"
#define SMALL TOP "hugepages-2048kB/"
#define LARGE TOP "hugepages-1048576kB/"

static void pages_of_all_sizes_are_counted(void **state)
{
	const char *root = sysfs_make();
	struct pages p;
	unsigned small;

	(void)state;
	pages_read(root, &p);
	assert_int_equal(p.n, 0);
	assert_int_equal(pages_free_mib(&p), 0);
	sysfs_write(SMALL "nr_hugepages", "300\n");
	sysfs_write(SMALL "free_hugepages", "200\n");
	sysfs_write(SMALL "resv_hugepages", "50\n");
	sysfs_write(LARGE "free_hugepages", "2\n");
	sysfs_write(TOP "other/free_hugepages", "7\n");
	pages_read(root, &p);
	assert_int_equal(p.n, 2);
	small = p.sizes[0].kib == 2048 ? 0 : 1;
	assert_int_equal(p.sizes[small].kib, 2048);
	assert_int_equal(p.sizes[small].all, 300);
	assert_int_equal(p.sizes[small].free, 150);
	assert_int_equal(p.sizes[!small].kib, 1048576);
	assert_int_equal(p.sizes[!small].free, 2);
	assert_int_equal(pages_free_mib(&p), 300 + 2048);
	sysfs_write(SMALL "resv_hugepages", "201\n");
	sysfs_write(LARGE "free_hugepages", "none\n");
	pages_read(root, &p);
	assert_int_equal(pages_free_mib(&p), 0);
	sysfs_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_all_sizes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
