/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/packet.h"
#include "apps/tandemctl/text.h"

enum { DUMP_COLUMNS = 16 };

/* The port of an interface, by its name or its device; a borrowed reference, or NULL. */
static json_t *find_port(json_t *ports, const char *name)
{
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);
		const char *known = json_string_value(json_object_get(port, "name"));
		const char *device = json_string_value(json_object_get(port, "device"));

		if ((known && strcmp(known, name) == 0) || (device && strcmp(device, name) == 0))
			return port;
	}
	return NULL;
}

/* Asks for the interface's MAC address: the frame is to be for it. */
static enum ctl_exit get_mac(struct ctl *ctl, const char *name, uint8_t mac[6])
{
	struct api_answer answer;
	enum ctl_exit rc = api_fetch(ctl, "GET", "/v1/status", NULL, &answer);
	json_t *ports = json_object_get(json_object_get(answer.json, "engine"), "ports");
	json_t *port = find_port(ports, name);
	const char *text = json_string_value(json_object_get(port, "mac"));

	if (rc) {
		api_print(ctl, &answer);
	} else if (!port) {
		err_set(&ctl->err, 0, "there is no interface \"%s\"", name);
		api_suggest(ctl, ports, name);
		rc = CTL_NOT_FOUND;
	} else if (!text || packet_read_mac(text, mac)) {
		err_set(&ctl->err, 0, "the daemon does not tell the MAC address of interface %s",
			name);
		rc = CTL_NEGATIVE;
	}
	api_answer_clear(&answer);
	return rc;
}

static enum ctl_exit read_packet(struct ctl *ctl, char **args, struct packet *p)
{
	bool given = ctl->hex || ctl->pcap;
	enum ctl_exit rc;
	uint8_t mac[6];
	int err;

	if ((ctl->hex && ctl->pcap) || (given && args[1]) || (ctl->frame && !ctl->pcap)) {
		err_set(&ctl->err, 0,
			"the packet is given by words, by --hex or by --pcap with --frame, not by "
			"two of them");
		return CTL_USAGE;
	}
	if (ctl->pcap) {
		err = packet_from_file(p, ctl->pcap, ctl->frame ? ctl->frame : 1, &ctl->err);
		return err == -ENOENT ? CTL_NOT_FOUND : err ? CTL_NEGATIVE : CTL_OK;
	}
	if (ctl->hex)
		return packet_from_hex(p, ctl->hex, &ctl->err) ? CTL_USAGE : CTL_OK;
	/* The words are looked at before the daemon is asked for anything. */
	if (packet_from_words(p, args + 1, (const uint8_t[6]){ 0 }, &ctl->err))
		return CTL_USAGE;
	rc = get_mac(ctl, args[0], mac);
	if (!rc)
		packet_from_words(p, args + 1, mac, &ctl->err);
	return rc;
}

static json_t *request(const char *interface, const struct packet *p)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * PACKET_MAX + 1];

	for (size_t i = 0; i < p->n; i++) {
		hex[2 * i] = digits[p->bytes[i] >> 4];
		hex[2 * i + 1] = digits[p->bytes[i] & 15];
	}
	hex[2 * p->n] = '\0';
	return json_pack("{s:s, s:s}", "interface", interface, "frame", hex);
}

/* As tcpdump -xx prints it: sixteen bytes a line, in pairs. */
static void print_frame(const struct screen *s, const char *hex)
{
	size_t n = strlen(hex) / 2;

	for (size_t at = 0; at < n; at += DUMP_COLUMNS) {
		fprintf(s->out, "  0x%04zx: ", at);
		for (size_t i = at; i < n && i < at + DUMP_COLUMNS; i++)
			fprintf(s->out, "%s%.2s", i % 2 ? "" : " ", hex + 2 * i);
		putc('\n', s->out);
	}
}

static void print_trace(const struct screen *s, const json_t *trace)
{
	static const struct field steps[] = {
		{ .title = "STAGE", .key = "stage" },
		{ .title = "DECISION", .key = "text" },
	};
	static const struct field end[] = {
		{ .title = "verdict", .key = "verdict" },
		{ .title = "action", .key = "action" },
		{ .title = "meaning", .key = "help" },
		{ .title = "vip", .key = "vip", .flags = FIELD_OPTIONAL },
		{ .title = "service", .key = "service", .flags = FIELD_OPTIONAL },
		{ .title = "server", .key = "server", .flags = FIELD_OPTIONAL },
		{ .title = "out", .key = "out", .flags = FIELD_OPTIONAL },
	};
	const char *frame = json_string_value(json_object_get(trace, "frame"));
	const char *action = json_string_value(json_object_get(trace, "action"));

	fields_table(s, json_object_get(trace, "steps"), FIELDS(steps));
	putc('\n', s->out);
	fields_record(s, trace, FIELDS(end));
	if (frame && action && strcmp(action, "send") == 0) {
		putc('\n', s->out);
		print_frame(s, frame);
	}
}

enum ctl_exit trace_inject(struct ctl *ctl, char **args)
{
	struct packet p;
	enum ctl_exit rc = read_packet(ctl, args, &p);
	json_t *reply;

	if (rc)
		return rc;
	rc = api_call(ctl, "POST", "/v1/trace", request(args[0], &p), &reply);
	if (!rc && !ctl->json)
		print_trace(&ctl->screen, reply);
	json_decref(reply);
	return rc;
}
