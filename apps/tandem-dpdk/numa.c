/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/numa.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "apps/tandem-dpdk/cpulist.h"

/* The first line of a file. */
static int line_of(const char *path, char *buf, size_t size)
{
	FILE *in = fopen(path, "re");
	const char *line;

	if (!in)
		return -errno;
	line = fgets(buf, (int)size, in);
	fclose(in);
	return line ? 0 : -EIO;
}

/* The node that a card is on; -1 where nothing says it. */
static int node_of(const char *root, const char *port)
{
	char path[PATH_MAX], text[32];

	snprintf(path, sizeof path, "%s/sys/bus/pci/devices/%s/numa_node", root, port);
	return line_of(path, text, sizeof text) ? -1 : (int)strtol(text, NULL, 10);
}

/* The CPUs of a node. */
static int cpus_of(const char *root, int node, cpu_set_t *out)
{
	char path[PATH_MAX], text[CPULIST_TEXT];

	snprintf(path, sizeof path, "%s/sys/devices/system/node/node%d/cpulist", root, node);
	if (line_of(path, text, sizeof text))
		return -ENOENT;
	return cpulist_parse(text, out);
}

static void check_port(const char *root, const struct conf_interface *i,
	const struct eal_workers *w, void (*tell)(void *arg, const char *sentence), void *arg)
{
	char sentence[1024], far_text[CPULIST_TEXT], near_text[CPULIST_TEXT];
	int node = node_of(root, i->port);
	cpu_set_t near, far;

	if (node < 0 || cpus_of(root, node, &near))
		return;
	CPU_ZERO(&far);
	for (unsigned n = 0; n < w->n; n++)
		if (!CPU_ISSET(w->cpus[n], &near))
			CPU_SET(w->cpus[n], &far);
	if (!CPU_COUNT(&far))
		return;
	snprintf(sentence, sizeof sentence,
		"interface \"%.63s\": port %s is on NUMA node %d, but of the workers' CPUs (engine.dpdk.cpus) %.300s "
		"are not, which costs time for each packet; the node's own are %.300s",
		i->name, i->port, node, cpulist_text(&far, far_text),
		cpulist_text(&near, near_text));
	tell(arg, sentence);
}

void numa_check(const char *root, const struct conf *c, const struct eal_workers *w,
	void (*tell)(void *arg, const char *sentence), void *arg)
{
	for (unsigned i = 0; i < c->n_interfaces; i++)
		if (c->interfaces[i].port && conf_port_is_pci(c->interfaces[i].port))
			check_port(root, &c->interfaces[i], w, tell, arg);
}
