/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/numa.h"
#include <stdio.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/tandem-dpdk/sysfs.h"
#include "tests/unit/test.h"

#define DEVICES "sys/bus/pci/devices/"
#define NODES	"sys/devices/system/node/"

static char said[2048];

static void tell(void *arg, const char *sentence)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", sentence);
}

static const char *check(const char *root, const char *ports, struct eal_workers w)
{
	char text[512];
	struct conf *c;

	snprintf(text, sizeof text,
		"node = \"n\"; engine: { type = \"dpdk\"; }; interfaces: { %s };", ports);
	c = parse_good(text);
	said[0] = '\0';
	numa_check(root, c, &w, tell, NULL);
	conf_free(c);
	return said;
}

#define NEAR "near: { port = \"0000:3b:00.0\"; };"
#define FAR  "far: { port = \"0000:af:00.0\"; };"

static void workers_on_other_nodes_are_told(void **state)
{
	const char *root = sysfs_make();

	(void)state;
	sysfs_write(NODES "node0/cpulist", "0-3,8-11\n");
	sysfs_write(NODES "node1/cpulist", "4-7,12-15\n");
	sysfs_write(DEVICES "0000:3b:00.0/numa_node", "0\n");
	sysfs_write(DEVICES "0000:af:00.0/numa_node", "1\n");
	assert_string_equal(check(root, NEAR, (struct eal_workers){ { 0, 11 }, 2 }), "");
	assert_string_equal(check(root, NEAR, (struct eal_workers){ { 2, 4, 5, 12 }, 4 }),
		"interface \"near\": port 0000:3b:00.0 is on NUMA node 0, but of the workers' CPUs "
		"(engine.dpdk.cpus) 4-5,12 are not, which costs time for each packet; the node's own are "
		"0-3,8-11\n");
	assert_string_equal(check(root, NEAR FAR, (struct eal_workers){ { 2 }, 1 }),
		"interface \"far\": port 0000:af:00.0 is on NUMA node 1, but of the workers' CPUs "
		"(engine.dpdk.cpus) 2 are not, which costs time for each packet; the node's own are "
		"4-7,12-15\n");
	sysfs_remove();
}

static void what_is_not_known_is_not_told(void **state)
{
	const char *root = sysfs_make();
	struct eal_workers w = { { 4 }, 1 };

	(void)state;
	assert_string_equal(check(root, NEAR, w), "");
	sysfs_write(DEVICES "0000:3b:00.0/numa_node", "-1\n");
	assert_string_equal(check(root, NEAR, w), "");
	sysfs_write(DEVICES "0000:3b:00.0/numa_node", "0\n");
	assert_string_equal(check(root, NEAR, w), "");
	sysfs_write(NODES "node0/cpulist", "what\n");
	assert_string_equal(check(root, NEAR, w), "");
	sysfs_write(NODES "node0/cpulist", "0\n");
	assert_string_not_equal(check(root, NEAR, w), "");
	assert_string_equal(check(root, "a: {}; b: { port = \"net_null0\"; };", w), "");
	sysfs_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_on_other_nodes_are_told),
		cmocka_unit_test(what_is_not_known_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
