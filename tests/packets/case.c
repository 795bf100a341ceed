/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/case.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/lines.h"

#define WORDS_MAX  7
#define HASH_BYTES 8

struct reader {
	struct lines lines;
	struct case_file *f;
	struct packet_case *at; /* the case being read */
	struct case_step *step; /* its last step */
	struct frame *frame;	/* where hex lines go */
	size_t frame_len;	/* that it must have; 0: any but none */
	bool answered;		/* the last step has its verdict */
	char *word[WORDS_MAX];
	unsigned n;
};

static const struct {
	const char *name;
	enum l4_action action;
} verdicts[L4_V_COUNT] = {
#define X(symbol, name, action, help) [L4_V_##symbol] = { name, action },
	L4_VERDICTS(X)
#undef X
};

const char *verdict_name(enum l4_verdict v)
{
	return v < L4_V_COUNT ? verdicts[v].name : "?";
}

enum l4_action verdict_action(enum l4_verdict v)
{
	return verdicts[v].action;
}

enum l4_verdict verdict_find(const char *name)
{
	enum l4_verdict v = 0;

	while (v < L4_V_COUNT && strcmp(verdicts[v].name, name))
		v++;
	return v;
}

static const char *const places[L4_PLACE_COUNT] = {
#define X(symbol, name, help) [L4_PLACE_##symbol] = name,
	L4_RECORD_PLACES(X)
#undef X
};

const char *place_name(unsigned place)
{
	return places[place];
}

static const char *const stages[L4_STEP_COUNT] = {
#define X(symbol, name, holds) [L4_STEP_##symbol] = #name,
	L4_STEPS(X)
#undef X
};

const char *stage_name(enum l4_step_kind stage)
{
	return stage < L4_STEP_COUNT ? stages[stage] : "?";
}

/* The index of a word in a list; its length when it is none of them. */
static unsigned find_word(const char *const *words, unsigned n, const char *word)
{
	unsigned i = 0;

	while (i < n && strcmp(words[i], word))
		i++;
	return i;
}

uint64_t case_hash(const struct frame *flow)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < HASH_BYTES; i++)
		hash = hash << 8 | flow->bytes[i];
	return hash;
}

/* The array with room for one more, which is zeroed; NULL, and the old one stays, when out of memory. */
static void *grow(void *array, unsigned n, size_t size)
{
	char *grown = reallocarray(array, n + 1, size);

	if (grown)
		memset(grown + n * size, 0, size);
	return grown;
}

static struct packet_case *add_case(struct case_file *f)
{
	struct packet_case *grown = grow(f->cases, f->n_cases, sizeof *grown);

	if (!grown)
		return NULL;
	f->cases = grown;
	return &grown[f->n_cases++];
}

static struct case_step *add_step(struct packet_case *c)
{
	struct case_step *grown = grow(c->steps, c->n_steps, sizeof *grown);

	if (!grown)
		return NULL;
	c->steps = grown;
	return &grown[c->n_steps++];
}

static struct case_record *add_record(struct packet_case *c)
{
	struct case_record *grown = grow(c->records, c->n_records, sizeof *grown);

	if (!grown)
		return NULL;
	c->records = grown;
	return &grown[c->n_records++];
}

static struct case_counter *add_counter(struct packet_case *c)
{
	struct case_counter *grown = grow(c->counters, c->n_counters, sizeof *grown);

	if (!grown)
		return NULL;
	c->counters = grown;
	return &grown[c->n_counters++];
}

/* world FILE: beside the case file */
static int read_world(struct reader *r, struct err *e)
{
	const char *slash = strrchr(r->lines.path, '/');
	int folder = slash ? (int)(slash - r->lines.path) + 1 : 0;
	char *path;
	int rc;

	if (r->n != 2 || r->f->world)
		return lines_error(&r->lines, e, "expected once: world FILE");
	if (asprintf(&path, "%.*s%s", folder, r->lines.path, r->word[1]) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	rc = world_open(&r->f->world, path, e);
	free(path);
	return rc;
}

/* A case is whole when it has a source and every frame that went in came to something. */
static int finish_frame(struct reader *r, struct err *e)
{
	if (r->frame && !r->frame->len)
		return lines_error(&r->lines, e, "the frame above has no bytes: bytes.py --write");
	if (r->frame && r->frame_len && r->frame->len != r->frame_len)
		return lines_error(&r->lines, e, "the hash above has not %zu bytes", r->frame_len);
	r->frame = NULL;
	r->frame_len = 0;
	return 0;
}

static int finish_case(struct reader *r, struct err *e)
{
	int rc = finish_frame(r, e);

	if (rc || !r->at)
		return rc;
	if (!r->at->source)
		return lines_error(&r->lines, e, "case %s has no source", r->at->name);
	if (!r->at->n_steps || !r->answered)
		return lines_error(&r->lines, e, "case %s ends before a verdict", r->at->name);
	return 0;
}

/* case NAME */
static int read_case(struct reader *r, struct err *e)
{
	int rc = finish_case(r, e);

	if (rc)
		return rc;
	if (r->n != 2)
		return lines_error(&r->lines, e, "expected: case NAME");
	for (unsigned i = 0; i < r->f->n_cases; i++)
		if (!strcmp(r->f->cases[i].name, r->word[1]))
			return lines_error(&r->lines, e, "a second case %s", r->word[1]);
	r->at = add_case(r->f);
	if (r->at)
		r->at->name = strdup(r->word[1]);
	if (!r->at || !r->at->name)
		return err_set(e, -ENOMEM, "out of memory");
	r->at->line = r->lines.number;
	r->step = NULL;
	r->answered = false;
	return 0;
}

static int new_step(
	struct reader *r, enum case_step_kind kind, struct case_step **out, struct err *e)
{
	int rc = finish_frame(r, e);

	if (rc)
		return rc;
	if (r->step && !r->answered)
		return lines_error(&r->lines, e, "the frame before has no verdict");
	*out = add_step(r->at);
	if (!*out)
		return err_set(e, -ENOMEM, "out of memory");
	(*out)->kind = kind;
	(*out)->line = r->lines.number;
	r->step = NULL; /* which may have moved */
	return 0;
}

/* in INTERFACE EXPRESSION */
static int read_in(struct reader *r, struct err *e)
{
	uint32_t device = r->n > 1 ? world_device(r->f->world, r->word[1]) : 0;
	struct case_step *s;
	int rc;

	if (!device || r->n < 3)
		return lines_error(&r->lines, e, "expected: in INTERFACE EXPRESSION");
	rc = new_step(r, CASE_FRAME, &s, e);
	if (rc)
		return rc;
	s->in_ifindex = device;
	r->step = s;
	r->frame = &s->in;
	r->answered = false;
	return 0;
}

/* now N */
static int read_now(struct reader *r, struct err *e)
{
	struct case_step *s;
	uint64_t now;
	int rc;

	if (r->n != 2 || !words_number(r->word[1], UINT16_MAX, &now))
		return lines_error(&r->lines, e, "expected: now N");
	rc = new_step(r, CASE_NOW, &s, e);
	if (!rc)
		s->now = (uint16_t)now;
	return rc;
}

/* A server of a pool, or `none`; other negative numbers: there is no such one. */
static int find_side(const struct reader *r, unsigned pool, const char *word)
{
	int server;

	if (!strcmp(word, "none"))
		return CASE_NONE;
	server = conf_find_server(r->f->world->conf, pool, word);
	return server < 0 ? INT_MIN : server;
}

/* slots POOL OWNER BASE: of all slots; slot POOL OWNER BASE EXPRESSION: of a flow's */
static int read_slots(struct reader *r, struct err *e)
{
	bool one = !strcmp(r->word[0], "slot");
	int pool = r->n > 1 ? conf_find_pool(r->f->world->conf, r->word[1]) : -1, owner, base, rc;
	struct case_step *s;

	if (pool < 0 || (one ? r->n < 5 : r->n != 4))
		return lines_error(&r->lines, e, "expected: %s POOL OWNER BASE|settled%s",
			r->word[0], one ? " EXPRESSION" : "");
	owner = find_side(r, (unsigned)pool, r->word[2]);
	base = strcmp(r->word[3], "settled") ? find_side(r, (unsigned)pool, r->word[3])
					     : CASE_SETTLED;
	if (owner == INT_MIN || base == INT_MIN)
		return lines_error(&r->lines, e, "no such server in the pool");
	rc = new_step(r, CASE_SLOTS, &s, e);
	if (rc)
		return rc;
	s->slots = (struct case_slots){ .pool = (unsigned)pool, .owner = owner, .base = base };
	if (one) {
		r->frame = &s->slots.flow;
		r->frame_len = HASH_BYTES;
	}
	return 0;
}

/* WORD STATE POOL/SERVER TIME SEQ|- agrees|differs EXPRESSION */
static int parse_record(struct reader *r, struct case_record *out, struct err *e)
{
	static const char *const states[] = {
		[L4_RECORD_EMPTY] = "empty",
		[L4_RECORD_BUSY] = "busy",
		[L4_RECORD_EMBRYONIC] = "embryonic",
		[L4_RECORD_LIVE] = "live",
		[L4_RECORD_CLOSING] = "closing",
	};
	const unsigned n_states = sizeof states / sizeof *states;
	int server = r->n == 7 ? world_server(r->f->world, r->word[2]) : -1;
	uint64_t time, seq = 0;
	unsigned state;

	if (r->n != 7)
		return lines_error(&r->lines, e,
			"expected: %s STATE POOL/SERVER TIME SEQ|- agrees|differs EXPRESSION",
			r->word[0]);
	state = find_word(states, n_states, r->word[1]);
	out->agrees = !strcmp(r->word[5], "agrees");
	out->any_seq = !strcmp(r->word[4], "-");
	if (state < L4_RECORD_EMBRYONIC || state == n_states || server < 0 ||
		!words_number(r->word[3], UINT16_MAX, &time) ||
		(!out->any_seq && !words_number(r->word[4], UINT32_MAX, &seq)) ||
		(!out->agrees && strcmp(r->word[5], "differs")))
		return lines_error(
			&r->lines, e, "no such state, server, time, sequence number or flag");
	out->state = (uint8_t)state;
	out->server = (unsigned)server;
	out->pool = r->f->world->conf->servers[server].pool;
	out->time = (uint16_t)time;
	out->seq = (uint32_t)seq;
	return 0;
}

static void flow_follows(struct reader *r, struct case_record *record)
{
	record->line = r->lines.number;
	r->frame = &record->flow;
	r->frame_len = HASH_BYTES;
}

/* record …: it is put into the table */
static int read_record(struct reader *r, struct err *e)
{
	struct case_record record = { 0 };
	struct case_step *s;
	int rc = parse_record(r, &record, e);

	if (!rc)
		rc = new_step(r, CASE_RECORD, &s, e);
	if (rc)
		return rc;
	s->record = record;
	flow_follows(r, &s->record);
	return 0;
}

/* recorded …: it is there in the end */
static int read_recorded(struct reader *r, struct err *e)
{
	struct case_record record = { 0 }, *to;
	int rc = finish_frame(r, e);

	if (!rc)
		rc = parse_record(r, &record, e);
	if (rc)
		return rc;
	to = add_record(r->at);
	if (!to)
		return err_set(e, -ENOMEM, "out of memory");
	*to = record;
	flow_follows(r, to);
	return 0;
}

static int read_verdict(struct reader *r, enum l4_action action, struct err *e)
{
	int rc = finish_frame(r, e);

	if (rc)
		return rc;
	if (!r->step || r->answered)
		return lines_error(&r->lines, e, "a verdict without a frame before it");
	r->step->verdict = r->n > 1 ? verdict_find(r->word[1]) : L4_V_COUNT;
	if (r->step->verdict == L4_V_COUNT || verdicts[r->step->verdict].action != action)
		return lines_error(
			&r->lines, e, "\"%s\" is not followed by one of its verdicts", r->word[0]);
	r->answered = true;
	return 0;
}

/* send VERDICT INTERFACE EXPRESSION */
static int read_send(struct reader *r, struct err *e)
{
	int rc = read_verdict(r, L4_SEND, e);
	uint32_t device = r->n > 2 ? world_device(r->f->world, r->word[2]) : 0;

	if (rc)
		return rc;
	if (!device || r->n < 4)
		return lines_error(&r->lines, e, "expected: send VERDICT INTERFACE EXPRESSION");
	r->step->out_ifindex = device;
	r->frame = &r->step->out;
	return 0;
}

/* pass VERDICT [EXPRESSION]: as it is said, or the frame as it came */
static int read_pass(struct reader *r, struct err *e)
{
	int rc = read_verdict(r, L4_PASS, e);

	if (rc)
		return rc;
	if (r->n == 2)
		r->step->out = r->step->in;
	else
		r->frame = &r->step->out;
	return 0;
}

/* drop VERDICT: the frame stays as it is */
static int read_drop(struct reader *r, struct err *e)
{
	int rc = read_verdict(r, L4_DROP, e);

	if (rc)
		return rc;
	if (r->n != 2)
		return lines_error(&r->lines, e, "expected: drop VERDICT");
	r->step->out = r->step->in;
	return 0;
}

/* way STAGE...: what tracing the frame above tells */
static int read_way(struct reader *r, struct err *e)
{
	struct case_step *s = r->step;
	char *at = NULL, *word = r->n > 1 ? strtok_r(r->word[1], " ", &at) : NULL;
	int rc = finish_frame(r, e);

	if (rc)
		return rc;
	if (!s || !r->answered || s->n_way || !word)
		return lines_error(&r->lines, e, "expected once behind a verdict: way STAGE...");
	for (; word; word = strtok_r(NULL, " ", &at)) {
		unsigned stage = find_word(stages, L4_STEP_COUNT, word);

		if (stage == L4_STEP_COUNT || s->n_way == L4_WAY_STEPS)
			return lines_error(&r->lines, e,
				"there is no stage \"%s\", or there are too many", word);
		s->way[s->n_way++] = stage;
	}
	return 0;
}

static int read_counter(struct reader *r, struct case_counter c, int index, struct err *e)
{
	struct case_counter *slot;
	int rc = finish_frame(r, e);

	if (rc)
		return rc;
	if (index < 0)
		return lines_error(&r->lines, e, "no such %s in the configuration: %s", r->word[0],
			r->n > 1 ? r->word[1] : "");
	slot = add_counter(r->at);
	if (!slot)
		return err_set(e, -ENOMEM, "out of memory");
	*slot = c;
	slot->index = (unsigned)index;
	return 0;
}

/* service NAME PACKETS BYTES, server POOL/SERVER PACKETS BYTES */
static int read_traffic(struct reader *r, enum case_counter_kind kind, int index, struct err *e)
{
	struct case_counter c = { .kind = kind };

	if (r->n != 4 || !words_number(r->word[2], UINT32_MAX, &c.packets) ||
		!words_number(r->word[3], UINT32_MAX, &c.bytes))
		return lines_error(&r->lines, e, "expected: %s NAME PACKETS BYTES", r->word[0]);
	return read_counter(r, c, index, e);
}

static int read_service(struct reader *r, struct err *e)
{
	return read_traffic(r, CASE_SERVICE,
		r->n > 1 ? conf_find_service(r->f->world->conf, r->word[1]) : -1, e);
}

static int read_server(struct reader *r, struct err *e)
{
	return read_traffic(
		r, CASE_SERVER, r->n > 1 ? world_server(r->f->world, r->word[1]) : -1, e);
}

/* WORD NAME REASON N */
static int read_drop_counter(
	struct reader *r, enum case_counter_kind kind, int index, struct err *e)
{
	struct case_counter c = { .kind = kind };

	c.reason = r->n == 4 ? verdict_find(r->word[2]) : L4_V_COUNT;
	if (c.reason == L4_V_COUNT || verdicts[c.reason].action != L4_DROP ||
		!words_number(r->word[3], UINT32_MAX, &c.packets))
		return lines_error(&r->lines, e, "expected: %s NAME REASON N", r->word[0]);
	return read_counter(r, c, index, e);
}

/* drops VIP|GATEWAY REASON N */
static int read_drops(struct reader *r, struct err *e)
{
	return read_drop_counter(
		r, CASE_DROPS, r->n > 1 ? world_address(r->f->world, r->word[1]) : -1, e);
}

/* service_drops SERVICE REASON N */
static int read_service_drops(struct reader *r, struct err *e)
{
	return read_drop_counter(r, CASE_SERVICE_DROPS,
		r->n > 1 ? conf_find_service(r->f->world->conf, r->word[1]) : -1, e);
}

/* places NAME N: new records that were put into such entries */
static int read_places(struct reader *r, struct err *e)
{
	struct case_counter c = { .kind = CASE_PLACES };
	unsigned place = r->n == 3 ? find_word(places, L4_PLACE_COUNT, r->word[1]) : L4_PLACE_COUNT;

	if (place == L4_PLACE_COUNT || !words_number(r->word[2], UINT32_MAX, &c.packets))
		return lines_error(&r->lines, e, "expected: places NAME N");
	return read_counter(r, c, (int)place, e);
}

/* source TEXT: the RFC and section, or the reasoning, that the expected bytes come from */
static int read_source(struct reader *r, struct err *e)
{
	if (r->n < 2 || r->at->source)
		return lines_error(&r->lines, e, "expected once in a case: source TEXT");
	r->at->source = strdup(r->word[1]);
	return r->at->source ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int read_let(struct reader *r, struct err *e)
{
	(void)r; /* a name for the expressions, which are bytes.py's */
	(void)e;
	return 0;
}

static const struct {
	const char *word;
	int (*read)(struct reader *r, struct err *e);
	enum { FILE_WORD = 1, WORLD_WORD, CASE_WORD } level; /* what must stand above it */
} kinds[] = {
	{ "world", read_world, FILE_WORD },
	{ "let", read_let, FILE_WORD },
	{ "case", read_case, WORLD_WORD },
	{ "source", read_source, CASE_WORD },
	{ "in", read_in, CASE_WORD },
	{ "send", read_send, CASE_WORD },
	{ "pass", read_pass, CASE_WORD },
	{ "drop", read_drop, CASE_WORD },
	{ "way", read_way, CASE_WORD },
	{ "service", read_service, CASE_WORD },
	{ "server", read_server, CASE_WORD },
	{ "drops", read_drops, CASE_WORD },
	{ "service_drops", read_service_drops, CASE_WORD },
	{ "now", read_now, CASE_WORD },
	{ "slots", read_slots, CASE_WORD },
	{ "slot", read_slots, CASE_WORD },
	{ "record", read_record, CASE_WORD },
	{ "recorded", read_recorded, CASE_WORD },
	{ "places", read_places, CASE_WORD },
};

static bool is_hex_line(const char *line)
{
	size_t digits;

	line += strspn(line, " \t");
	digits = strspn(line, "0123456789abcdef");
	return digits == 4 && line[4] == ':';
}

/* OFFSET: HEX…; other indented lines carry on an expression, which is bytes.py's. */
static int read_indented(struct reader *r, char *line, struct err *e)
{
	char *at, *word;

	if (!r->frame)
		return lines_error(&r->lines, e, "an indented line without a frame above it");
	if (!is_hex_line(line))
		return r->frame->len ? lines_error(&r->lines, e, "expected: OFFSET: HEX…") : 0;
	if (strtoul(line, &at, 16) != r->frame->len)
		return lines_error(&r->lines, e, "the offset is not %04zx", r->frame->len);
	for (word = strtok_r(at + 1, " ", &at); word; word = strtok_r(NULL, " ", &at))
		if (!frame_add(r->frame, word))
			return lines_error(&r->lines, e,
				"\"%s\" is no hex, or the frame is longer than %zu", word,
				sizeof r->frame->bytes);
	return 0;
}

static int read_line(struct reader *r, char *line, struct err *e)
{
	bool text = !strncmp(line, "source ", 7) || /* its words are the reader's */
		    !strncmp(line, "way ", 4);

	if (isblank((unsigned char)*line))
		return read_indented(r, line, e);
	r->n = words_split(line, r->word, text ? 2 : WORDS_MAX);
	if (!r->n || *r->word[0] == '#')
		return 0;
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(r->word[0], kinds[i].word))
			continue;
		if (kinds[i].level >= WORLD_WORD && !r->f->world)
			return lines_error(&r->lines, e, "the world comes first: world FILE");
		if (kinds[i].level >= CASE_WORD && !r->at)
			return lines_error(&r->lines, e, "\"%s\" outside of a case", r->word[0]);
		return kinds[i].read(r, e);
	}
	return lines_error(&r->lines, e, "unknown word \"%s\"", r->word[0]);
}

int cases_open(struct case_file **out, const char *path, struct err *e)
{
	struct reader r = { .f = calloc(1, sizeof *r.f) };
	char *line;
	int rc;

	if (!r.f)
		return err_set(e, -ENOMEM, "out of memory");
	rc = lines_open(&r.lines, path, e);
	if (!rc) {
		r.f->path = strdup(path);
		rc = r.f->path ? 0 : err_set(e, -ENOMEM, "out of memory");
	}
	while (!rc && (line = lines_next(&r.lines)))
		rc = read_line(&r, line, e);
	if (!rc)
		rc = finish_case(&r, e);
	if (!rc && !r.f->n_cases)
		rc = lines_error(&r.lines, e, "there is no case");
	lines_close(&r.lines);
	if (rc)
		cases_close(r.f);
	else
		*out = r.f;
	return rc;
}

void cases_close(struct case_file *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < f->n_cases; i++) {
		free(f->cases[i].name);
		free(f->cases[i].source);
		free(f->cases[i].steps);
		free(f->cases[i].counters);
		free(f->cases[i].records);
	}
	free(f->cases);
	free(f->path);
	world_close(f->world);
	free(f);
}
