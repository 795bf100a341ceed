/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What becomes of a packet besides its verdict. */
#pragma once
#include "dataplane/l4/options.h"
#include "dataplane/l4/record.h"
#include "dataplane/l4/tables.h"

/* What a verdict leaves to be done and to be counted. Ids are 0 where they do not apply. */
struct l4_result {
	uint32_t ifindex; /* L4_SEND: the device to leave by */
	/* Of the address of ours that the packet was for, or whose service it was. */
	uint32_t vip_id;
	uint32_t
		service_id; /* whose packet, or whose server's reply it is, as soon as that is known */
	uint32_t server_id; /* FORWARDED */
};

/* Whom a frame is for, as the interface sees it that it came in by. */
enum l4_for { L4_FOR_OTHERS, L4_FOR_OWN_MAC, L4_FOR_VIRTUAL_MAC };

enum l4_refusal_kind {
	L4_REFUSE_NONE,
	L4_REFUSE_TOO_BIG,
	L4_REFUSE_EXPIRED, /* its TTL or hop limit is used up */
	L4_REFUSE_NO_PORT,
	L4_REFUSE_RESET,
};

/* A packet that cannot go on, and how it may be answered. */
struct l4_refusal {
	uint32_t kind;	  /* enum l4_refusal_kind */
	uint32_t ifindex; /* of the device where it came in, and the answer leaves by */
	uint32_t is6;
	uint32_t l3, l4, ip_len; /* as in struct l4_packet */
	uint32_t mtu;		 /* TOO_BIG: what would have fitted */
	uint32_t budget;  /* answers that this processor may give in one unit of coarse time */
	uint32_t from[4]; /* the address of ours that answers; zero: the packet's destination */
};

/* What the engine tells the control plane: a neighbour whose MAC address is not known; or, where mtu is not 0, that ICMP says
 * so of the path that packets from `from` to this address take which may be tunnels. */
struct l4_want {
	uint32_t address[4]; /* network order */
	uint32_t ifindex;
	uint32_t is6;
	uint32_t mtu;
	uint32_t from[4]; /* with an mtu */
	uint32_t port;	  /* likewise: where UDP was sent to, network order; 0: no UDP */
};

/* An ICMP error, and the packet that it quotes. */
struct l4_quote {
	struct l4_packet error, quoted;
};

/* What a fragment does not say by itself. */
struct l4_part_ports {
	uint32_t l4;	       /* as in struct l4_packet; L4_HEADLESS of later fragments */
	uint16_t sport, dport; /* network order */
	uint8_t protocol;
	bool known;
};

/* A packet that is ready to leave but for its VLAN tags. */
struct l4_retag {
	struct l4_result result;
	uint32_t bytes; /* of the frame as it came */
	uint32_t tag_bytes;
	uint32_t tags[L4_MAX_TAGS];
};

/* A packet for a tunnel that is more than a header of the packet's own family. */
struct l4_enclosed {
	struct l4_result result;
	uint32_t bytes;		  /* of the frame as it came */
	uint32_t is6, l3, ip_len; /* as in struct l4_packet */
	uint32_t answered;	  /* if it is too big: by what `refusal` says */
	uint64_t hash;		  /* of its flow */
	struct l4_member server;
};

/* A TCP segment of a service with SYN cookies, on its way to l4_synproxy() and back. */
struct l4_proxying {
	struct l4_flow flow;	 /* as the client's segments have it */
	uint32_t l3, l4, ip_len; /* as in struct l4_packet */
	uint32_t service_id, vip_id;
	uint32_t syn_limit; /* as in struct l4_service */
	uint32_t idle;
	uint32_t ifindex; /* of the device where it came in */
	uint16_t mtu;	  /* of the interface */
	bool reply;	  /* it is the server's */
	bool part;	  /* it is a first fragment */
	bool local;	  /* the service is of this host's own stack */
	bool done;	  /* l4_process() is to take it as it is now */
	struct l4_options options;
};

/* A SYN cookie of this host's own stack, and its clock for time stamps. */
struct l4_host_cookie {
	uint32_t cookie, ms;
};

/* What one function leaves to the next about the packet in hand. */
struct l4_note {
	uint32_t why; /* enum l4_verdict */
	uint32_t vip_id, service_id;
	struct l4_refusal refusal;   /* L4_NEXT_REFUSAL */
	struct l4_want want;	     /* L4_NEXT_WANT */
	struct l4_part_ports ports;  /* L4_NEXT_PORTS */
	struct l4_quote quote;	     /* L4_NEXT_ERROR_... */
	struct l4_retag retag;	     /* L4_NEXT_TAGS */
	struct l4_enclosed enclosed; /* L4_NEXT_WRAP */
	struct l4_result local;	     /* L4_NEXT_LOCAL */
	struct l4_proxying proxy;    /* L4_NEXT_SYNPROXY, L4_NEXT_AGAIN */
	uint8_t mac[6]; /* of the interface that it came in by: L4_NEXT_LOCAL, L4_NEXT_ERROR_IN */
	struct l4_record_write record;
};
