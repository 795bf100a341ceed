/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of the state: strict both ways, since what is misread here would send packets elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/state.h"

enum { STATE_VERSION = 1 };

static void key_to_hex(const uint8_t key[16], char hex[33])
{
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", key[i]);
}

static int hex_to_key(const char *hex, uint8_t key[16])
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(hex) != 32 || strspn(hex, digits) != 32)
		return -EINVAL;
	for (int i = 0; i < 16; i++) {
		long high = strchr(digits, hex[2 * i]) - digits;
		long low = strchr(digits, hex[2 * i + 1]) - digits;

		key[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static bool overlay_untouched(const struct site_overlay *o)
{
	return o->wanted == SERVER_READY && o->weight < 0 && !o->when_s;
}

/* Functions that make JSON return a new reference, or NULL when out of memory. */
static json_t *encode_overlay(const struct site_overlay *o)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:I}", "wanted", server_wanted_name(o->wanted),
		"weight", o->weight < 0 ? json_null() : json_integer(o->weight), "who", o->who,
		"why", o->why, "when", (json_int_t)o->when_s);
}

static json_t *encode_seen(const struct state_seen *s)
{
	char text[ADDR_TEXT];

	return json_pack("{s:s, s:s, s:i}", "state", health_state_name(s->state), "address",
		addr_text(&s->addr, text), "port", s->port);
}

static json_t *encode_entry(const struct ids_entry *e, const struct state_server *server)
{
	json_t *o = json_pack("{s:I}", "id", (json_int_t)e->id);
	int err = !o;

	if (e->gone)
		err |= json_object_set_new(o, "gone", json_integer((json_int_t)e->gone));
	if (server && !overlay_untouched(&server->overlay))
		err |= json_object_set_new(o, "overlay", encode_overlay(&server->overlay));
	if (server && server->seen.addr.af)
		err |= json_object_set_new(o, "seen", encode_seen(&server->seen));
	if (!err)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *encode_ids(const struct ids *t, const struct state_server *servers)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < t->n; i++) {
		const struct ids_entry *e = &t->list[i];

		if (json_object_set_new(
			    all, e->name, encode_entry(e, servers ? &servers[e->id] : NULL))) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

char *state_encode(const struct state *st)
{
	char hex[33], *text;
	json_t *root;

	key_to_hex(st->key, hex);
	root = json_pack("{s:i, s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "version", STATE_VERSION,
		"key", hex, "generation", (json_int_t)st->generation, "round",
		(json_int_t)st->round, "addresses", encode_ids(&st->addresses, NULL), "services",
		encode_ids(&st->services, NULL), "pools", encode_ids(&st->pools, NULL), "servers",
		encode_ids(&st->servers, st->server));
	text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text;
}

/* Where in the text the reader is, for sentences. */
struct reader {
	const char *name;    /* of the file */
	const char *section; /* "", or a member of the root */
	const char *entry;   /* "", or a member of the section */
	struct err *e;
	bool taken[STATE_ID_MAX + 1]; /* numbers met in the section */
};

static int damaged(const struct reader *r, const char *what)
{
	return err_set(r->e, -EINVAL,
		"%s is damaged: %s%s%s%s%s; put back a good copy, or move the file away to start "
		"fresh (lost are: changes made at run time to servers, the numbers of counters, "
		"and the key "
		"of the flow hash, so that open connections may change their server)",
		r->name, r->section, *r->entry ? "." : "", r->entry, *r->section ? ": " : "", what);
}

static int decode_overlay(struct reader *r, json_t *from, struct site_overlay *o)
{
	const char *wanted, *who, *why;
	json_int_t when;
	json_error_t je;
	json_t *weight;
	int w;

	if (json_unpack_ex(from, &je, 0, "{s:s, s:o, s:s, s:s, s:I!}", "wanted", &wanted, "weight",
		    &weight, "who", &who, "why", &why, "when", &when))
		return damaged(r, je.text);
	w = server_wanted_parse(wanted);
	if (w < 0)
		return damaged(r, "\"wanted\" is none of ready, drain, maint");
	if (!json_is_null(weight) && (!json_is_integer(weight) || json_integer_value(weight) < 0 ||
					     json_integer_value(weight) > SITE_WEIGHT_MAX))
		return damaged(r, "\"weight\" is neither null nor a number from 0 to 1000");
	if (strlen(who) >= sizeof o->who || strlen(why) >= sizeof o->why)
		return damaged(r, "\"who\" or \"why\" is too long");
	if (when < 0)
		return damaged(r, "\"when\" is negative");
	o->wanted = (enum server_wanted)w;
	o->weight = json_is_null(weight) ? -1 : (int)json_integer_value(weight);
	snprintf(o->who, sizeof o->who, "%s", who);
	snprintf(o->why, sizeof o->why, "%s", why);
	o->when_s = when;
	return 0;
}

static int decode_seen(struct reader *r, json_t *from, struct state_seen *s)
{
	const char *state, *address;
	json_error_t je;
	int port, i;

	if (json_unpack_ex(from, &je, 0, "{s:s, s:s, s:i!}", "state", &state, "address", &address,
		    "port", &port))
		return damaged(r, je.text);
	for (i = HEALTH_STARTING; i <= HEALTH_DOWN; i++)
		if (!strcmp(state, health_state_name((enum health_state)i)))
			break;
	if (i > HEALTH_DOWN)
		return damaged(r, "\"state\" is none of starting, up, down");
	if (addr_parse(address, &s->addr))
		return damaged(r, "\"address\" is not an IP address");
	if (port < 0 || port > 65535)
		return damaged(r, "\"port\" is not between 0 and 65535");
	s->state = (enum health_state)i;
	s->port = (uint16_t)port;
	return 0;
}

/* One entry; `overlay` and `seen` are NULL where the text has none. */
static int decode_entry(
	struct reader *r, json_t *from, struct ids *t, json_t **overlay, json_t **seen)
{
	json_int_t id, gone = 0;
	json_error_t je;
	int err;

	*overlay = *seen = NULL;
	if (json_unpack_ex(from, &je, 0, "{s:I, s?I, s?o, s?o!}", "id", &id, "gone", &gone,
		    "overlay", overlay, "seen", seen))
		return damaged(r, je.text);
	if (id < 1 || id > STATE_ID_MAX)
		return damaged(r, "\"id\" is out of range");
	if (gone < 0)
		return damaged(r, "\"gone\" is negative");
	if (r->taken[id])
		return damaged(r, "\"id\" belongs to another name too");
	r->taken[id] = true;
	err = ids_add(t, r->entry, (uint32_t)id, (uint64_t)gone);
	return err ? err_set(r->e, err, "out of memory") : 0;
}

static int decode_ids(struct reader *r, json_t *from, struct ids *t)
{
	json_t *member, *overlay, *seen;
	int err;

	if (!json_is_object(from))
		return damaged(r, "is not an object");
	memset(r->taken, 0, sizeof r->taken);
	json_object_foreach(from, r->entry, member)
	{
		err = decode_entry(r, member, t, &overlay, &seen);
		if (err)
			return err;
		if (overlay || seen)
			return damaged(r, "only servers have \"overlay\" and \"seen\"");
	}
	r->entry = "";
	return 0;
}

static int decode_servers(struct reader *r, json_t *from, struct state *st)
{
	json_t *member, *overlay, *seen;
	struct state_server *server;
	int err;

	if (!json_is_object(from))
		return damaged(r, "is not an object");
	memset(r->taken, 0, sizeof r->taken);
	json_object_foreach(from, r->entry, member)
	{
		err = decode_entry(r, member, &st->servers, &overlay, &seen);
		if (err)
			return err;
		server = state_server_new(st, ids_find(&st->servers, r->entry)->id);
		if (!server)
			return err_set(r->e, -ENOMEM, "out of memory");
		if (overlay && decode_overlay(r, overlay, &server->overlay))
			return -EINVAL;
		if (seen && decode_seen(r, seen, &server->seen))
			return -EINVAL;
	}
	r->entry = "";
	return 0;
}

static int decode_root(struct reader *r, json_t *root, struct state *st)
{
	json_t *addresses, *services, *pools = NULL, *servers;
	json_int_t generation, round;
	int version, err;
	json_error_t je;
	const char *key;

	r->section = "top level";
	if (json_unpack_ex(root, &je, 0, "{s:i}", "version", &version))
		return damaged(r, je.text);
	if (version != STATE_VERSION)
		return err_set(r->e, -EINVAL,
			"%s has version %d and this tandemd reads version %d only: use the tandemd "
			"that wrote "
			"it, or move the file away to start fresh",
			r->name, version, STATE_VERSION);
	if (json_unpack_ex(root, &je, 0, "{s:i, s:s, s:I, s:I, s:o, s:o, s?o, s:o!}", "version",
		    &version, "key", &key, "generation", &generation, "round", &round, "addresses",
		    &addresses, "services", &services, "pools", &pools, "servers", &servers))
		return damaged(r, je.text);
	if (hex_to_key(key, st->key))
		return damaged(r, "\"key\" is not 32 hexadecimal digits");
	if (generation < 0 || round < 0)
		return damaged(r, "\"generation\" or \"round\" is negative");
	st->generation = (uint64_t)generation;
	st->round = (uint64_t)round;
	r->section = "addresses";
	err = decode_ids(r, addresses, &st->addresses);
	r->section = "services";
	if (!err)
		err = decode_ids(r, services, &st->services);
	r->section = "pools";
	if (!err && pools) /* pools had no numbers once */
		err = decode_ids(r, pools, &st->pools);
	r->section = "servers";
	return err ? err : decode_servers(r, servers, st);
}

int state_decode(const char *text, size_t len, const char *name, struct state **out, struct err *e)
{
	struct reader r = { .name = name, .section = "", .entry = "", .e = e };
	char what[JSON_ERROR_TEXT_LENGTH + 64];
	struct state *st;
	json_error_t je;
	json_t *root;
	int err;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!root) {
		snprintf(what, sizeof what, "line %d, column %d: %s", je.line, je.column, je.text);
		return damaged(&r, what);
	}
	st = calloc(1, sizeof *st);
	if (st && !state_server_new(st, 0)) {
		state_free(st);
		st = NULL;
	}
	err = st ? decode_root(&r, root, st) : err_set(e, -ENOMEM, "out of memory");
	json_decref(root);
	if (err) {
		state_free(st);
		return err;
	}
	*out = st;
	return 0;
}
