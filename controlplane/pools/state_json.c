/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of the state's parts: strict both ways, since what is misread here would send packets elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/state.h"

/* Of the numbers; before these, one text had all parts. SERVERS_VERSION is that of the other two. */
enum { NUMBERS_VERSION = 2, ALL_VERSION = 1, SERVERS_VERSION = 1 };

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

static json_t *encode_entry(const struct ids_entry *e)
{
	return e->gone ? json_pack(
				 "{s:I, s:I}", "id", (json_int_t)e->id, "gone", (json_int_t)e->gone)
		       : json_pack("{s:I}", "id", (json_int_t)e->id);
}

static json_t *encode_ids(const struct ids *t)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < t->n; i++) {
		if (json_object_set_new(all, t->list[i].name, encode_entry(&t->list[i]))) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static json_t *encode_numbers(const struct state *st)
{
	char hex[33];

	key_to_hex(st->key, hex);
	return json_pack("{s:i, s:s, s:I, s:o, s:o, s:o, s:o}", "version", NUMBERS_VERSION, "key",
		hex, "round", (json_int_t)st->round, "addresses", encode_ids(&st->addresses),
		"services", encode_ids(&st->services), "pools", encode_ids(&st->pools), "servers",
		encode_ids(&st->servers));
}

/* Whether a part has nothing to say of a server: it is as a new one would be. */
static bool server_untold(const struct state_server *s, enum state_part part)
{
	return part == STATE_WANTED ? overlay_untouched(&s->overlay)
				    : s->seen.state == HEALTH_STARTING;
}

static json_t *encode_servers(const struct state *st, enum state_part part)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < st->servers.n; i++) {
		const struct ids_entry *e = &st->servers.list[i];
		const struct state_server *s = state_server(st, e->id);

		if (server_untold(s, part))
			continue;
		if (json_object_set_new(all, e->name,
			    part == STATE_WANTED ? encode_overlay(&s->overlay)
						 : encode_seen(&s->seen))) {
			json_decref(all);
			return NULL;
		}
	}
	return json_pack("{s:i, s:o}", "version", SERVERS_VERSION, "servers", all);
}

char *state_encode(const struct state *st, enum state_part part)
{
	json_t *root = part == STATE_NUMBERS ? encode_numbers(st) : encode_servers(st, part);
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;

	json_decref(root);
	return text;
}

/* Where in the text the reader is, for sentences. */
struct reader {
	enum state_part part;
	const char *name;    /* of the file */
	const char *section; /* "", or a member of the root */
	const char *entry;   /* "", or a member of the section */
	struct err *e;
	bool with_all;		      /* the text is one of all parts */
	bool taken[STATE_ID_MAX + 1]; /* numbers met in the section */
};

/* What goes with the file of a part. */
static const char *lost(enum state_part part)
{
	if (part == STATE_SEEN)
		return "the last verdicts of health checks";
	return part == STATE_WANTED
		       ? "changes made at run time to servers"
		       : "changes made at run time to servers, the numbers of counters, and the key "
			 "of the flow hash, so that open connections may change their server";
}

static int damaged(const struct reader *r, const char *what)
{
	return err_set(r->e, -EINVAL,
		"%s is damaged: %s%s%s%s%s; put back a good copy, or move the file away to start "
		"fresh (lost are: %s)",
		r->name, r->section, *r->entry ? "." : "", r->entry, *r->section ? ": " : "", what,
		lost(r->part));
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

static int decode_entry(struct reader *r, json_t *from, struct ids *t)
{
	bool with_all = r->with_all && !strcmp(r->section, "servers");
	json_t *overlay, *seen; /* read by decode_record() */
	json_int_t id, gone = 0;
	json_error_t je;
	int err;

	if (json_unpack_ex(from, &je, 0, with_all ? "{s:I, s?I, s?o, s?o!}" : "{s:I, s?I!}", "id",
		    &id, "gone", &gone, "overlay", &overlay, "seen", &seen))
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

static int decode_ids(struct reader *r, const char *section, json_t *from, struct ids *t)
{
	json_t *member;
	int err;

	r->section = section;
	if (!json_is_object(from))
		return damaged(r, "is not an object");
	memset(r->taken, 0, sizeof r->taken);
	json_object_foreach(from, r->entry, member)
	{
		err = decode_entry(r, member, t);
		if (err)
			return err;
	}
	r->entry = "";
	return 0;
}

/* What the text says of one server; NULL: nothing. It is checked even if nobody has the name any more. */
static int decode_record(struct reader *r, const struct state *st, json_t *overlay, json_t *seen)
{
	const struct ids_entry *e = ids_find(&st->servers, r->entry);
	struct state_server nobody = { 0 }, *s = e ? state_server(st, e->id) : &nobody;

	if (overlay && decode_overlay(r, overlay, &s->overlay))
		return -EINVAL;
	return seen ? decode_seen(r, seen, &s->seen) : 0;
}

/* What an entry says that belongs to a part: all of it in that part's text, a member where one text has all. */
static json_t *said_of(
	const struct reader *r, json_t *entry, enum state_part part, const char *name)
{
	if (r->part == STATE_NUMBERS)
		return json_object_get(entry, name);
	return r->part == part ? entry : NULL;
}

static int decode_records(struct reader *r, json_t *servers, const struct state *st)
{
	json_t *entry;
	int err;

	json_object_foreach(servers, r->entry, entry)
	{
		err = decode_record(r, st, said_of(r, entry, STATE_WANTED, "overlay"),
			said_of(r, entry, STATE_SEEN, "seen"));
		if (err)
			return err;
	}
	r->entry = "";
	return 0;
}

/* Makes room for the records of the servers that have numbers. */
static int reserve_records(const struct reader *r, struct state *st)
{
	for (uint32_t i = 0; i < st->servers.n; i++)
		if (!state_server_new(st, st->servers.list[i].id))
			return err_set(r->e, -ENOMEM, "out of memory");
	return 0;
}

/* Fails unless the text is of a version from `oldest` to `newest`. */
static int decode_version(struct reader *r, json_t *root, int oldest, int newest, int *version)
{
	json_error_t je;

	r->section = "top level";
	if (json_unpack_ex(root, &je, 0, "{s:i}", "version", version))
		return damaged(r, je.text);
	if (*version >= oldest && *version <= newest)
		return 0;
	return err_set(r->e, -EINVAL,
		"%s has version %d, which this tandemd does not read: use the tandemd that wrote "
		"it, or move the file away to start fresh (lost are: %s)",
		r->name, *version, lost(r->part));
}

static int decode_numbers(struct reader *r, json_t *root, struct state *st)
{
	json_t *addresses, *services, *servers, *pools = NULL;
	json_int_t round, generation;
	json_error_t je;
	const char *key;
	int version, err;

	err = decode_version(r, root, ALL_VERSION, NUMBERS_VERSION, &version);
	if (err)
		return err;
	r->with_all = version == ALL_VERSION;
	if (json_unpack_ex(root, &je, 0,
		    r->with_all ? "{s:i, s:s, s:I, s:o, s:o, s:o, s?o, s:I!}"
				: "{s:i, s:s, s:I, s:o, s:o, s:o, s:o!}",
		    "version", &version, "key", &key, "round", &round, "addresses", &addresses,
		    "services", &services, "servers", &servers, "pools", &pools, "generation",
		    &generation))
		return damaged(r, je.text);
	if (hex_to_key(key, st->key))
		return damaged(r, "\"key\" is not 32 hexadecimal digits");
	if (round < 0)
		return damaged(r, "\"round\" is negative");
	st->round = (uint64_t)round;
	err = decode_ids(r, "addresses", addresses, &st->addresses);
	if (!err)
		err = decode_ids(r, "services", services, &st->services);
	if (!err && pools) /* they had no numbers once */
		err = decode_ids(r, "pools", pools, &st->pools);
	if (!err)
		err = decode_ids(r, "servers", servers, &st->servers);
	if (!err)
		err = reserve_records(r, st);
	return err || !r->with_all ? err : decode_records(r, servers, st);
}

static int decode_servers(struct reader *r, json_t *root, const struct state *st)
{
	json_error_t je;
	json_t *servers;
	int version, err;

	err = decode_version(r, root, SERVERS_VERSION, SERVERS_VERSION, &version);
	if (err)
		return err;
	if (json_unpack_ex(root, &je, 0, "{s:i, s:o!}", "version", &version, "servers", &servers))
		return damaged(r, je.text);
	r->section = "servers";
	return json_is_object(servers) ? decode_records(r, servers, st)
				       : damaged(r, "is not an object");
}

int state_decode(struct state *st, enum state_part part, const char *text, size_t len,
	const char *name, struct err *e)
{
	struct reader r = { .part = part, .name = name, .section = "", .entry = "", .e = e };
	char what[JSON_ERROR_TEXT_LENGTH + 64];
	json_error_t je;
	json_t *root;
	int err;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!root) {
		snprintf(what, sizeof what, "line %d, column %d: %s", je.line, je.column, je.text);
		return damaged(&r, what);
	}
	err = part == STATE_NUMBERS ? decode_numbers(&r, root, st) : decode_servers(&r, root, st);
	json_decref(root);
	if (err)
		return err;
	return r.with_all ? STATE_ALL : (int)part;
}
