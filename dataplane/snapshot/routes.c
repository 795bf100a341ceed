/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/routes.h"
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Routes to many prefixes are the same: each is there once. */
struct value {
	struct l4_route route;
	uint32_t users;
	uint32_t number; /* from 1, in the file that is being written */
};

struct row {
	address_number first;
	struct value *value;
	uint8_t plen;
};

/* Balanced trees of tsearch(3), which are walked in order. */
struct routes {
	void *rows[2]; /* of IPv4, of IPv6 */
	void *values;
	uint32_t n[2], n_values;
	uint32_t limit;
};

static int compare_rows(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->plen - b->plen;
}

static int compare_values(const void *x, const void *y)
{
	const struct value *a = x, *b = y;

	return memcmp(&a->route, &b->route, sizeof a->route);
}

struct routes *routes_new(uint32_t limit)
{
	struct routes *r = calloc(1, sizeof *r);

	if (r)
		r->limit = limit;
	return r;
}

void routes_free(struct routes *r)
{
	if (!r)
		return;
	tdestroy(r->rows[0], free);
	tdestroy(r->rows[1], free);
	tdestroy(r->values, free);
	free(r);
}

static bool is_prefix(const struct routes_prefix *p)
{
	return (p->af == 4 && p->plen <= 32) || (p->af == 6 && p->plen <= 128);
}

static struct row *find(const struct routes *r, const struct routes_prefix *p)
{
	struct row key = { .first = span_of(p->af, p->bytes, p->plen, 0).first, .plen = p->plen };
	void *at = tfind(&key, &r->rows[p->af == 6], compare_rows);

	return at ? *(struct row **)at : NULL;
}

/* Puts a new node into a tree. False: out of memory, and it is freed. */
static bool enter(void **tree, void *node, int (*compare)(const void *, const void *))
{
	if (tsearch(node, tree, compare))
		return true;
	free(node);
	return false;
}

/* One user more. NULL: out of memory. */
static struct value *value_get(struct routes *r, const struct l4_route *route)
{
	struct value key = { .route = *route }, *v;
	void *at = tfind(&key, &r->values, compare_values);

	if (at) {
		v = *(struct value **)at;
		v->users++;
		return v;
	}
	v = malloc(sizeof *v);
	if (!v)
		return NULL;
	*v = (struct value){ .route = *route, .users = 1 };
	if (!enter(&r->values, v, compare_values))
		return NULL;
	r->n_values++;
	return v;
}

static void value_put(struct routes *r, struct value *v)
{
	if (--v->users)
		return;
	tdelete(v, &r->values, compare_values);
	r->n_values--;
	free(v);
}

static int add(struct routes *r, const struct routes_prefix *p, struct value *v)
{
	struct row *e;

	if (r->n[p->af == 6] >= r->limit)
		return -ENOSPC;
	e = malloc(sizeof *e);
	if (!e)
		return -ENOMEM;
	*e = (struct row){ span_of(p->af, p->bytes, p->plen, 0).first, v, p->plen };
	if (!enter(&r->rows[p->af == 6], e, compare_rows))
		return -ENOMEM;
	r->n[p->af == 6]++;
	return 0;
}

int routes_set(struct routes *r, const struct routes_prefix *p, const struct l4_route *is,
	struct l4_route *was)
{
	struct row *e;
	struct value *v;
	int rc;

	*was = (struct l4_route){ .neighbour = L4_NO_NEIGHBOUR };
	if (!is_prefix(p))
		return -EINVAL;
	v = value_get(r, is);
	if (!v)
		return -ENOMEM;
	e = find(r, p);
	if (e) {
		*was = e->value->route;
		value_put(r, e->value);
		e->value = v;
		return 0;
	}
	rc = add(r, p, v);
	if (rc)
		value_put(r, v);
	return rc;
}

void routes_delete(struct routes *r, const struct routes_prefix *p, struct l4_route *was)
{
	struct row *e = is_prefix(p) ? find(r, p) : NULL;

	*was = (struct l4_route){ .neighbour = L4_NO_NEIGHBOUR };
	if (!e)
		return;
	*was = e->value->route;
	value_put(r, e->value);
	tdelete(e, &r->rows[p->af == 6], compare_rows);
	r->n[p->af == 6]--;
	free(e);
}

struct head {
	uint64_t magic; /* this and the version: memfd.h */
	uint32_t version;
	uint32_t n_routes;
	uint32_t n[2]; /* addresses, of IPv4 and of IPv6 */
	uint64_t pad[5];
};

_Static_assert(sizeof(struct head) == sizeof(struct l4_line), "lines behind it are aligned");

static const struct memfd_kind kind = {
	.name = "tandem-routes",
	.magic = 0x7365747565746d65,
	.version = L4_TABLES_VERSION,
	.head = sizeof(struct head),
	.another = "is no table of routes",
};

/* Where the parts of a file begin, and where it ends. n[] are TREE_ADDRESSES at most, so that nothing overflows. */
struct places {
	struct tree_shape shapes[2];
	uint64_t trees[2], routes, answers[2], end;
};

static struct places places_of(const struct head *h)
{
	struct places p = { .shapes = { tree_shape(h->n[0], 4), tree_shape(h->n[1], 6) } };

	p.trees[0] = sizeof *h;
	p.trees[1] = p.trees[0] + p.shapes[0].lines * (uint64_t)sizeof(struct l4_line);
	p.routes = p.trees[1] + p.shapes[1].lines * (uint64_t)sizeof(struct l4_line);
	p.answers[0] = p.routes + h->n_routes * (uint64_t)sizeof(struct l4_route);
	p.answers[1] = p.answers[0] + (h->n[0] + 1) * (uint64_t)sizeof(uint32_t);
	p.end = p.answers[1] + (h->n[1] + 1) * (uint64_t)sizeof(uint32_t);
	return p;
}

/* A prefix of no bits is what holds where no other one does. */
struct spans {
	struct span *at;
	uint32_t n, otherwise;
};

static void collect_span(const void *node, VISIT visit, void *arg)
{
	const struct row *e = *(struct row *const *)node;
	struct spans *s = arg;

	if (visit != postorder && visit != leaf)
		return;
	if (e->plen)
		s->at[s->n++] = (struct span){ e->first, e->value->number, e->plen };
	else
		s->otherwise = e->value->number;
}

static int flatten(struct changes *c, const struct routes *r, uint8_t af)
{
	struct spans s = { .at = malloc((r->n[af == 6] + 1ull) * sizeof *s.at) };
	int rc;

	*c = (struct changes){ 0 };
	if (!s.at)
		return -ENOMEM;
	twalk_r(r->rows[af == 6], collect_span, &s);
	rc = changes_new(c, af, s.at, s.n, s.otherwise);
	free(s.at);
	return rc;
}

static void number_value(const void *node, VISIT visit, void *arg)
{
	uint32_t *n = arg;

	if (visit == postorder || visit == leaf)
		(*(struct value *const *)node)->number = ++*n;
}

static void put_value(const void *node, VISIT visit, void *arg)
{
	const struct value *v = *(struct value *const *)node;
	struct l4_route *routes = arg;

	if (visit == postorder || visit == leaf)
		routes[v->number - 1] = v->route;
}

static int write_changes(const struct routes *r, const struct changes c[2])
{
	struct head h = {
		.magic = kind.magic,
		.version = kind.version,
		.n_routes = r->n_values,
		.n = { c[0].n, c[1].n },
	};
	struct places p;
	struct memfd m;
	uint8_t *file;
	int fd;

	if (h.n[0] > TREE_ADDRESSES || h.n[1] > TREE_ADDRESSES)
		return -ENOSPC;
	p = places_of(&h);
	fd = memfd_make(&m, &kind, p.end);
	if (fd < 0)
		return fd;
	file = m.map;
	memcpy(file, &h, sizeof h);
	twalk_r(r->values, put_value, file + p.routes);
	for (int i = 0; i < 2; i++) {
		uint32_t *answers = (uint32_t *)(file + p.answers[i]);

		tree_put((struct l4_line *)(file + p.trees[i]), &p.shapes[i], c[i].at, c[i].n,
			i ? 6 : 4);
		answers[0] = c[i].otherwise;
		memcpy(answers + 1, c[i].answers, c[i].n * sizeof *answers);
	}
	return memfd_seal(&m, fd);
}

int routes_write(struct routes *r)
{
	struct changes c[2] = { { 0 } };
	uint32_t n = 0;
	int rc;

	twalk_r(r->values, number_value, &n);
	rc = flatten(&c[0], r, 4);
	if (!rc)
		rc = flatten(&c[1], r, 6);
	if (!rc)
		rc = write_changes(r, c);
	changes_free(&c[0]);
	changes_free(&c[1]);
	return rc;
}

static void take_tree(struct routes_tree *t, const uint8_t *file, const struct places *p, int is6)
{
	const struct tree_shape *shape = &p->shapes[is6];

	t->n_levels = shape->n_levels;
	t->answers = (const uint32_t *)(file + p->answers[is6]);
	for (uint32_t i = 0; i < shape->n_levels; i++) {
		t->levels[i].lines =
			(const struct l4_line *)(file + p->trees[is6]) + shape->levels[i].first;
		t->levels[i].last = shape->levels[i].nodes - 1;
	}
}

/* A prefix makes two changes at most. */
static bool is_within(const struct head *h, uint32_t limit)
{
	uint64_t most = 2ull * limit;

	return h->n[0] <= TREE_ADDRESSES && h->n[1] <= TREE_ADDRESSES && h->n[0] <= most &&
	       h->n[1] <= most && h->n_routes <= most;
}

int routes_read(struct route_table *out, int fd, uint32_t limit, const char **why)
{
	const uint8_t *file;
	struct places p;
	struct head h;
	int rc;

	*out = (struct route_table){ 0 };
	rc = memfd_open(&out->file, fd, &kind, why);
	if (rc)
		return rc;
	file = out->file.map;
	memcpy(&h, file, sizeof h);
	if (!is_within(&h, limit))
		rc = memfd_refuse(-ENOSPC, "has more routes than the engine has room for", why);
	if (!rc) {
		p = places_of(&h);
		if (p.end != out->file.size)
			rc = memfd_refuse(-EMSGSIZE, "has another length than it says", why);
	}
	if (rc) {
		routes_unread(out);
		return rc;
	}
	for (int i = 0; i < 2; i++) {
		out->trees[i].n = h.n[i];
		take_tree(&out->trees[i], file, &p, i);
	}
	out->routes = (const struct l4_route *)(file + p.routes);
	out->n_routes = h.n_routes;
	return 0;
}

void routes_unread(struct route_table *t)
{
	memfd_free(&t->file);
	*t = (struct route_table){ 0 };
}
