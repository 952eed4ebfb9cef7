/*
 * The load of bench/truth: new connections at a given rate until SIGTERM, in the network namespace it is started in, from hand-made packets on the
 * loopback device. Half are UDP over IPv4 (some in a zone, some translated, by the namespace's rules), the others UDP over IPv6, TCP and ICMP.
 *
 * Tuples are drawn from pools so small that each comes back again and again, now and then while its flow is alive. Most flows end by their timer. TCP has
 * its handshake in half of its flows, and then a reset or a close; a tenth of UDP over IPv4 is deleted by request, and half of that sent again at once:
 * two incarnations of one tuple, microseconds apart.
 *
 * The namespace must track, drop what comes in, and have addresses for 127.0.0.0/8 and `local fd00:c5::/32 dev lo`.
 */
#define _GNU_SOURCE
#include "ctnetlink.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdbool.h>

enum {
	LATER = 1 << 16,      /* actions that wait; more than the rate of any kind x LATER_DELAY */
	UDP_POOL = 1 << 18,
	SMALL_POOL = 1 << 15,
	MAX_RATE = 100000,
};

static const double LATER_DELAY = 0.4; /* seconds */

enum action { DELETE, DELETE_AND_SEND, RESET, CLOSE };

struct later {
	double due;
	enum action action;
	uint32_t number;
};

struct packet4 {
	struct iphdr ip;
	union {
		struct udphdr udp;
		struct tcphdr tcp;
		struct icmphdr icmp;
	} u;
} __attribute__((packed));

struct packet6 {
	struct ip6_hdr ip;
	struct udphdr udp;
} __attribute__((packed));

static struct later later[LATER];
static unsigned long later_first, later_end;
static int ipv4, ipv6, netfilter;
static uint64_t random_state;
static unsigned long sent, refused;
static volatile sig_atomic_t stopping;

/* xorshift64* (Vigna) */
static uint32_t draw(uint32_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)(((random_state * 0x2545f4914f6cdd1dULL) >> 32) * below >> 32);
}

static void put(int fd, const void *packet, size_t length, const void *address, socklen_t address_length)
{
	sent++;
	if (sendto(fd, packet, length, 0, address, address_length) < 0) {
		if (errno != EPERM && errno != ENOBUFS && errno != EINVAL)
			fail("sending");
		refused++; /* EPERM: the table is full, or two flows raced for one tuple */
	}
}

static void put4(struct packet4 *packet, uint8_t protocol, size_t length, uint32_t source, uint32_t destination)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(destination) };

	packet->ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol, .tot_len = htons((uint16_t)(sizeof(packet->ip) + length)),
		.saddr = htonl(source), .daddr = htonl(destination),
	};
	put(ipv4, packet, sizeof(packet->ip) + length, &to, sizeof(to));
}

/* 127.0.0.1, one of 64 ports, to one of 4096 hosts: 127.1.0.0/20, or an eighth of it 127.3.0.0/20, which the rules translate; port 4000 is in a zone. */
static void udp_tuple(uint32_t number, uint32_t *destination, uint16_t *source_port, uint16_t *port)
{
	uint32_t host = number / 64;

	*source_port = (uint16_t)(20000 + number % 64);
	*destination = (host % 8 == 7 ? 0x7f030000 : 0x7f010000) + host;
	*port = host % 8 == 6 ? 4000 : 53;
}

static void send_udp4(uint32_t number)
{
	uint16_t source_port, port;
	uint32_t destination;
	struct packet4 packet = { 0 };

	udp_tuple(number, &destination, &source_port, &port);
	packet.u.udp = (struct udphdr){ .source = htons(source_port), .dest = htons(port), .len = htons(sizeof(struct udphdr)) };
	put4(&packet, IPPROTO_UDP, sizeof(struct udphdr), 0x7f000001, destination);
}

static void send_udp6(uint32_t number)
{
	struct packet6 packet = {
		.ip = { .ip6_hops = 64, .ip6_plen = htons(sizeof(struct udphdr)), .ip6_nxt = IPPROTO_UDP, .ip6_src = in6addr_loopback },
		.udp = { .source = htons((uint16_t)(20000 + number % 64)), .dest = htons(53), .len = htons(sizeof(struct udphdr)) },
	};
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };

	packet.ip.ip6_vfc = 0x60;
	packet.ip.ip6_dst.s6_addr32[0] = htonl(0xfd0000c5);
	packet.ip.ip6_dst.s6_addr32[3] = htonl(1 + number / 64);
	to.sin6_addr = packet.ip.ip6_dst;
	put(ipv6, &packet, sizeof(packet), &to, sizeof(to));
}

static void send_icmp(uint32_t number)
{
	struct packet4 packet = { 0 };

	packet.u.icmp = (struct icmphdr){ .type = ICMP_ECHO, .un.echo.id = htons((uint16_t)(number % 4096)) };
	put4(&packet, IPPROTO_ICMP, sizeof(struct icmphdr), 0x7f000001, 0x7f050000 + number / 4096);
}

/* One segment of a connection with sequence numbers that the kernel's window tracking accepts. */
static void send_tcp(uint32_t number, bool reply, uint32_t sequence, uint32_t acknowledged, bool syn, bool fin, bool reset)
{
	uint32_t client = 0x7f000001, server = 0x7f040000 + number / 64;
	uint16_t client_port = (uint16_t)(30000 + number % 64);
	struct packet4 packet = { 0 };

	packet.u.tcp = (struct tcphdr){
		.source = htons(reply ? 443 : client_port), .dest = htons(reply ? client_port : 443),
		.seq = htonl(sequence), .ack_seq = htonl(acknowledged), .doff = 5, .syn = syn, .fin = fin, .rst = reset, .ack = acknowledged != 0,
		.window = htons(65535),
	};
	put4(&packet, IPPROTO_TCP, sizeof(struct tcphdr), reply ? server : client, reply ? client : server);
}

static void defer(enum action action, uint32_t number)
{
	if (later_end - later_first < LATER)
		later[later_end++ % LATER] = (struct later){ monotonic_seconds() + LATER_DELAY, action, number };
}

/* IPCTNL_MSG_CT_DELETE by the original tuple. */
static void delete_udp4(uint32_t number)
{
	uint16_t source_port, port;
	uint32_t destination;
	char answers[4096];

	udp_tuple(number, &destination, &source_port, &port);
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
		struct nlattr original;
		struct nlattr addresses, source_header;
		uint32_t source;
		struct nlattr destination_header;
		uint32_t destination;
		struct nlattr protocol, number_header;
		uint8_t number, pad[3];
		struct nlattr source_port_header;
		uint16_t source_port, pad1;
		struct nlattr port_header;
		uint16_t port, pad2;
	} request = {
		.header = { sizeof(request), MESSAGE_DESTROY, NLM_F_REQUEST, 1, 0 },
		.family = { AF_INET, NFNETLINK_V0, 0 },
		.original = { sizeof(request) - 20, CTA_TUPLE_ORIG | NLA_F_NESTED },
		.addresses = { 20, CTA_TUPLE_IP | NLA_F_NESTED },
		.source_header = { 8, CTA_IP_V4_SRC }, .source = htonl(0x7f000001),
		.destination_header = { 8, CTA_IP_V4_DST }, .destination = htonl(destination),
		.protocol = { 28, CTA_TUPLE_PROTO | NLA_F_NESTED },
		.number_header = { 5, CTA_PROTO_NUM }, .number = IPPROTO_UDP,
		.source_port_header = { 6, CTA_PROTO_SRC_PORT }, .source_port = htons(source_port),
		.port_header = { 6, CTA_PROTO_DST_PORT }, .port = htons(port),
	};

	if (send(netfilter, &request, sizeof(request), 0) < 0 && errno != ENOBUFS)
		fail("deleting a flow");
	while (recv(netfilter, answers, sizeof(answers), MSG_DONTWAIT) > 0)
		; /* ENOENT: it has ended already, or is in a zone */
}

static void act(const struct later *what)
{
	uint32_t n = what->number, client = 1001, server = 5001;

	switch (what->action) {
	case DELETE:
		delete_udp4(n);
		break;
	case DELETE_AND_SEND:
		delete_udp4(n);
		send_udp4(n);
		break;
	case RESET:
		send_tcp(n, false, client, server, false, false, true);
		break;
	case CLOSE:
		send_tcp(n, false, client, server, false, true, false);
		send_tcp(n, true, server, client + 1, false, true, false);
		send_tcp(n, false, client + 1, server + 1, false, false, false);
		break;
	}
}

static void begin_flow(void)
{
	uint32_t kind = draw(100), n;

	if (kind < 55) {
		send_udp4(n = draw(UDP_POOL));
		if (kind < 6)
			defer(kind < 3 ? DELETE : DELETE_AND_SEND, n);
	} else if (kind < 70) {
		send_udp6(draw(UDP_POOL));
	} else if (kind < 90) {
		send_tcp(n = draw(SMALL_POOL), false, 1000, 0, true, false, false);
		if (kind >= 80)
			return;
		send_tcp(n, true, 5000, 1001, true, false, false);
		send_tcp(n, false, 1001, 5001, false, false, false);
		defer(kind < 75 ? RESET : CLOSE, n);
	} else {
		send_icmp(draw(SMALL_POOL));
	}
}

static void run(double rate)
{
	double began = monotonic_seconds();
	unsigned long flows = 0;

	while (!stopping) {
		double now = monotonic_seconds();
		unsigned long due = (unsigned long)((now - began) * rate);

		if (due - flows > (unsigned long)rate) /* it was not scheduled for a second: do not make up for it */
			began += (double)(due - flows) / rate;
		else
			while (flows < due)
				begin_flow(), flows++;
		while (later_first < later_end && later[later_first % LATER].due <= now)
			act(&later[later_first++ % LATER]);
		usleep(1000);
	}
	printf("{\"flows\":%lu,\"packets\":%lu,\"refused\":%lu,\"seconds\":%.3f}\n", flows, sent, refused, monotonic_seconds() - began);
}

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "rate", required_argument, NULL, 'r' }, { "seed", required_argument, NULL, 's' }, { 0 } };
	struct sigaction action = { .sa_handler = stop };
	long rate = 0, seed = 1;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'r': rate = number_argument("--rate", optarg, 1, MAX_RATE); break;
		case 's': seed = number_argument("--seed", optarg, 0, 0x7fffffff); break;
		default: rate = 0; optind = argc + 1;
		}
	}
	if (!rate || optind != argc) {
		fprintf(stderr, "usage: traffic --rate FLOWS_PER_SECOND [--seed N]\n");
		return 2;
	}
	random_state = 0x9e3779b97f4a7c15ULL ^ (uint64_t)seed;
	ipv4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW); /* implies IP_HDRINCL, as the next does for IPv6 */
	ipv6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (ipv4 < 0 || ipv6 < 0)
		fail("opening raw sockets");
	netfilter = open_netfilter_socket();
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	run((double)rate);
	return 0;
}
