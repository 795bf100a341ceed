/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration's words, each declared once. Reader, messages and manual come from this table. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controlplane/conf/conf.h"

/* The kinds of objects that an operator names. */
enum conf_kind {
	CONF_INTERFACE,
	CONF_VIP,
	CONF_GATEWAY,
	CONF_HEALTH,
	CONF_POOL,
	CONF_SERVER,
	CONF_SERVICE,
	CONF_KINDS
};

struct conf_kind_info {
	const char *word; /* "service" */
	const char *one;  /* "a service" */
	const char *path; /* "services.*": what its keys' paths begin with */
	size_t list, n;	  /* offsets into struct conf: the array, how many */
	size_t size;	  /* of an element */
	size_t line;	  /* offset into an element; the name is at 0 */
};

extern const struct conf_kind_info conf_kinds[CONF_KINDS];

enum conf_type {
	CONF_GROUP,    /* a group of keys */
	CONF_NAMED,    /* a group of objects: each a group of keys, called by its name */
	CONF_INT,      /* min..max -> an unsigned integer of the field's size */
	CONF_STRING,   /* -> const char * */
	CONF_DURATION, /* string with a unit, min..max ms -> uint32_t ms */
	CONF_PERCENT,  /* string with %, min..max -> an unsigned integer of the field's size */
	CONF_ADDRESS,  /* string -> struct addr */
	CONF_SOURCE, /* string, address or prefix of min..max bits, 32 at most: IPv4 -> struct conf_source */
	CONF_ENUM, /* string, one of words -> an unsigned integer of the field's size */
	CONF_REF, /* string, the name of an object of `kind` -> its index, 32 bits; or one of words */
	CONF_PREFIXES, /* array of strings, addresses or prefixes of both families -> struct conf_prefixes */
	CONF_HEX,    /* string, 1 to max bytes in hexadecimal digits -> struct conf_quic_id */
	CONF_PORTS,  /* string, ports and ranges -> struct conf_ports */
	CONF_CPUS,   /* string, CPU numbers and ranges -> cpus and n_cpus of a struct conf_dpdk */
	CONF_MAC,    /* string, a unicast MAC address -> uint8_t[6] */
	CONF_STATUS, /* string, range of HTTP status codes, min..max -> uint16_t[2] */
};

#define CONF_NO_REF UINT32_MAX /* a reference that was not given or leads nowhere */

struct conf_word {
	const char *name;
	unsigned value;
};

struct conf_key {
	const char *path; /* of group keys; "*" stands for the name of an object */
	enum conf_type type;
	enum conf_kind kind; /* CONF_NAMED: of its objects; CONF_REF: of the target */
	size_t offset, size; /* the field in the object, or in struct conf */
	const char *unit;    /* what a number counts, or NULL */
	int64_t min, max;    /* of numbers, durations in ms, percentages, status codes, prefixes */
	const struct conf_word *words; /* CONF_ENUM, and CONF_REF or NULL; ended by a NULL name */
	const char *(*rule)(const char *text); /* CONF_STRING: see rules.h */
	const char *fallback;  /* the default, as it would be written, without quotes */
	const char *otherwise; /* what holds without the key, when no value says it */
	bool own_name;	       /* the default is the object's own name */
	const char *only_with; /* the key makes sense only when the object's "type" is this */
	const char *not_with;  /* and this one only when its "forward" is another */
	bool required;	       /* where it makes sense */
	bool reloadable; /* a reload applies a change; otherwise the next start of tandemd does */
	const char *example;
	const char *help;
};

extern const struct conf_key conf_schema[];
extern const size_t conf_schema_size;

/* The i-th object of a kind in c's arrays. */
void *conf_object(const struct conf *c, enum conf_kind kind, unsigned i);
unsigned conf_count(const struct conf *c, enum conf_kind kind);
void conf_set_count(struct conf *c, enum conf_kind kind, unsigned n);

/* The key `word` of the group with the schema path `group` ("" for the whole file, "pools.*.servers.*"),
 * or NULL. */
const struct conf_key *conf_schema_find(const char *group, const char *word);

/* Calls fn for every key of that group, in the table's order. */
void conf_schema_each(
	const char *group, void (*fn)(void *arg, const struct conf_key *key), void *arg);

/* The last word of a key's path: "port" of "services.*.port". */
const char *conf_key_word(const struct conf_key *key);
