/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/world.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/lines.h"

#define WORDS_MAX 16

struct reader {
	struct lines lines;
	struct world_file *w;
	char *word[WORDS_MAX];
	unsigned n;
};

static bool parse_mac(const char *text, uint8_t mac[6])
{
	int used = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		       &mac[3], &mac[4], &mac[5], &used) == 6 &&
	       used == 17 && !text[used];
}

/* The text between "config {" and the "}" that ends it, in one piece for conf_parse(). */
static int read_config(struct reader *r, struct err *e)
{
	unsigned first = r->lines.number;
	char *text = r->lines.next, *line, *end = NULL;
	struct diags d = { 0 };
	int rc;

	for (line = lines_next(&r->lines); line && strcmp(line, "}");
		line = lines_next(&r->lines)) {
		end = line + strlen(line);
		*end = '\n'; /* lines_next() ended it */
	}
	if (!line || !end)
		return lines_error(&r->lines, e, "config { … } is empty or does not end");
	*end = '\0';
	rc = conf_parse(text, r->lines.path, &r->w->conf, &d);
	for (size_t i = 0; i < d.n && rc; i++) {
		if (d.list[i].level != DIAG_ERROR)
			continue;
		r->lines.number = first + (unsigned)d.list[i].line;
		lines_error(&r->lines, e, "%s", d.list[i].message);
		break;
	}
	diags_free(&d);
	return rc;
}

/* Tags as PROTOCOL:ID, the protocol in hex. */
static bool read_tags(const struct reader *r, unsigned first, struct host_stack *stack)
{
	for (unsigned i = first; i < r->n; i++) {
		unsigned protocol, id, used = 0;

		if (stack->n_tags == HOST_STACK_TAGS ||
			sscanf(r->word[i], "%4x:%4u%n", &protocol, &id, (int *)&used) != 2 ||
			r->word[i][used])
			return false;
		stack->tags[stack->n_tags].protocol = (uint16_t)protocol;
		stack->tags[stack->n_tags++].id = (uint16_t)id;
	}
	return stack->n_tags;
}

/* Behind the rest of a link's line: on DEVICE TAG [TAG] */
static bool read_stack(
	const struct reader *r, unsigned at, const struct host_link *l, struct host_stack *stack)
{
	stack->device = l->ifindex;
	stack->mtu = l->mtu;
	if (r->n == at)
		return true;
	if (r->n < at + 3 || strcmp(r->word[at], "on") != 0)
		return false;
	stack->device = world_device(r->w, r->word[at + 1]);
	return stack->device && read_tags(r, at + 2, stack);
}

/* device NAME ifindex N */
static int read_device(struct reader *r, struct err *e)
{
	struct host_link *l = &r->w->devices[r->w->n_devices];
	uint64_t ifindex;

	if (r->n != 4 || strcmp(r->word[2], "ifindex") != 0 ||
		!words_number(r->word[3], INT32_MAX, &ifindex))
		return lines_error(&r->lines, e, "expected: device NAME ifindex N");
	snprintf(l->name, sizeof l->name, "%s", r->word[1]);
	l->ifindex = (uint32_t)ifindex;
	r->w->n_devices++;
	return 0;
}

/* link NAME ifindex N mac MAC mtu N [on DEVICE TAG [TAG]] */
static int read_link(struct reader *r, struct err *e)
{
	struct host_link *l;
	uint64_t ifindex, mtu;
	int i = r->n > 1 ? world_interface(r->w, r->word[1]) : -1;

	if (i < 0)
		return lines_error(&r->lines, e, "no such interface in the configuration");
	l = &r->w->links[i];
	if (r->n < 8 || strcmp(r->word[2], "ifindex") || strcmp(r->word[4], "mac") ||
		strcmp(r->word[6], "mtu") || !words_number(r->word[3], INT32_MAX, &ifindex) ||
		!parse_mac(r->word[5], l->mac) || !words_number(r->word[7], UINT16_MAX, &mtu))
		return lines_error(&r->lines, e,
			"expected: link NAME ifindex N mac MAC mtu N [on DEVICE TAG [TAG]]");
	l->ifindex = (uint32_t)ifindex;
	l->mtu = (uint32_t)mtu;
	l->up = true;
	if (!read_stack(r, 8, l, &r->w->stacks[i]))
		return lines_error(&r->lines, e,
			"expected: on DEVICE and one or two tags like 8100:100, of a device above");
	return 0;
}

/* An interface by its name, or by its number where the engine has none. */
static bool parse_device(const struct world_file *w, const char *word, uint32_t *ifindex)
{
	int i = world_interface(w, word);
	uint64_t number;

	if (i >= 0)
		*ifindex = w->links[i].ifindex;
	else if (words_number(word, INT32_MAX, &number))
		*ifindex = (uint32_t)number;
	return i >= 0 || *ifindex;
}

/* route PREFIX [via ADDRESS] dev NAME|NUMBER, route PREFIX discard, route PREFIX local */
static int read_route(struct reader *r, struct err *e)
{
	struct host_route *route = &r->w->routes[r->w->world.n_routes++];
	bool via = r->n == 6 && !strcmp(r->word[2], "via");
	bool good = r->n > 2 && !addr_parse_prefix(r->word[1], &route->dst, &route->plen);

	if (good && r->n == 3 && !strcmp(r->word[2], "discard"))
		route->kind = HOST_ROUTE_DISCARD;
	else if (good && r->n == 3 && !strcmp(r->word[2], "local"))
		route->kind = HOST_ROUTE_LOCAL;
	else
		good = good && (via || r->n == 4) && !strcmp(r->word[r->n - 2], "dev") &&
		       parse_device(r->w, r->word[r->n - 1], &route->ifindex) &&
		       (!via || !addr_parse(r->word[3], &route->gateway));
	if (!good)
		return lines_error(&r->lines, e,
			"expected: route PREFIX [via ADDRESS] dev NAME, … discard, or … local");
	return 0;
}

/* neighbour NAME ADDRESS MAC [stale|none] */
static int read_neighbour(struct reader *r, struct err *e)
{
	struct host_neighbour *n = &r->w->neighbours[r->w->world.n_neighbours++];
	const char *state = r->n == 5 ? r->word[4] : "";

	n->state = !strcmp(state, "stale")  ? HOST_NEIGHBOUR_STALE
		   : !strcmp(state, "none") ? HOST_NEIGHBOUR_NONE
					    : HOST_NEIGHBOUR_USABLE;
	if (r->n < 4 || r->n > 5 || (r->n == 5 && n->state == HOST_NEIGHBOUR_USABLE) ||
		!parse_device(r->w, r->word[1], &n->ifindex) || addr_parse(r->word[2], &n->addr) ||
		!parse_mac(r->word[3], n->mac))
		return lines_error(
			&r->lines, e, "expected: neighbour NAME ADDRESS MAC [stale|none]");
	return 0;
}

/* address NAME ADDRESS/LENGTH: the host's own */
static int read_address(struct reader *r, struct err *e)
{
	struct host_address *a = &r->w->addresses[r->w->world.n_addresses++];

	if (r->n != 3 || !parse_device(r->w, r->word[1], &a->ifindex) ||
		addr_parse_prefix(r->word[2], &a->addr, &a->plen))
		return lines_error(&r->lines, e, "expected: address NAME ADDRESS/LENGTH");
	return 0;
}

/* down POOL/SERVER */
static int read_down(struct reader *r, struct err *e)
{
	int server = r->n == 2 ? world_server(r->w, r->word[1]) : -1;

	if (server < 0)
		return lines_error(&r->lines, e, "no such server in the configuration");
	r->w->server_down[server] = true;
	return 0;
}

/* path POOL/SERVER mtu N */
static int read_path(struct reader *r, struct err *e)
{
	int server = r->n == 4 ? world_server(r->w, r->word[1]) : -1;
	unsigned long mtu = server < 0 ? 0 : strtoul(r->word[3], NULL, 10);

	if (server < 0 || strcmp(r->word[2], "mtu") != 0 || !mtu || mtu > UINT16_MAX)
		return lines_error(&r->lines, e, "expected: path POOL/SERVER mtu BYTES");
	r->w->server_mtu[server] = (uint16_t)mtu;
	return 0;
}

static int read_let(struct reader *r, struct err *e)
{
	(void)r; /* names for the expressions, which are bytes.py's */
	(void)e;
	return 0;
}

static const struct {
	const char *word;
	int (*read)(struct reader *r, struct err *e);
} kinds[] = {
	{ "device", read_device },
	{ "link", read_link },
	{ "route", read_route },
	{ "neighbour", read_neighbour },
	{ "address", read_address },
	{ "down", read_down },
	{ "path", read_path },
	{ "let", read_let },
};

/* Sized once the configuration is known; a file has no more routes, neighbours or addresses than lines. */
static int allocate(struct reader *r, struct err *e)
{
	struct world_file *w = r->w;
	const struct conf *c = w->conf;

	w->links = calloc(c->n_interfaces + 1u, sizeof *w->links);
	w->stacks = calloc(c->n_interfaces + 1u, sizeof *w->stacks);
	w->devices = calloc(r->lines.total, sizeof *w->devices);
	w->routes = calloc(r->lines.total, sizeof *w->routes);
	w->neighbours = calloc(r->lines.total, sizeof *w->neighbours);
	w->addresses = calloc(r->lines.total, sizeof *w->addresses);
	w->server_down = calloc(c->n_servers + 1u, sizeof *w->server_down);
	w->server_mtu = calloc(c->n_servers + 1u, sizeof *w->server_mtu);
	if (!w->links || !w->stacks || !w->devices || !w->routes || !w->neighbours ||
		!w->addresses || !w->server_down || !w->server_mtu)
		return err_set(e, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < c->n_interfaces; i++)
		snprintf(w->links[i].name, sizeof w->links[i].name, "%s", c->interfaces[i].device);
	w->world = (struct world){ .conf = c,
		.links = w->links,
		.stacks = w->stacks,
		.n_links = c->n_interfaces,
		.routes = w->routes,
		.neighbours = w->neighbours,
		.addresses = w->addresses,
		.server_down = w->server_down,
		.server_mtu = w->server_mtu };
	return 0;
}

static int read_line(struct reader *r, char *line, struct err *e)
{
	r->n = words_split(line, r->word, WORDS_MAX);
	if (!r->n || *r->word[0] == '#')
		return 0;
	if (!r->w->conf)
		return lines_error(&r->lines, e, "the configuration comes first: config {");
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(r->word[0], kinds[i].word))
			return kinds[i].read(r, e);
	return lines_error(&r->lines, e, "unknown word \"%s\"", r->word[0]);
}

static int read_world(struct reader *r, struct err *e)
{
	char *line;
	int rc = 0;

	while (!rc && (line = lines_next(&r->lines))) {
		if (strcmp(line, "config {") || r->w->conf) {
			rc = read_line(r, line, e);
			continue;
		}
		rc = read_config(r, e);
		if (!rc)
			rc = allocate(r, e);
	}
	if (!rc && !r->w->conf)
		rc = lines_error(&r->lines, e, "there is no config { … }");
	for (unsigned i = 0; !rc && i < r->w->world.n_links; i++)
		if (!r->w->links[i].ifindex)
			rc = lines_error(&r->lines, e, "there is no link %s",
				r->w->conf->interfaces[i].name);
	return rc;
}

int world_open(struct world_file **out, const char *path, struct err *e)
{
	struct reader r = { .w = calloc(1, sizeof *r.w) };
	int rc = r.w ? lines_open(&r.lines, path, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc)
		rc = read_world(&r, e);
	lines_close(&r.lines);
	if (rc)
		world_close(r.w);
	else
		*out = r.w;
	return rc;
}

void world_close(struct world_file *w)
{
	if (!w)
		return;
	if (w->conf)
		conf_free(w->conf);
	free(w->links);
	free(w->stacks);
	free(w->devices);
	free(w->routes);
	free(w->neighbours);
	free(w->addresses);
	free(w->server_down);
	free(w->server_mtu);
	free(w);
}

int world_interface(const struct world_file *w, const char *name)
{
	for (unsigned i = 0; i < w->conf->n_interfaces; i++)
		if (!strcmp(w->conf->interfaces[i].name, name))
			return (int)i;
	return -1;
}

uint32_t world_device(const struct world_file *w, const char *name)
{
	int i = world_interface(w, name);

	if (i >= 0)
		return w->stacks[i].n_tags ? 0 : w->links[i].ifindex;
	for (unsigned k = 0; k < w->n_devices; k++)
		if (!strcmp(w->devices[k].name, name))
			return w->devices[k].ifindex;
	return 0;
}

const char *world_interface_name(const struct world_file *w, uint32_t ifindex)
{
	for (unsigned i = 0; i < w->n_devices; i++)
		if (w->devices[i].ifindex == ifindex)
			return w->devices[i].name;
	for (unsigned i = 0; i < w->conf->n_interfaces; i++)
		if (w->links[i].ifindex == ifindex)
			return w->conf->interfaces[i].name;
	return "-";
}

int world_server(const struct world_file *w, const char *name)
{
	const char *slash = strchr(name, '/');
	char pool[64];
	int i;

	if (!slash || (size_t)(slash - name) >= sizeof pool)
		return -1;
	snprintf(pool, sizeof pool, "%.*s", (int)(slash - name), name);
	i = conf_find_pool(w->conf, pool);
	return i < 0 ? -1 : conf_find_server(w->conf, (unsigned)i, slash + 1);
}

int world_address(const struct world_file *w, const char *name)
{
	int i = conf_find_vip(w->conf, name);

	for (unsigned k = 0; i < 0 && k < w->conf->n_gateways; k++)
		if (!strcmp(w->conf->gateways[k].name, name))
			i = (int)(w->conf->n_vips + k);
	return i;
}
