/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/oracle.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/flows.h"
#include "tests/packets/lines.h"

enum { WORDS_MAX = 24, BUCKET = L4_BUCKET_RECORDS, PROXIED = L4_BUCKET_PROXIED, PROXIED_WORDS = 5 };

struct oracle {
	const struct body_ops *ops;
	const struct world_file *world;
	struct body *body;
	struct flows *flows;
	FILE *out;
	char *word[WORDS_MAX];
	unsigned n;
};

static int answer_frame(struct oracle *o, struct err *e)
{
	static struct body_result result;
	static struct frame frame;
	uint32_t device = o->n == 2 ? world_device(o->world, o->word[0]) : 0;
	int rc;

	frame.len = 0;
	if (!device || (strcmp(o->word[1], "-") != 0 && !frame_add(&frame, o->word[1])))
		return err_set(e, -EINVAL, "no such question: %s", o->n ? o->word[0] : "");
	rc = flows_publish(o->flows, e);
	if (rc)
		return rc;
	rc = o->ops->inject(o->body, device, frame.bytes, frame.len, &result);
	if (rc && rc != -EMSGSIZE)
		return err_set(e, rc, "%s", strerror(-rc));
	if (rc) {
		fputs("- - -\n", o->out);
		return 0;
	}
	fprintf(o->out, "%s %s ", verdict_name(result.verdict),
		world_interface_name(o->world, result.ifindex));
	frame_print(o->out, result.frame, result.len);
	fputc('\n', o->out);
	return 0;
}

static int step(struct oracle *o, const struct case_step *s, struct err *e)
{
	int rc = flows_step(o->flows, s, e);

	if (!rc)
		fputs("ok\n", o->out);
	return rc;
}

static int answer_now(struct oracle *o, struct err *e)
{
	struct case_step s = { .kind = CASE_NOW };
	uint64_t now;

	if (o->n != 2 || !words_number(o->word[1], UINT16_MAX, &now))
		return err_set(e, -EINVAL, "expected: now N");
	s.now = (uint16_t)now;
	return step(o, &s, e);
}

static bool parse_side(const struct oracle *o, unsigned pool, const char *word, int *side)
{
	if (!strcmp(word, "none"))
		*side = CASE_NONE;
	else
		*side = conf_find_server(o->world->conf, pool, word);
	return *side >= 0 || !strcmp(word, "none");
}

static int answer_slots(struct oracle *o, struct err *e)
{
	struct case_step s = { .kind = CASE_SLOTS };
	bool one = !strcmp(o->word[0], "slot");
	int pool = o->n == 4u + one ? conf_find_pool(o->world->conf, o->word[1]) : -1;
	unsigned p = (unsigned)pool;

	if (pool < 0 || !parse_side(o, p, o->word[2], &s.slots.owner))
		return err_set(e, -EINVAL, "no such pool or owner");
	if (!strcmp(o->word[3], "settled"))
		s.slots.base = CASE_SETTLED;
	else if (!parse_side(o, p, o->word[3], &s.slots.base))
		return err_set(e, -EINVAL, "no such base");
	if (one && (!frame_add(&s.slots.flow, o->word[4]) || s.slots.flow.len != 8))
		return err_set(e, -EINVAL, "no such hash");
	s.slots.pool = p;
	return step(o, &s, e);
}

static int answer_bucket(struct oracle *o, struct err *e)
{
	struct l4_record *at;
	uint64_t bucket;
	uint32_t n;

	at = o->ops->records(o->body, &n);
	if ((o->n != 2 && o->n != 2 + 2 * BUCKET) ||
		!words_number(o->word[1], n / BUCKET - 1, &bucket))
		return err_set(e, -EINVAL, "expected: bucket N [WORDS]");
	at += bucket * BUCKET;
	for (unsigned i = 0; i < BUCKET && o->n > 2; i++) {
		at[i].who = strtoull(o->word[2 + 2 * i], NULL, 16);
		at[i].what = strtoull(o->word[3 + 2 * i], NULL, 16);
	}
	for (unsigned i = 0; i < BUCKET && o->n == 2; i++)
		fprintf(o->out, "%" PRIx64 " %" PRIx64 " ", at[i].who, at[i].what);
	fputs(o->n == 2 ? "\n" : "ok\n", o->out);
	return 0;
}

static void write_proxied(struct l4_proxied *e, char *const word[PROXIED_WORDS])
{
	e->who = strtoull(word[0], NULL, 16);
	e->what = strtoull(word[1], NULL, 16);
	e->shift = (uint32_t)strtoul(word[2], NULL, 16);
	e->isn = (uint32_t)strtoul(word[3], NULL, 16);
	e->idle = (uint32_t)strtoul(word[4], NULL, 16);
}

static int answer_proxied(struct oracle *o, struct err *e)
{
	struct l4_proxied *at;
	uint64_t bucket;
	uint32_t n;

	at = o->ops->proxied(o->body, &n);
	if ((o->n != 2 && o->n != 2 + PROXIED_WORDS * PROXIED) ||
		!words_number(o->word[1], n / PROXIED - 1, &bucket))
		return err_set(e, -EINVAL, "expected: proxied N [WORDS]");
	at += bucket * PROXIED;
	for (unsigned i = 0; i < PROXIED && o->n > 2; i++)
		write_proxied(&at[i], o->word + 2 + PROXIED_WORDS * i);
	for (unsigned i = 0; i < PROXIED && o->n == 2; i++)
		fprintf(o->out, "%" PRIx64 " %" PRIx64 " %x %x %x ", at[i].who, at[i].what,
			at[i].shift, at[i].isn, at[i].idle);
	fputs(o->n == 2 ? "\n" : "ok\n", o->out);
	return 0;
}

static int answer(struct oracle *o, char *question, struct err *e)
{
	static const struct {
		const char *word;
		int (*answer)(struct oracle *o, struct err *e);
	} kinds[] = {
		{ "now", answer_now },
		{ "slots", answer_slots },
		{ "slot", answer_slots },
		{ "bucket", answer_bucket },
		{ "proxied", answer_proxied },
	};

	o->n = words_split(question, o->word, WORDS_MAX);
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds && o->n; i++)
		if (!strcmp(o->word[0], kinds[i].word))
			return kinds[i].answer(o, e);
	return answer_frame(o, e);
}

static int answer_all(struct oracle *o, FILE *in, struct err *e)
{
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	while (!rc && getline(&line, &room, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		rc = answer(o, line, e);
		fflush(o->out);
	}
	free(line);
	return rc;
}

int oracle_run(const struct body_ops *ops, const struct world_file *world, FILE *in, FILE *out,
	struct err *e)
{
	struct oracle o = { .ops = ops, .world = world, .out = out };
	int rc = ops->open(&o.body, &world->world, e);

	if (rc)
		return rc;
	rc = flows_new(&o.flows, world, ops, o.body);
	if (rc)
		err_set(e, rc, "out of memory");
	else
		rc = answer_all(&o, in, e);
	flows_free(o.flows);
	ops->close(o.body);
	return rc;
}
