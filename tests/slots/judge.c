/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/slots/judge.h"
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

const char *const judge_kinds[JUDGE_KINDS] = { "SYN", "SYN again", "ACK", "data", "FIN", "RST",
	"UDP", "forged SYN", "guessed SYN", "flood" };

/* What flows may rely on, in coarse time: how long they may be silent before the handshake is done, and when FIN or RST
 * was seen. */
enum { HANDSHAKE_LASTS = 5, CLOSING_LASTS = 56 };

/* One packet's way. */
struct passage {
	enum judge_kind kind;
	uint32_t seq;
	struct l4_record_bucket *bucket;
	struct l4_record_bucket before;
	struct l4_record record; /* the flow's, before; empty: none */
	uint8_t place;		 /* where it went */
	enum l4_verdict verdict;
};

uint64_t judge_note(struct judge *j, uint16_t pool, const char *text)
{
	unsigned at = j->n_log++ % JUDGE_LOG;

	j->log[at].event = ++j->event;
	j->log[at].now = j->now;
	j->log[at].pool = pool;
	snprintf(j->log[at].text, sizeof j->log[at].text, "%s", text);
	return j->event;
}

static uint16_t pool_id(const struct flow *f)
{
	return site_services[f->service].pool + 1;
}

/* In coarse time; rounded up, and one more for the units in which it begins and ends. */
static uint16_t idle_of(const struct flow *f)
{
	return (uint16_t)((site_services[f->service].idle_s * 1000000000ull >> 30) + 1);
}

static bool is_tcp(const struct flow *f)
{
	return site_services[f->service].protocol == IPPROTO_TCP;
}

bool judge_lives(const struct judge *j, const struct flow *f)
{
	return f->life->place != SITE_NOWHERE && (int16_t)(f->life->until - j->now) >= 0;
}

static struct l4_record_bucket *bucket_of(const struct judge *j, uint64_t hash)
{
	unsigned bits = (unsigned)__builtin_ctz(j->control->n_records / L4_BUCKET_RECORDS);

	return (struct l4_record_bucket *)j->control->records + (hash >> (64 - bits));
}

static bool is_record_of(const struct l4_record *r, uint64_t hash, uint16_t pool)
{
	return l4_record_state(r->what) > L4_RECORD_BUSY && (uint32_t)r->who == (uint32_t)hash &&
	       r->what >> L4_RECORD_POOL_AT == l4_record_mark(hash, pool) >> L4_RECORD_POOL_AT;
}

static struct l4_record find(const struct l4_record_bucket *b, uint64_t hash, uint16_t pool)
{
	for (unsigned i = 0; i < L4_BUCKET_RECORDS; i++)
		if (is_record_of(&b->records[i], hash, pool))
			return b->records[i];
	return (struct l4_record){ 0 };
}

static uint32_t slot_of(const struct judge *j, const struct flow *f, const struct control_table **t)
{
	*t = &j->control->shown[pool_id(f) - 1];
	return (uint32_t)f->hash & ((*t)->n - 1);
}

static bool slot_is_tracked(const struct judge *j, const struct flow *f)
{
	const struct control_table *t;
	uint32_t slot = slot_of(j, f, &t);

	return t->base[slot] != SNAPSHOT_SETTLED || site_services[f->service].track_all;
}

static bool has_owner(const struct judge *j, const struct flow *f)
{
	const struct control_table *t;
	uint32_t slot = slot_of(j, f, &t);

	return t->owner[slot];
}

static int inject(struct judge *j, struct flow *f, struct passage *p)
{
	static const uint8_t flags[JUDGE_KINDS] = { [JUDGE_SYN] = 2,
		[JUDGE_SYN_AGAIN] = 2,
		[JUDGE_ACK] = 16,
		[JUDGE_DATA] = 24,
		[JUDGE_FIN] = 17,
		[JUDGE_RST] = 20,
		[JUDGE_FORGED] = 2,
		[JUDGE_GUESSED] = 2,
		[JUDGE_FLOOD] = 2 };
	static struct body_result r;
	int rc;

	if (is_tcp(f))
		flow_set_tcp(f->frame, site_services[f->service].is6, flags[p->kind], p->seq);
	p->bucket = bucket_of(j, f->hash);
	p->before = *p->bucket;
	p->record = find(&p->before, f->hash, pool_id(f));
	rc = j->control->ops->inject(j->control->body, SITE_FRONT, f->frame, f->frame_len, &r);
	if (rc)
		return rc;
	p->verdict = r.verdict;
	p->place = r.verdict == L4_V_FORWARDED ? r.frame[5] : SITE_NOWHERE;
	j->packets[p->kind]++;
	j->event++;
	return r.verdict == L4_V_FORWARDED || r.verdict == L4_V_NO_SERVER ? 0 : -EPROTO;
}

/* A record that another packet's took the place of. */
static void evicted(struct judge *j, const struct l4_record *was, enum l4_record_place place,
	enum judge_kind by, bool sees_connections)
{
	struct flow *f = crowd_find(j->crowd, was->who, was->what);
	bool is_syn = by == JUDGE_SYN || by == JUDGE_SYN_AGAIN || by >= JUDGE_FORGED;

	j->took_live += place == L4_PLACE_LIVE && is_syn && sees_connections;
	if (!f || !judge_lives(j, f))
		return;
	if (place == L4_PLACE_LIVE)
		f->life->excuse = EXCUSE_EVICTED;
	else if (place == L4_PLACE_EMBRYONIC && f->stage == FLOW_HANDSHAKE)
		f->life->excuse = EXCUSE_HANDSHAKE;
}

/* What the packet's own record cost others. */
static int see_evictions(struct judge *j, const struct flow *f, const struct passage *p)
{
	for (unsigned i = 0; i < L4_BUCKET_RECORDS; i++) {
		const struct l4_record *was = &p->before.records[i];
		uint64_t places[L4_PLACE_COUNT];
		enum l4_record_place place;
		int rc;

		if (l4_record_state(was->what) == L4_RECORD_EMPTY ||
			is_record_of(was, f->hash, pool_id(f)) ||
			!is_record_of(&p->bucket->records[i], f->hash, pool_id(f)))
			continue;
		rc = j->control->ops->places(j->control->body, places);
		if (rc)
			return rc;
		for (place = L4_PLACE_VOID; place < L4_PLACE_LIVE; place++)
			if (places[place] != j->places[place])
				break;
		memcpy(j->places, places, sizeof places);
		evicted(j, was, place, p->kind, is_tcp(f) && !site_services[f->service].client);
	}
	return 0;
}

/* What was recorded before the flow began does not count. */
static bool record_decides(const struct judge *j, const struct flow *f, const struct l4_record *r)
{
	uint8_t at = site_find(j->control->site, l4_record_server(r->what));

	return r->what && l4_record_state(r->what) != L4_RECORD_CLOSING &&
	       !l4_record_is_over(r->what, j->now, idle_of(f)) &&
	       site_place(j->control->site, at)->id == l4_record_server(r->what) &&
	       site_serves(site_place(j->control->site, at));
}

static enum flow_excuse excuse(const struct judge *j, const struct flow *f, const struct passage *p)
{
	const struct life *life = f->life;
	const struct site_place *place = site_place(j->control->site, life->place);

	if (!site_serves(place) || place->fell > life->homed)
		return EXCUSE_FELL;
	if (life->excuse)
		return life->excuse;
	if (p->kind == JUDGE_SYN_AGAIN && !record_decides(j, f, &p->record))
		return EXCUSE_AGAIN;
	if (l4_record_state(p->record.what) != L4_RECORD_EMBRYONIC ||
		(uint32_t)(p->record.who >> 32) == f->syn)
		return EXCUSE_NONE;
	if (p->seq - (uint32_t)(p->record.who >> 32) - 1 < JUDGE_WINDOW)
		return EXCUSE_GUESSED;
	return f->stage == FLOW_HANDSHAKE ? EXCUSE_FORESTALLED : EXCUSE_NONE;
}

static void remember(struct judge *j, struct flow *f, const struct passage *p)
{
	struct flow_event *e = &f->history[f->n_history++ % HISTORY];
	const struct site *s = j->control->site;
	const struct control_table *t;
	uint32_t slot = slot_of(j, f, &t);
	struct l4_record after = find(p->bucket, f->hash, pool_id(f));

	*e = (struct flow_event){ .event = j->event, .what = judge_kinds[p->kind], .seq = p->seq };
	e->record = p->record.what;
	e->record_seq = (uint32_t)(after.who >> 32);
	e->after = after.what;
	e->now = j->now;
	e->settled = t->base[slot] == SNAPSHOT_SETTLED;
	e->owner = site_find(s, t->owner[slot]);
	e->base = e->settled ? e->owner : site_find(s, t->base[slot]);
	e->record_at = site_find(s, l4_record_server(p->record.what));
	e->after_at = site_find(s, l4_record_server(after.what));
	e->place = p->place;
}

/* How long the flow lives on without another packet. */
static void prolong(const struct judge *j, struct flow *f)
{
	uint16_t limit = idle_of(f), until;

	if (f->stage == FLOW_HANDSHAKE)
		limit = HANDSHAKE_LASTS;
	else if (f->stage == FLOW_CLOSING && limit > CLOSING_LASTS)
		limit = CLOSING_LASTS;
	until = (uint16_t)(j->now + limit);
	if (!site_services[f->service].client || (int16_t)(until - f->life->until) > 0)
		f->life->until = until;
}

static void home(const struct judge *j, struct life *life, uint8_t place)
{
	life->place = place;
	life->homed = j->event;
	life->until = j->now;
}

/* The flow's stage before is what excuses are looked at by. */
static void judge(struct judge *j, struct flow *f, const struct passage *p)
{
	struct life *life = f->life;
	bool begins = !judge_lives(j, f) ||
		      (p->kind == JUDGE_SYN && !site_services[f->service].client);

	if (p->place == SITE_NOWHERE && has_owner(j, f)) {
		j->refused++;
		j->victim = f;
	}
	if (begins) {
		home(j, life, p->place);
	} else if (p->place == life->place) {
		j->kept += slot_is_tracked(j, f);
	} else {
		enum flow_excuse e = excuse(j, f, p);

		j->moved[e]++;
		if (e == EXCUSE_NONE && !j->victim)
			j->victim = f;
		home(j, life, p->place);
	}
	life->excuse = EXCUSE_NONE;
}

static void advance(struct flow *f, enum judge_kind kind, uint8_t place)
{
	if (!is_tcp(f) || kind == JUDGE_DATA)
		f->stage = f->stage == FLOW_CLOSING ? FLOW_CLOSING : FLOW_OPEN;
	else if (kind == JUDGE_SYN || kind == JUDGE_SYN_AGAIN)
		f->stage = FLOW_HANDSHAKE;
	else if (kind == JUDGE_ACK)
		f->stage = FLOW_OPEN;
	else
		f->stage = FLOW_CLOSING;
	if (site_services[f->service].client && f->stage == FLOW_HANDSHAKE)
		f->stage = FLOW_OPEN; /* its record is the client's */
	if (place == SITE_NOWHERE)
		f->stage = FLOW_NONE;
}

/* A packet that is not the client's moves nobody, but may change the record. */
static void see_forged(struct judge *j, struct flow *f, const struct passage *p)
{
	struct l4_record after = find(p->bucket, f->hash, pool_id(f));

	if (l4_record_state(p->record.what) == L4_RECORD_CLOSING && f->stage == FLOW_CLOSING &&
		l4_record_state(after.what) == L4_RECORD_EMBRYONIC)
		f->life->excuse = EXCUSE_CLOSING;
	(void)j;
}

int judge_packet(struct judge *j, struct flow *f, enum judge_kind kind, uint32_t seq)
{
	struct passage p = { .kind = kind, .seq = seq };
	int rc = inject(j, f, &p);

	if (!rc)
		rc = see_evictions(j, f, &p);
	if (rc)
		return rc;
	remember(j, f, &p);
	if (kind >= JUDGE_FORGED) {
		see_forged(j, f, &p);
		return 0;
	}
	if (kind == JUDGE_SYN)
		f->syn = seq;
	judge(j, f, &p);
	advance(f, kind, p.place);
	prolong(j, f);
	if (kind <= JUDGE_SYN_AGAIN && slot_is_tracked(j, f) && p.place != SITE_NOWHERE &&
		!find(p.bucket, f->hash, pool_id(f)).what)
		f->life->excuse = EXCUSE_HANDSHAKE;
	return 0;
}

int judge_stray(struct judge *j, const struct flow *like, uint32_t seq)
{
	struct passage p = { .kind = JUDGE_FLOOD, .seq = seq };
	struct flow f = *like;
	int rc = inject(j, &f, &p);

	return rc ? rc : see_evictions(j, &f, &p);
}

static void print_record(uint64_t what, uint8_t place, uint16_t now)
{
	static const char *const states[8] = { "-", "busy", "embryonic", "live", "closing" };

	printf("%s", states[what & 7]);
	if (what)
		printf(" %u%s, %u s old", place, what & L4_RECORD_AGREES ? " (agrees)" : "",
			l4_record_age(what, now));
}

static void print_packet(const struct flow_event *e)
{
	printf("  %9" PRIu64 " t=%u %-10s seq %08x to %u; slot %u", e->event, e->now, e->what,
		e->seq, e->place, e->owner);
	if (!e->settled)
		printf(" base %u", e->base);
	printf("; record ");
	print_record(e->record, e->record_at, e->now);
	printf(" -> ");
	print_record(e->after, e->after_at, e->now);
	printf(" of %08x\n", e->record_seq);
}

/* What was done to the flow's pool before the event. */
static uint64_t print_log(const struct judge *j, const struct flow *f, uint64_t at, uint64_t event)
{
	for (; at < j->n_log && j->log[at % JUDGE_LOG].event < event; at++)
		if (!j->log[at % JUDGE_LOG].pool || j->log[at % JUDGE_LOG].pool == pool_id(f))
			printf("  %9" PRIu64 " t=%u %s\n", j->log[at % JUDGE_LOG].event,
				j->log[at % JUDGE_LOG].now, j->log[at % JUDGE_LOG].text);
	return at;
}

void judge_print(const struct judge *j, const struct flow *f)
{
	uint32_t first = f->n_history > HISTORY ? f->n_history - HISTORY : 0;
	uint64_t at = j->n_log > JUDGE_LOG ? j->n_log - JUDGE_LOG : 0;

	printf("flow %td of %s: hash %016" PRIx64 "; places are pool * %u + place in the pool\n",
		f - j->crowd->flows, site_services[f->service].name, f->hash, SITE_PLACES);
	for (uint32_t i = first; i < f->n_history; i++) {
		at = print_log(j, f, at, f->history[i % HISTORY].event);
		print_packet(&f->history[i % HISTORY]);
	}
}
