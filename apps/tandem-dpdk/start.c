/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/start.h"
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { LCORES = 2048, MEGABYTES = 512 };

/* The CPUs that the process may use, as 0,1,5; the highest of them. */
static int list_cpus(const cpu_set_t *cpus, char *out, size_t size)
{
	int highest = 0;

	*out = '\0';
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, cpus)) {
			size_t n = strlen(out);

			snprintf(out + n, size - n, "%s%d", n ? "," : "", i);
			highest = i;
		}
	return highest;
}

int start_eal(const struct conf *c, struct err *e)
{
	static char cpu_list[LCORES], lcores[LCORES + 32], memory[16];
	static char words[][32] = { "tandem-dpdk", "--no-huge", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=5", "-m", "--lcores" };
	enum { WORDS = sizeof words / sizeof *words };
	char *args[] = { words[0], words[1], words[2], words[3], words[4], words[5], words[6],
		memory, words[7], lcores };
	cpu_set_t cpus;
	int highest;

	(void)c;
	if (sched_getaffinity(0, sizeof cpus, &cpus))
		return err_set(e, -errno, "cannot read which CPUs there are: %s", strerror(errno));
	highest = list_cpus(&cpus, cpu_list, sizeof cpu_list);
	snprintf(memory, sizeof memory, "%d", MEGABYTES);
	snprintf(lcores, sizeof lcores, "0@(%s),1@%d", cpu_list, highest);
	if (rte_eal_init(WORDS + 2, args) < 0)
		return err_set(e, -EIO, "DPDK does not start: %s; its own words are above",
			rte_strerror(rte_errno));
	sched_setaffinity(0, sizeof cpus, &cpus);
	return 1;
}
