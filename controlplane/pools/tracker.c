/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/tracker.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/slots.h"
#include "dataplane/l4/hash.h"
#include "dataplane/snapshot/maglev.h"

enum { IDS = UINT16_MAX + 1 };

/* A server's part of a pool's published table. */
struct share {
	uint16_t id;
	uint32_t slots, base_slots;
};

/* What the services of a pool say of its records. */
struct terms {
	uint16_t idle;	 /* the longest; coarse time */
	bool everything; /* some service has records of settled slots too */
};

struct pool {
	struct slots *slots;
	uint64_t target; /* stands for members and weights that the owners come from; 0: none yet */
	/* As before the update, until what that changed is published. */
	struct slots *before;
	uint64_t target_before;
	uint32_t wanted_before;
	uint64_t published;	  /* version of the table that packets go by */
	uint32_t wanted;	  /* slots; smaller than the table's until that may shrink */
	uint32_t settle_by;	  /* the first sweep that may settle what is published */
	struct terms terms, next; /* as published, and as to be */
	bool seen;		  /* by the update that runs */
	struct share *shares;
	uint32_t n_shares;
	uint64_t counting; /* records, by the sweep that runs */
};

struct tracker {
	struct pool pools[IDS];
	bool serves[IDS];	/* by server id: flows that it has, by what is to be published */
	bool serving[IDS];	/* the same, by what is: the records are of this world */
	uint64_t counting[IDS]; /* records that name a server, by the sweep that runs */
	uint32_t slots[IDS], base_slots[IDS]; /* scratch: all zero */
	struct tracking_server servers[IDS];
	struct tracking_pool pools_known[IDS];
	struct tracking known;
	struct tracking_node node_counting;
	uint32_t sweep;		 /* the number of the last one that began */
	bool swept;		 /* one has ended */
	bool records_everything; /* some service does */
	uint64_t forgotten;	 /* as tracker_forgotten() was told last */
	uint16_t forgotten_at;
	uint32_t top; /* above the highest pool id that has a table */
};

struct tracker *tracker_new(void)
{
	return calloc(1, sizeof(struct tracker));
}

void tracker_free(struct tracker *t)
{
	for (uint32_t i = 0; t && i < t->top; i++) {
		slots_free(t->pools[i].slots);
		slots_free(t->pools[i].before);
		free(t->pools[i].shares);
	}
	free(t);
}

static void keep_top(struct tracker *t, uint16_t pool)
{
	if (t->top <= pool)
		t->top = pool + 1u;
}

int tracker_restore(struct tracker *t, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since)
{
	struct pool *p = &t->pools[pool];

	if (n < MAGLEV_MIN_SLOTS || n > MAGLEV_MAX_SLOTS || n & (n - 1) || p->slots)
		return -EINVAL;
	p->slots = slots_new(n);
	if (!p->slots)
		return -ENOMEM;
	memcpy(p->slots->owner, owner, n * sizeof *owner);
	memcpy(p->slots->base, base, n * sizeof *base);
	memcpy(p->slots->since, since, n * sizeof *since);
	for (uint32_t i = 0; i < n; i++)
		p->slots->view.n_tracked += base[i] != SNAPSHOT_SETTLED;
	p->settle_by = 1;
	slots_leave(p->slots);
	keep_top(t, pool);
	return 0;
}

/* Stands for a pool's members in their order: ids, addresses and weights. */
static uint64_t members_target(const struct snapshot_member *m, uint32_t n)
{
	static const uint64_t key[2];
	struct l4_sip s = l4_sip_init(key);
	uint64_t hash;

	for (uint32_t i = 0; i < n; i++) {
		l4_sip_word(&s, snapshot_identity(&m[i]));
		l4_sip_word(
			&s, (uint64_t)m[i].id << 32 | (uint64_t)m[i].serves << 16 | m[i].weight);
	}
	l4_sip_word(&s, (uint64_t)n << 56);
	hash = l4_sip_end(&s);
	return hash ? hash : 1;
}

/* Who is to own which slot of a table of n, which is a multiple of p->wanted. */
static int new_owners(const struct pool *p, const struct snapshot_member *m, uint32_t n_members,
	uint16_t *owners, uint32_t n)
{
	struct maglev_member *members = calloc(n_members + 1u, sizeof *members);
	int rc = -ENOMEM;

	if (!members)
		return rc;
	for (uint32_t i = 0; i < n_members; i++)
		members[i] = (struct maglev_member){ snapshot_identity(&m[i]), m[i].weight };
	rc = maglev_fill(members, n_members, owners, p->wanted);
	free(members);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < p->wanted; i++)
		owners[i] = owners[i] == MAGLEV_EMPTY ? 0 : (uint16_t)m[owners[i]].id;
	for (uint32_t i = p->wanted; i < n; i++)
		owners[i] = owners[i & (p->wanted - 1)];
	return 0;
}

static int pool_resize(struct pool *p, uint32_t n)
{
	struct slots *to = slots_resize(p->slots, n);

	if (!to)
		return -ENOMEM;
	slots_free(p->slots);
	p->slots = to;
	return 0;
}

static void pool_forget_before(struct pool *p)
{
	slots_free(p->before);
	p->before = NULL;
}

/* Returns 0 or -ENOMEM. */
static int pool_keep_before(struct pool *p)
{
	if (p->before || !p->slots)
		return 0;
	p->before = slots_copy(p->slots);
	p->target_before = p->target;
	p->wanted_before = p->wanted;
	return p->before ? 0 : -ENOMEM;
}

/* Gives the slots to whom the members' weights say. */
static int pool_assign(struct tracker *t, struct pool *p, const struct snapshot_member *m,
	uint32_t n_members, uint16_t now)
{
	uint16_t *owners = calloc(p->slots->view.n, sizeof *owners);
	int rc;

	if (!owners)
		return -ENOMEM;
	rc = new_owners(p, m, n_members, owners, p->slots->view.n);
	if (!rc) {
		slots_touch(p->slots); /* its members may lie elsewhere */
		slots_assign(p->slots, owners, t->serves, now);
		slots_drop_bases(p->slots, t->serves);
	}
	free(owners);
	return rc;
}

static int pool_update(struct tracker *t, struct pool *p, const struct snapshot_member *m,
	uint32_t n_members, uint16_t now)
{
	uint64_t target = members_target(m, n_members);
	int rc;

	if (p->slots && p->target == target)
		return 0;
	rc = pool_keep_before(p);
	if (rc)
		return rc;
	p->wanted = maglev_slots(n_members);
	if (!p->slots)
		p->slots = slots_new(p->wanted);
	else if (p->slots->view.n < p->wanted)
		rc = pool_resize(p, p->wanted);
	if (!p->slots || rc)
		return -ENOMEM;
	rc = pool_assign(t, p, m, n_members, now);
	if (!rc)
		p->target = target;
	return rc;
}

static void read_terms(struct tracker *t, const struct snapshot_input *in)
{
	for (uint32_t i = 0; i < in->n_pools; i++)
		t->pools[in->pools[i].id].next = (struct terms){ 0 };
	for (uint32_t i = 0; i < in->n_services; i++) {
		const struct snapshot_service *s = &in->services[i];
		uint16_t idle = snapshot_idle(s);
		struct terms *to;

		if (s->forward == L4_FORWARD_LOCAL)
			continue;
		to = &t->pools[in->pools[s->pool].id].next;
		to->everything |= s->track_all;
		if (to->idle < idle)
			to->idle = idle;
	}
}

int tracker_update(struct tracker *t, const struct snapshot_input *in, struct snapshot_pool *pools,
	uint16_t now)
{
	memset(t->serves, 0, sizeof t->serves);
	for (uint32_t i = 0; i < in->n_members; i++)
		t->serves[in->members[i].id] |= in->members[i].serves;
	for (uint32_t i = 0; i < t->top; i++)
		t->pools[i].seen = false;
	read_terms(t, in);
	for (uint32_t i = 0; i < in->n_pools; i++) {
		struct pool *p = &t->pools[in->pools[i].id];
		int rc = pool_update(
			t, p, &in->members[in->pools[i].first_member], in->pools[i].n_members, now);

		if (rc)
			return rc;
		keep_top(t, in->pools[i].id);
		p->seen = true;
		pools[i].slots = &p->slots->view;
	}
	return 0;
}

bool tracker_is_dirty(const struct tracker *t)
{
	for (uint32_t i = 0; i < t->top; i++)
		if (t->pools[i].slots && t->pools[i].slots->view.version != t->pools[i].published)
			return true;
	return false;
}

/* Takes a pool's shares out of what is known of the servers. */
static void forget_shares(struct tracker *t, struct pool *p)
{
	for (uint32_t i = 0; i < p->n_shares; i++) {
		t->servers[p->shares[i].id].slots -= p->shares[i].slots;
		t->servers[p->shares[i].id].base_slots -= p->shares[i].base_slots;
	}
	free(p->shares);
	p->shares = NULL;
	p->n_shares = 0;
}

static uint32_t count_slots(struct tracker *t, const struct slots *s)
{
	uint32_t distinct = 0;

	for (uint32_t i = 0; i < s->view.n; i++) {
		uint16_t owner = s->owner[i], base = s->base[i];

		distinct += !t->slots[owner] && !t->base_slots[owner];
		t->slots[owner]++;
		if (base == SNAPSHOT_SETTLED || base == owner)
			continue;
		distinct += !t->slots[base] && !t->base_slots[base];
		t->base_slots[base]++;
	}
	return distinct;
}

/* Moves what was counted for a server into the pool's shares, if they have room, and clears it. */
static void take_share(struct tracker *t, struct pool *p, uint16_t id)
{
	if ((t->slots[id] || t->base_slots[id]) && id && p->shares) {
		p->shares[p->n_shares++] = (struct share){ id, t->slots[id], t->base_slots[id] };
		t->servers[id].slots += t->slots[id];
		t->servers[id].base_slots += t->base_slots[id];
	}
	t->slots[id] = t->base_slots[id] = 0;
}

static void learn_shares(struct tracker *t, uint32_t pool)
{
	struct pool *p = &t->pools[pool];
	const struct slots *s = p->slots;

	forget_shares(t, p);
	p->shares = calloc(count_slots(t, s) + 1u, sizeof *p->shares);
	if (!p->shares)
		log_warn("out of memory: the slots of some servers are not counted");
	for (uint32_t i = 0; i < s->view.n; i++) {
		take_share(t, p, s->owner[i]);
		if (s->base[i] != SNAPSHOT_SETTLED)
			take_share(t, p, s->base[i]);
	}
	t->pools_known[pool].slots = s->view.n;
	t->pools_known[pool].slots_tracked = s->view.n_tracked;
}

static void drop_unseen(struct tracker *t)
{
	for (uint32_t i = 0; i < t->top; i++) {
		struct pool *p = &t->pools[i];

		if (!p->slots || p->seen)
			continue;
		forget_shares(t, p);
		pool_forget_before(p);
		slots_free(p->slots);
		*p = (struct pool){ 0 };
		t->pools_known[i].slots = t->pools_known[i].slots_tracked = 0;
	}
}

void tracker_published(struct tracker *t)
{
	drop_unseen(t);
	memcpy(t->serving, t->serves, sizeof t->serving);
	t->records_everything = false;
	for (uint32_t i = 0; i < t->top; i++) {
		struct pool *p = &t->pools[i];

		pool_forget_before(p);
		p->terms = p->next;
		t->records_everything |= p->terms.everything;
		if (!p->slots || p->slots->view.version == p->published)
			continue;
		p->published = p->slots->view.version;
		p->settle_by = t->sweep + 1;
		learn_shares(t, i);
	}
}

/* The table stays where it is: what was published points at it. */
static void pool_restore(struct pool *p)
{
	const struct slots changed = *p->slots;

	*p->slots = *p->before;
	*p->before = changed;
	p->target = p->target_before;
	p->wanted = p->wanted_before;
	pool_forget_before(p);
}

void tracker_unpublished(struct tracker *t)
{
	for (uint32_t i = 0; i < t->top; i++)
		if (t->pools[i].before)
			pool_restore(&t->pools[i]);
}

void tracker_sweep_begin(struct tracker *t)
{
	t->sweep++;
	memset(t->counting, 0, sizeof t->counting);
	t->node_counting = t->known.node;
	t->node_counting.embryonic = t->node_counting.live = t->node_counting.closing = 0;
	for (uint32_t i = 0; i < IDS; i++) {
		t->pools[i].counting = 0;
		if (t->pools[i].slots)
			slots_clear_foreign(t->pools[i].slots);
	}
}

/* What is left behind in a settled slot is no longer kept up to date: it would be wrong when the slot is tracked again. */
static bool is_left_behind(const struct pool *p, uint64_t who, uint64_t what)
{
	return !p->terms.everything && p->published == p->slots->view.version &&
	       slots_is_idle_record(p->slots, (uint32_t)who, l4_record_server(what));
}

static bool is_void(const struct tracker *t, uint64_t who, uint64_t what, uint16_t now)
{
	const struct pool *p = &t->pools[l4_record_pool(what)];

	return !p->slots || !t->serving[l4_record_server(what)] ||
	       l4_record_is_over(what, now, p->terms.idle) || is_left_behind(p, who, what);
}

static void count_record(struct tracker *t, uint64_t who, uint64_t what)
{
	uint16_t server = l4_record_server(what);
	struct pool *p = &t->pools[l4_record_pool(what)];

	t->counting[server]++;
	p->counting++;
	t->node_counting.embryonic += l4_record_state(what) == L4_RECORD_EMBRYONIC;
	t->node_counting.live += l4_record_state(what) == L4_RECORD_LIVE;
	t->node_counting.closing += l4_record_state(what) == L4_RECORD_CLOSING;
	slots_see_record(p->slots, (uint32_t)who, server);
}

/* What the sweep makes of a record. One that was left behind, closing, when the slot was settled would shorten the life
 * of the connection that has its ports now. */
static uint64_t swept(const struct tracker *t, uint64_t who, uint64_t what, uint16_t now)
{
	if (is_void(t, who, what, now))
		return L4_RECORD_EMPTY;
	if (l4_record_state(what) == L4_RECORD_CLOSING &&
		slots_is_late_record(t->pools[l4_record_pool(what)].slots, (uint32_t)who,
			l4_record_server(what)))
		return what - L4_RECORD_CLOSING + L4_RECORD_LIVE;
	return what;
}

/* A record that changes under the sweep's hands is looked at again: it may be a flow's that lives. */
static void sweep_one(struct tracker *t, struct l4_record *r, uint16_t now)
{
	for (;;) {
		uint64_t what = l4_record_read(&r->what), who = l4_record_read(&r->who), to;

		if (l4_record_state(what) == L4_RECORD_EMPTY)
			return;
		if (l4_record_state(what) == L4_RECORD_BUSY || l4_record_read(&r->what) != what)
			continue;
		to = swept(t, who, what, now);
		if (to != what && !l4_record_exchange(r, what, to))
			continue;
		if (to != L4_RECORD_EMPTY)
			count_record(t, who, to);
		return;
	}
}

void tracker_sweep_part(struct tracker *t, struct l4_record *records, uint32_t n, uint16_t now)
{
	for (uint32_t i = 0; i < n; i++)
		sweep_one(t, &records[i], now);
}

void tracker_forgotten(struct tracker *t, uint64_t n, uint16_t now)
{
	if (t->forgotten == n)
		return;
	t->forgotten = n;
	t->forgotten_at = now;
}

static void keep_counts(struct tracker *t)
{
	for (uint32_t i = 0; i < IDS; i++) {
		t->servers[i].records = t->counting[i];
		t->pools_known[i].records = t->pools[i].counting;
	}
	t->known.servers = t->servers;
	t->known.pools = t->pools_known;
	t->known.n_servers = t->known.n_pools = IDS;
	t->known.node = t->node_counting;
	t->swept = true;
}

/* What a sweep changes is undone as well when it cannot be published: records that are evicted until it is may speak
 * against it. */
static void pool_end_sweep(const struct tracker *t, struct pool *p, uint16_t now)
{
	const uint64_t version = p->slots->view.version;
	const bool is_published = p->published == version && p->settle_by <= t->sweep;
	const bool had_before = p->before;

	if (is_published)
		slots_clear_left(p->slots);
	if ((!p->slots->view.n_tracked && p->slots->view.n == p->wanted) || pool_keep_before(p))
		return;
	if (is_published)
		slots_settle(p->slots);
	if (!t->forgotten || slots_all_seen(t->forgotten_at, now, p->terms.idle))
		slots_rebase(p->slots, now, p->terms.idle);
	if (p->slots->view.n > p->wanted && p->wanted)
		pool_resize(p, p->wanted); /* which fails as long as it may not be */
	if (!had_before && p->slots->view.version == version)
		pool_forget_before(p);
}

void tracker_sweep_end(struct tracker *t, uint16_t now)
{
	keep_counts(t);
	for (uint32_t i = 0; i < t->top; i++)
		if (t->pools[i].slots)
			pool_end_sweep(t, &t->pools[i], now);
}

struct tracking *tracker_tracking(struct tracker *t)
{
	return t->swept ? &t->known : NULL;
}

bool tracker_is_busy(const struct tracker *t)
{
	const struct tracking_node *n = &t->known.node;

	if (!t->swept || t->records_everything || n->embryonic || n->live || n->closing)
		return true;
	for (uint32_t i = 0; i < t->top; i++)
		if (t->pools[i].slots && t->pools[i].slots->view.n_tracked)
			return true;
	return false;
}
