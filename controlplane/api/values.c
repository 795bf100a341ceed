/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/values.h"
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "controlplane/base/mac.h"
#include "controlplane/pools/clock.h"

json_t *value_time_ms(int64_t realtime_ms)
{
	time_t seconds = (time_t)(realtime_ms / 1000);
	char day[32], text[48];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof text, "%s.%03dZ", day, (int)(realtime_ms % 1000));
	return json_string(text);
}

json_t *value_monotonic_ms(uint64_t monotonic_ms)
{
	if (!monotonic_ms)
		return json_null();
	return value_time_ms(clock_real_ms() - (int64_t)(clock_ms() - monotonic_ms));
}

json_t *value_with(json_t *object, json_t *more)
{
	if (!json_object_update_new(object, more))
		return object;
	json_decref(object);
	return NULL;
}

json_t *value_addr(const struct addr *a)
{
	char text[ADDR_TEXT];

	return json_string(addr_text(a, text));
}

json_t *value_target(const struct addr *a, uint16_t port)
{
	char text[ADDR_TEXT];

	if (!port)
		return json_null();
	addr_text(a, text);
	return json_sprintf(a->af == 6 ? "[%s]:%u" : "%s:%u", text, port);
}

json_t *value_text(const char *text)
{
	json_t *value;
	char *copy;

	if (!text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if (*p & 0x80)
			*p = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

json_t *value_hex(const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * n + 1);
	json_t *value;

	if (!text)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	value = json_stringn_nocheck(text, 2 * n);
	free(text);
	return value;
}

json_t *value_mac(const uint8_t mac[6])
{
	char text[MAC_TEXT];

	return json_string(mac_text(mac, text));
}

json_t *value_text_or_null(const char *text)
{
	return *text ? value_text(text) : json_null();
}

json_t *value_protocol(uint8_t protocol)
{
	return json_string(conf_protocol_name(protocol));
}

json_t *value_forward(enum conf_forward forward)
{
	static const char *const names[] = {
		[CONF_FORWARD_DSR] = "dsr",
		[CONF_FORWARD_NAT] = "nat",
		[CONF_FORWARD_TUNNEL] = "tunnel",
		[CONF_FORWARD_LOCAL] = "local",
	};

	return json_string(names[forward]);
}

json_t *value_encapsulation(enum conf_encapsulation encapsulation)
{
	return json_string(encapsulation == CONF_ENCAPSULATION_GUE ? "gue" : "ipip");
}

static json_t *value_position(int n)
{
	return n ? json_integer(n) : json_null();
}

json_t *value_diagnostics(const struct diags *d)
{
	static const char *const levels[] = {
		[DIAG_ERROR] = "error",
		[DIAG_WARNING] = "warning",
		[DIAG_NOTE] = "note",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->list[i];

		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "file", value_text(d->file),
				"line", value_position(g->line), "column",
				value_position(g->column), "level", levels[g->level], "message",
				value_text(g->message), "source", value_text(g->source)));
	}
	return list;
}

static const struct {
	const char *name;
	enum l4_action action;
	const char *help;
} verdicts[] = {
#define X(symbol, name, action, help) { name, action, help },
	L4_VERDICTS(X)
#undef X
};

const char *verdict_name(enum l4_verdict v)
{
	return verdicts[v].name;
}

const char *verdict_help(enum l4_verdict v)
{
	return verdicts[v].help;
}

json_t *value_drops(const uint64_t counts[L4_V_COUNT])
{
	json_t *drops = json_object();

	for (int v = 0; v < L4_V_COUNT; v++)
		if (counts[v])
			json_object_set_new(drops, verdict_name((enum l4_verdict)v),
				json_integer((json_int_t)counts[v]));
	return drops;
}

enum l4_action verdict_action(enum l4_verdict v)
{
	return verdicts[v].action;
}

const char *action_name(enum l4_action a)
{
	static const char *const names[] = {
		[L4_PASS] = "pass",
		[L4_SEND] = "send",
		[L4_DROP] = "drop",
	};

	return names[a];
}

json_t *value_vlans(const uint32_t tags[L4_MAX_TAGS])
{
	json_t *list = json_array();

	for (unsigned i = 0; i < L4_MAX_TAGS && tags[i]; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:i}", "protocol",
				      l4_tag_protocol(tags[i]) == L4_BE16(L4_ETH_QINQ) ? "802.1ad"
										       : "802.1Q",
				      "id", (int)__builtin_bswap16(l4_tag_id(tags[i]))));
	return list;
}
