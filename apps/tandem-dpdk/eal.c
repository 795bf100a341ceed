/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/eal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandem-dpdk/cpulist.h"

static int highest(const cpu_set_t *set)
{
	int cpu = CPU_SETSIZE - 1;

	while (cpu > 0 && !CPU_ISSET(cpu, set))
		cpu--;
	return cpu;
}

int eal_workers(
	const struct conf_dpdk *d, const cpu_set_t *may, struct eal_workers *out, struct err *e)
{
	char text[CPULIST_TEXT];

	*out = (struct eal_workers){ .n = d->n_cpus };
	if (!d->n_cpus) {
		out->n = 1;
		out->cpus[0] = (uint16_t)highest(may);
	}
	for (unsigned i = 0; i < d->n_cpus; i++) {
		if (!CPU_ISSET(d->cpus[i], may))
			return err_set(e, -EINVAL,
				"\"engine.dpdk.cpus\" names CPU %u, which tandem-dpdk may not use: it may use "
				"%.300s; name others, or let it use more (CPUAffinity= of its systemd unit)",
				d->cpus[i], cpulist_text(may, text));
		out->cpus[i] = d->cpus[i];
	}
	return 0;
}

/* The CPUs that no worker has, so that the main thread goes where there is time for it; all when none is left. */
static cpu_set_t main_cpus(const cpu_set_t *may, const struct eal_workers *w)
{
	cpu_set_t left = *may;

	for (unsigned i = 0; i < w->n; i++)
		CPU_CLR(w->cpus[i], &left);
	return CPU_COUNT(&left) ? left : *may;
}

/* Arguments end with a NUL each. */
static void end(FILE *out)
{
	fputc('\0', out);
}

#define ADD(out, ...) (fprintf(out, __VA_ARGS__), end(out))

static void add_lcores(FILE *out, const struct eal_facts *f, const struct eal_workers *w)
{
	cpu_set_t left = main_cpus(&f->cpus, w);
	char text[CPULIST_TEXT];

	fprintf(out, "--lcores=%u@(%s)", EAL_MAIN, cpulist_text(&left, text));
	for (unsigned i = 0; i < w->n; i++)
		fprintf(out, ",%u@%u", EAL_WORKER(i), w->cpus[i]);
	end(out);
	ADD(out, "--main-lcore=%u", EAL_MAIN);
}

/* In huge pages that no file names, so that the kernel has them back however the process ends, and no mounted
 * hugetlbfs is needed. That cannot be without huge pages (--no-huge implies --legacy-mem, which excludes it). There,
 * --no-shconf alone keeps DPDK from leaving files in /run/dpdk, which only second processes would read; and addresses
 * for cards are virtual ones, since nothing pins the pages down. */
static void add_memory(FILE *out, uint32_t mib, bool huge)
{
	if (huge) {
		ADD(out, "--in-memory");
	} else {
		ADD(out, "--no-huge");
		ADD(out, "--no-shconf");
		ADD(out, "--iova-mode=va");
	}
	ADD(out, "-m");
	ADD(out, "%" PRIu32, mib);
}

static void add_ports(FILE *out, const struct conf *c)
{
	bool pci = false;

	for (unsigned i = 0; i < c->n_interfaces; i++) {
		const char *port = c->interfaces[i].port;

		if (!port)
			continue;
		if (conf_port_is_pci(port)) {
			pci = true;
			ADD(out, "-a");
			ADD(out, "%s", port);
		} else {
			ADD(out, "--vdev=%s", port);
		}
	}
	if (!pci)
		ADD(out, "--no-pci");
}

/* FNV-1a. */
static uint64_t digest(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

/* Pages of the size that sentences are about: the one that most kernels have, or else any. */
static unsigned common_size(const struct pages *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->sizes[i].kib == 2048)
			return i;
	return 0;
}

static int tell_short(struct err *e, int code, uint32_t mib, const struct pages *p)
{
	unsigned i = common_size(p);
	uint64_t kib = p->sizes[i].kib, unused = p->sizes[i].free, needed;

	if (!p->n)
		return err_set(e, code,
			"\"engine.dpdk.memory\" is %" PRIu32
			" MiB, but this kernel has no huge pages at all; "
			"write huge_pages = \"none\";, or boot one with CONFIG_HUGETLBFS",
			mib);
	needed = ((uint64_t)mib * 1024 + kib - 1) / kib;
	return err_set(e, code,
		"\"engine.dpdk.memory\" is %" PRIu32 " MiB: %" PRIu64 " huge pages of %" PRIu64
		" kB are needed, but %" PRIu64 " are free, and %" PRIu64
		" MiB in those of all sizes; reserve more: echo %" PRIu64
		" > /sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages",
		mib, needed, kib, unused, pages_free_mib(p), p->sizes[i].all + needed - unused,
		kib);
}

/* Whether memory is to lie in huge pages. */
static int choose_memory(const struct conf_dpdk *d, const struct pages *p, bool *huge,
	struct err *warning, struct err *e)
{
	bool enough = pages_free_mib(p) >= d->memory;

	*huge = d->huge_pages != CONF_HUGE_PAGES_NONE && enough;
	if (enough || d->huge_pages == CONF_HUGE_PAGES_NONE)
		return 0;
	if (d->huge_pages == CONF_HUGE_PAGES_REQUIRED)
		return tell_short(e, -ENOBUFS, d->memory, p);
	tell_short(warning, 0, d->memory, p);
	err_prefix(warning, 0, "going on without huge pages, which is slower");
	return 0;
}

static int cut(struct eal_args *a, size_t size)
{
	const char *limit = a->text + size;

	for (const char *p = a->text; p < limit; p += strlen(p) + 1)
		a->argc++;
	a->argv = calloc((size_t)a->argc + 1, sizeof *a->argv);
	if (!a->argv)
		return -ENOMEM;
	a->argc = 0;
	for (char *p = a->text; p < limit; p += strlen(p) + 1)
		a->argv[a->argc++] = p;
	return 0;
}

int eal_args(const struct conf *c, const char *run_dir, const struct eal_facts *f,
	const struct eal_workers *w, struct eal_args *out, struct err *e)
{
	bool huge;
	size_t size = 0;
	FILE *text;
	int rc;

	*out = (struct eal_args){ .argc = 0 };
	rc = choose_memory(&c->engine.dpdk, &f->pages, &huge, &out->warning, e);
	if (rc)
		return rc;
	text = open_memstream(&out->text, &size);
	if (!text)
		return err_set(e, -ENOMEM, "not enough memory");
	ADD(text, "tandem-dpdk");
	ADD(text, "--file-prefix=tandem-%016" PRIx64, digest(run_dir));
	add_lcores(text, f, w);
	add_memory(text, c->engine.dpdk.memory, huge);
	add_ports(text, c);
	ADD(text, "--no-telemetry");
	ADD(text, "--log-level=warning");
	if (fclose(text) || cut(out, size)) {
		eal_args_free(out);
		return err_set(e, -ENOMEM, "not enough memory");
	}
	return 0;
}

void eal_args_free(struct eal_args *a)
{
	free(a->argv);
	free(a->text);
	*a = (struct eal_args){ .argc = 0 };
}
