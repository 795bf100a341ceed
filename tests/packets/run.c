/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs packet cases through an engine (README.md). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/packets/flows.h"
#include "tests/packets/oracle.h"
#include "tests/packets/tally.h"

/* One case file in work. */
struct run {
	const struct body_ops *ops;
	struct body *body;
	struct case_file *file;
	const struct packet_case *at;
	struct flows *flows;
	unsigned passed, failed;
	unsigned refused; /* frames too short for the kernel to hand them to a program */
	struct body_result result;
};

static void print_head(const struct run *r, unsigned line)
{
	printf("FAIL %s:%u: %s: ", r->file->path, line, r->at->name);
}

static bool result_is(const struct case_step *s, const struct body_result *got)
{
	return got->verdict == s->verdict && got->ifindex == s->out_ifindex &&
	       got->len == s->out.len && !memcmp(got->frame, s->out.bytes, s->out.len);
}

static void print_step(const struct run *r, const struct case_step *s)
{
	const struct world_file *w = r->file->world;

	print_head(r, s->line);
	printf("want %s %s, %zu bytes; %s: %s %s, %zu bytes\n", verdict_name(s->verdict),
		world_interface_name(w, s->out_ifindex), s->out.len, r->ops->name,
		verdict_name(r->result.verdict), world_interface_name(w, r->result.ifindex),
		r->result.len);
	frame_print_diff(stdout, &s->out, r->result.frame, r->result.len);
}

static bool print_error(const struct run *r, unsigned line, const char *why)
{
	print_head(r, line);
	printf("%s: %s\n", r->ops->name, why);
	return false;
}

/* A packet is traced as if nothing had been answered yet, so it may be answered where the next one is not. */
static bool tokens_differ(enum l4_verdict traced, enum l4_verdict verdict)
{
	return (traced == L4_V_TOO_BIG_ANSWERED && verdict == L4_V_TOO_BIG) ||
	       (traced == L4_V_TTL_EXCEEDED_ANSWERED && verdict == L4_V_TTL_EXCEEDED) ||
	       (traced == L4_V_REJECTED && verdict == L4_V_NO_SERVER);
}

static bool way_is(const struct case_step *s, const struct l4_way *way)
{
	if (!s->n_way)
		return true;
	for (uint32_t i = 0; i < way->n && way->n == s->n_way; i++)
		if (way->steps[i].kind != s->way[i])
			return false;
	return way->n == s->n_way;
}

static bool print_way(const struct run *r, const struct case_step *s, const struct l4_way *way)
{
	print_head(r, s->line);
	printf("%s was traced by another way:", r->ops->name);
	for (uint32_t i = 0; i < way->n && i < L4_WAY_STEPS; i++)
		printf(" %s", stage_name((enum l4_step_kind)way->steps[i].kind));
	putchar('\n');
	return false;
}

/* Tracing a frame foretells what becomes of it. That it changes nothing shows in what is counted and recorded. */
static bool trace_frame(struct run *r, const struct case_step *s)
{
	struct l4_way way;
	int rc = r->ops->trace(r->body, s->in_ifindex, s->in.bytes, s->in.len, &r->result, &way);

	if (rc)
		return rc == -EMSGSIZE || print_error(r, s->line, strerror(-rc));
	if (result_is(s, &r->result) || tokens_differ(r->result.verdict, s->verdict))
		return way_is(s, &way) || print_way(r, s, &way);
	print_step(r, s);
	return print_error(r, s->line, "so it was traced");
}

/* Returns whether the case may go on. A refused frame leaves no trace, so it is not expected in the
 * counters either. */
static bool run_frame(struct run *r, const struct case_step *s, struct tally *want)
{
	int rc;

	if (!trace_frame(r, s))
		return false;
	rc = r->ops->inject(r->body, s->in_ifindex, s->in.bytes, s->in.len, &r->result);
	if (rc == -EMSGSIZE) {
		r->refused++;
		want->verdicts[s->verdict]--;
		return true;
	}
	if (rc)
		return print_error(r, s->line, strerror(-rc));
	if (result_is(s, &r->result))
		return true;
	print_step(r, s);
	return false;
}

static bool run_step(struct run *r, const struct case_step *s, struct tally *want)
{
	struct err e;

	if (s->kind == CASE_FRAME ? flows_publish(r->flows, &e) : flows_step(r->flows, s, &e))
		return print_error(r, s->line, e.text);
	return s->kind != CASE_FRAME || run_frame(r, s, want);
}

static bool records_agree(const struct run *r)
{
	if (!flows_print_diff(r->flows, NULL, r->at))
		return true;
	print_head(r, r->at->line);
	printf("%s recorded otherwise\n", r->ops->name);
	flows_print_diff(r->flows, stdout, r->at);
	return false;
}

static bool counters_agree(
	struct run *r, const struct tally *want, struct tally *before, struct tally *after)
{
	int rc = tally_read(after, r->ops, r->body);

	if (rc) {
		print_head(r, r->at->line);
		printf("cannot read the counters: %s\n", strerror(-rc));
		return false;
	}
	tally_subtract(after, before);
	if (!tally_print_diff(NULL, want, after, r->ops->name))
		return true;
	print_head(r, r->at->line);
	printf("counted otherwise\n");
	tally_print_diff(stdout, want, after, r->ops->name);
	return false;
}

static bool run_steps(struct run *r, struct tally *want, struct tally *before, struct tally *after)
{
	if (!want || !before || !after || tally_read(before, r->ops, r->body)) {
		print_head(r, r->at->line);
		printf("out of memory, or the counters cannot be read\n");
		return false;
	}
	tally_expect(want, r->at);
	for (unsigned i = 0; i < r->at->n_steps; i++)
		if (!run_step(r, &r->at->steps[i], want))
			return false;
	return counters_agree(r, want, before, after) && records_agree(r);
}

static void run_case(struct run *r)
{
	struct tally *want = tally_new(r->file->world), *before = tally_new(r->file->world),
		     *after = tally_new(r->file->world);
	bool passed = run_steps(r, want, before, after);
	struct err e;

	if (flows_reset(r->flows, &e))
		passed = print_error(r, r->at->line, e.text);
	if (passed)
		r->passed++;
	else
		r->failed++;
	tally_free(want);
	tally_free(before);
	tally_free(after);
}

static int run_file(struct run *r, const char *path, struct err *e)
{
	int rc = cases_open(&r->file, path, e);

	if (rc)
		return rc;
	rc = r->ops->open(&r->body, &r->file->world->world, e);
	if (rc) {
		cases_close(r->file);
		return err_prefix(e, rc, "%s", path);
	}
	rc = flows_new(&r->flows, r->file->world, r->ops, r->body);
	if (rc)
		err_set(e, rc, "%s: out of memory", path);
	for (unsigned i = 0; !rc && i < r->file->n_cases; i++) {
		r->at = &r->file->cases[i];
		run_case(r);
	}
	flows_free(r->flows);
	r->flows = NULL;
	r->ops->close(r->body);
	cases_close(r->file);
	return rc;
}

static int run_files(const struct body_ops *ops, char **paths)
{
	struct run r = { .ops = ops };
	struct err e;

	for (; *paths; paths++) {
		if (!run_file(&r, *paths, &e))
			continue;
		printf("FAIL %s\n", e.text);
		r.failed++;
	}
	if (r.refused)
		printf("%s: %u frames are shorter than any that the kernel gives to a program\n",
			ops->name, r.refused);
	printf("%s: %u passed, %u failed\n", ops->name, r.passed, r.failed);
	return r.failed || !r.passed;
}

static int run_oracle(const struct body_ops *ops, const char *path)
{
	struct world_file *world;
	struct err e;
	int rc = world_open(&world, path, &e);

	if (!rc) {
		rc = oracle_run(ops, world, stdin, stdout, &e);
		world_close(world);
	}
	if (rc)
		fprintf(stderr, "%s\n", e.text);
	return rc ? 1 : 0;
}

static const struct body_ops *body_by_name(const char *name)
{
	for (unsigned i = 0; bodies[i]; i++)
		if (!strcmp(bodies[i]->name, name))
			return bodies[i];
	return NULL;
}

int main(int argc, char **argv)
{
	bool oracle = argc > 1 && !strcmp(argv[1], "--oracle");
	const struct body_ops *ops = argc > 2 + oracle ? body_by_name(argv[1 + oracle]) : NULL;

	if (!ops || (oracle && argc != 4)) {
		fprintf(stderr, "usage: packet_run native|xdp FILE...\n"
				"       packet_run --oracle native|xdp WORLD\n");
		return 2;
	}
	return oracle ? run_oracle(ops, argv[3]) : run_files(ops, argv + 2);
}
