/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/value.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/mac.h"
#include "controlplane/conf/cpus.h"
#include "controlplane/conf/ports.h"
#include "controlplane/conf/units.h"

static void *field(const struct conf_key *key, void *object)
{
	return (char *)object + key->offset;
}

static void store(const struct conf_key *key, void *object, uint64_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	memcpy(field(key, object),
		key->size == 1	 ? (void *)&u8
		: key->size == 2 ? (void *)&u16
				 : (void *)&u32,
		key->size);
}

static int store_within(const struct conf_key *key, void *object, int64_t value)
{
	if (value < key->min || value > key->max)
		return -ERANGE;
	store(key, object, (uint64_t)value);
	return 0;
}

/* Decimal or hexadecimal, as libconfig writes integers: [-+]digits or 0x, with up to two L behind. */
static int parse_int(const struct conf_key *key, const char *text, void *object)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, hex ? 16 : 10);
	if (end == text || end[strspn(end, "L")] != '\0')
		return -EINVAL;
	return errno ? -ERANGE : store_within(key, object, n);
}

static int parse_string(
	const struct conf_key *key, const char *text, void *object, struct conf_memory *m)
{
	char *copy;

	if (key->rule && key->rule(text))
		return -EINVAL;
	copy = conf_memory_copy(m, text);
	if (!copy)
		return -ENOMEM;
	memcpy(field(key, object), &copy, sizeof copy);
	return 0;
}

static int parse_address(const struct conf_key *key, const char *text, void *object)
{
	struct addr a;

	if (addr_parse(text, &a))
		return -EINVAL;
	if (!addr_is_unicast(&a))
		return -ERANGE;
	memcpy(field(key, object), &a, sizeof a);
	return 0;
}

/* Which family the key wants: its longest prefix tells. */
static uint8_t source_family(const struct conf_key *key)
{
	return key->max == 32 ? 4 : 6;
}

static int parse_source(const struct conf_key *key, const char *text, void *object)
{
	struct conf_source source = { .bits = 0 };
	uint8_t plen = (uint8_t)key->max;
	int rc = strchr(text, '/') ? addr_parse_prefix(text, &source.address, &plen)
				   : addr_parse(text, &source.address);
	struct addr net;

	if (rc || source.address.af != source_family(key))
		return -EINVAL;
	net = addr_network(&source.address, plen);
	if (plen < key->min || !addr_is_unicast(&source.address) ||
		!addr_equal(&net, &source.address))
		return -ERANGE;
	source.bits =
		(uint8_t)(key->max - plen < CONF_SOURCE_BITS ? key->max - plen : CONF_SOURCE_BITS);
	memcpy(field(key, object), &source, sizeof source);
	return 0;
}

static int parse_enum(const struct conf_key *key, const char *text, void *object)
{
	for (const struct conf_word *w = key->words; w->name; w++) {
		if (strcmp(w->name, text))
			continue;
		store(key, object, w->value);
		return 0;
	}
	return -EINVAL;
}

static int parse_status(const struct conf_key *key, const char *text, void *object)
{
	uint16_t pair[2];
	int rc = conf_status_parse(text, pair);

	if (rc)
		return rc;
	if (pair[0] < key->min || pair[1] > key->max)
		return -ERANGE;
	memcpy(field(key, object), pair, sizeof pair);
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_hex(const struct conf_key *key, const char *text, void *object)
{
	struct conf_quic_id id = { .n = 0 };

	for (; *text; text += 2) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return -EINVAL;
		if (id.n == key->max)
			return -ERANGE;
		id.bytes[id.n++] = (uint8_t)(high << 4 | low);
	}
	if (!id.n)
		return -ERANGE;
	memcpy(field(key, object), &id, sizeof id);
	return 0;
}

static int parse_mac(const struct conf_key *key, const char *text, void *object)
{
	uint8_t mac[6];

	if (mac_parse(text, mac))
		return -EINVAL;
	if (!mac_is_unicast(mac))
		return -ERANGE;
	memcpy(field(key, object), mac, sizeof mac);
	return 0;
}

int conf_value_parse(
	const struct conf_key *key, const char *text, void *object, struct conf_memory *m)
{
	uint32_t n;
	int rc;

	switch (key->type) {
	case CONF_INT:
		return parse_int(key, text, object);
	case CONF_STRING:
		return parse_string(key, text, object, m);
	case CONF_DURATION:
		rc = conf_duration_parse(text, &n);
		return rc ? rc : store_within(key, object, n);
	case CONF_PERCENT:
		rc = conf_percent_parse(text, &n);
		return rc ? rc : store_within(key, object, n);
	case CONF_ADDRESS:
		return parse_address(key, text, object);
	case CONF_SOURCE:
		return parse_source(key, text, object);
	case CONF_ENUM:
	case CONF_REF:
		return key->words ? parse_enum(key, text, object) : -EINVAL;
	case CONF_STATUS:
		return parse_status(key, text, object);
	case CONF_HEX:
		return parse_hex(key, text, object);
	case CONF_PORTS:
		return conf_ports_parse(text, m, field(key, object));
	case CONF_CPUS:
		return conf_cpus_parse(text, field(key, object));
	case CONF_MAC:
		return parse_mac(key, text, object);
	case CONF_PREFIXES: /* of which each is a value, see conf_prefix_parse() */
	case CONF_GROUP:
	case CONF_NAMED:
		break;
	}
	return -EINVAL;
}

void conf_value_refer(const struct conf_key *key, uint32_t index, void *object)
{
	store(key, object, index);
}

int conf_value_default(const struct conf_key *key, void *object, struct conf_memory *m)
{
	if (key->own_name) {
		memcpy(field(key, object), object, sizeof(const char *));
		return 0;
	}
	if (key->type == CONF_REF)
		conf_value_refer(key, CONF_NO_REF, object);
	return key->fallback ? conf_value_parse(key, key->fallback, object, m) : 0;
}

void conf_value_range(const struct conf_key *key, char *buf, size_t size)
{
	char from[CONF_DURATION_TEXT], to[CONF_DURATION_TEXT];

	if (key->type == CONF_DURATION)
		snprintf(buf, size, "%s to %s", conf_duration_text((uint32_t)key->min, from),
			conf_duration_text((uint32_t)key->max, to));
	else if (key->type == CONF_PERCENT)
		snprintf(buf, size, "%" PRId64 "%% to %" PRId64 "%%", key->min, key->max);
	else
		snprintf(buf, size, "%" PRId64 " to %" PRId64, key->min, key->max);
}

static size_t wanted_words(const struct conf_key *key, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	if (!key->words)
		return 0;

	for (const struct conf_word *w = key->words; w->name && used < size; w++) {
		const char *joint = w == key->words ? "" : w[1].name ? ", " : " or ";
		int n = snprintf(buf + used, size - used, "%s\"%s\"", joint, w->name);
		used += n > 0 ? (size_t)n : 0;
	}
	return used < size ? used : size - 1;
}

/* A name, or a word in its place. */
static void wanted_name(const struct conf_key *key, char *buf, size_t size)
{
	size_t used = wanted_words(key, buf, size);

	snprintf(buf + used, size - used, "%sthe name of %s, in quotes", used ? ", or " : "",
		conf_kinds[key->kind].one);
}

void conf_value_wanted(const struct conf_key *key, char *buf, size_t size)
{
	char range[64];

	conf_value_range(key, range, sizeof range);
	switch (key->type) {
	case CONF_INT:
		snprintf(buf, size, "an integer from %s", range);
		return;
	case CONF_STRING:
		snprintf(buf, size, "a string");
		return;
	case CONF_DURATION:
		snprintf(buf, size, "a duration from %s, such as \"%s\"", range, key->example);
		return;
	case CONF_PERCENT:
		snprintf(buf, size, "a percentage from %s, such as \"%s\"", range, key->example);
		return;
	case CONF_ADDRESS:
		snprintf(buf, size, "a unicast IPv4 or IPv6 address, such as \"%s\"", key->example);
		return;
	case CONF_SOURCE:
		snprintf(buf, size,
			"an IPv%u address, or a prefix of %s bits with zeros behind it, such as \"%s\"",
			source_family(key), range, key->example);
		return;
	case CONF_ENUM:
		wanted_words(key, buf, size);
		return;
	case CONF_REF:
		wanted_name(key, buf, size);
		return;
	case CONF_STATUS:
		snprintf(buf, size,
			"an HTTP status code or a range of them, from %s, such as \"%s\"", range,
			key->example);
		return;
	case CONF_HEX:
		snprintf(buf, size,
			"1 to %" PRId64 " bytes in small hexadecimal digits, such as \"%s\"",
			key->max, key->example);
		return;
	case CONF_PORTS:
		snprintf(buf, size,
			"\"any\", or at most %d ports and ranges from 1 to 65535 with commas between "
			"them, no port twice, such as \"%s\"",
			CONF_PORTS_MAX, key->example);
		return;
	case CONF_CPUS:
		snprintf(buf, size,
			"at most %d CPU numbers and ranges from 0 to %d with commas between them, no CPU "
			"twice, such as \"%s\"",
			CONF_CPUS_MAX, CONF_CPU_MAX, key->example);
		return;
	case CONF_MAC:
		snprintf(buf, size,
			"a MAC address of one station, neither zero nor a group's, such as \"%s\"",
			key->example);
		return;
	case CONF_PREFIXES:
		snprintf(buf, size,
			"addresses and prefixes in quotes and brackets, such as [ \"%s\" ]",
			key->example);
		return;
	case CONF_GROUP:
	case CONF_NAMED:
		snprintf(buf, size, "a group, { ... }");
		return;
	}
}
