/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as the API writes them. Each returns a new reference, or NULL when out of memory. */
#pragma once
#include <jansson.h>
#include <stdint.h>
#include "controlplane/base/addr.h"
#include "controlplane/conf/conf.h"
#include "controlplane/pools/site.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/l4/wire.h"

/* An RFC 3339 time in UTC with milliseconds. */
json_t *value_time_ms(int64_t realtime_ms);

/* The same from a time of CLOCK_MONOTONIC; null for 0, "never". */
json_t *value_monotonic_ms(uint64_t monotonic_ms);

/* An object with the members of another; takes both references. */
json_t *value_with(json_t *object, json_t *more);

json_t *value_addr(const struct addr *a);

/* "ADDR:PORT", or "[ADDR]:PORT" for IPv6; null for port 0. */
json_t *value_target(const struct addr *a, uint16_t port);

/* Two digits for each byte. */
json_t *value_hex(const uint8_t *bytes, size_t n);

/* "02:00:00:00:00:01" */
json_t *value_mac(const uint8_t mac[6]);

/* VLAN tags (l4_tag()) as a list of {"protocol", "id"}, the outer one first; the protocol is "802.1Q" or "802.1ad". */
json_t *value_vlans(const uint32_t tags[L4_MAX_TAGS]);

/* Text of unknown origin: what is not UTF-8 in it is replaced. NULL is null. */
json_t *value_text(const char *text);

/* null for an empty string. */
json_t *value_text_or_null(const char *text);

json_t *value_protocol(uint8_t protocol);
json_t *value_forward(enum conf_forward forward);
json_t *value_encapsulation(enum conf_encapsulation encapsulation);

/* A list of {"file", "line", "column", "level", "message", "source"}. */
json_t *value_diagnostics(const struct diags *d);

const char *verdict_name(enum l4_verdict v);
/* {"reason": count}, those that are not zero. */
json_t *value_drops(const uint64_t counts[L4_V_COUNT]);
const char *verdict_help(enum l4_verdict v);
enum l4_action verdict_action(enum l4_verdict v);
const char *action_name(enum l4_action a);
