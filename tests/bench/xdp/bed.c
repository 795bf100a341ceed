/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/xdp/bed.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "bpf/bench.bpf.h"
#include "bpf/bench.skel.h"
#include "bpf/tandem.skel.h"
#include "controlplane/engine/xdp.h"
#include "dataplane/l4/capture.h"
#include "tests/packets/body_engine.h"
#include "tests/program.h"

int bed_make_links(struct err *e)
{
	if (unshare(CLONE_NEWNET))
		return err_set(e, -errno, "cannot make a network namespace (run as root): %s",
			strerror(errno));
	if (system("ip link add front index 11 type veth peer name far-front && "
		   "ip link add back index 12 type veth peer name far-back")) /* NOLINT(cert-env33-c): own words */
		return err_set(e, -EIO, "cannot make the interfaces: ip link add failed");
	return 0;
}

static int open_engine(struct bed *b, struct err *e)
{
	const struct host_link *links[] = { &b->site->links[0], &b->site->links[1] };
	struct engine_options o = {
		.limits = &b->site->conf->limits, .dry = true, .links = links, .n_links = 2
	};
	bool adopted;
	int rc = engine_open(&b->engine, NULL, &o, &adopted, e);

	return rc ? rc : body_engine_tell(b->engine, &b->site->world, e);
}

/* Makes an object that is not loaded yet use the engine's maps. */
static int share_maps(struct bpf_object *object, const struct bed *b)
{
	const struct bpf_object *engine = engine_bpf(b->engine)->obj;
	struct bpf_map *map;
	int rc = 0;

	bpf_object__for_each_map(map, object)
	{
		const struct bpf_map *from =
			bpf_object__find_map_by_name(engine, bpf_map__name(map));

		if (from && !bpf_map__is_internal(map))
			rc = bpf_map__reuse_fd(map, bpf_map__fd(from));
		if (rc)
			return rc;
	}
	return 0;
}

/* Gives the programs the constants of the attached one, which traces nothing and reads the clock. */
static void set_constants(struct tandem_bpf__rodata *to, const struct bed *b)
{
	*to = *engine_bpf(b->engine)->rodata;
	to->reports = L4_REPORTS_NOBODY;
	to->test_time_on = false;
}

/* The function that is measured, as the kernel has it in a program; -ENOENT: it is not there. */
static int packet_function(const struct bpf_program *program, struct program_function *out)
{
	struct program p;
	int rc = program_read(bpf_program__fd(program), &p);
	const struct program_function *f = rc ? NULL : program_find(&p, "tandem_packet");

	if (f)
		*out = *f;
	return rc || f ? rc : -ENOENT;
}

/* The program as interfaces run it, on the same maps: its function must be the one that is measured. */
static int compare(struct bed *b, struct err *e)
{
	struct tandem_bpf *attached = tandem_bpf__open();
	struct program_function is, want = { 0 };
	struct bpf_program *p;
	int rc = attached ? share_maps(attached->obj, b) : -errno;

	if (!rc) {
		set_constants(attached->rodata, b);
		rc = tandem_bpf__load(attached);
	}
	if (!rc)
		rc = packet_function(attached->progs.tandem_xdp, &want);
	bpf_object__for_each_program(p, b->bpf->obj)
	{
		if (rc || strncmp(bpf_program__name(p), "bench_", 6) != 0)
			continue;
		rc = packet_function(p, &is);
		if (!rc && (is.instructions != want.instructions || is.bytes != want.bytes))
			rc = err_set(e, -EINVAL,
				"%s measures another function than the attached program's: "
				"%u instructions in %u bytes, not %u in %u",
				bpf_program__name(p), is.instructions, is.bytes, want.instructions,
				want.bytes);
	}
	tandem_bpf__destroy(attached);
	b->instructions = want.instructions;
	return rc;
}

static int open_bench(struct bed *b)
{
	int rc;

	b->bpf = bench_bpf__open();
	if (!b->bpf)
		return -errno;
	/* bench.bpf.c has no constants of its own. */
	_Static_assert(sizeof *b->bpf->rodata == sizeof(struct tandem_bpf__rodata), "the same");
	set_constants((struct tandem_bpf__rodata *)b->bpf->rodata, b);
	rc = share_maps(b->bpf->obj, b);
	return rc ? rc : bench_bpf__load(b->bpf);
}

int bed_open(struct bed *b, enum bench_site site, struct err *e)
{
	int rc;

	memset(b, 0, sizeof *b);
	rc = site_open(&b->site, site, e);
	if (!rc)
		rc = open_engine(b, e);
	if (rc)
		return rc;
	rc = open_bench(b);
	if (rc)
		return err_set(
			e, rc, "the kernel refuses the benchmark's programs: %s", strerror(-rc));
	e->text[0] = '\0';
	rc = compare(b, e);
	if (rc && !*e->text)
		err_set(e, rc, "cannot look at the attached program: %s", strerror(-rc));
	return rc;
}

void bed_close(struct bed *b)
{
	bench_bpf__destroy(b->bpf);
	engine_close(b->engine);
	site_close(b->site);
}
