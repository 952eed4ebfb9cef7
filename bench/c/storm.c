/*
 * Makes a known number of conntrack entries, as fast as the kernel can or at a given rate, in the network namespace it is started in:
 * UDP datagrams on the loopback device, no two with the same source and destination. The namespace must track (one `ct` rule), have lo up,
 * and for --ipv6 hold `local fd00:c5::/32 dev lo`; an input rule that drops them saves the ICMP errors.
 *
 * With --destinations the flows are of clients behind a gateway, 10.77.0.1 to 10.77.0.32, to so many addresses of 198.18.0.0/15 (RFC 2544) in
 * each second, others in the next: the namespace must have a route that takes them.
 *
 * With --tcp each flow is a connection that is accepted and at once reset by its client, one after the other in batches: its entry stays,
 * in conntrack's state CLOSE, until its timeout (nf_conntrack_tcp_timeout_close) or the flush.
 *
 * What it made it reads back from nf_conntrack_count: a difference is an error, not a result (with --ending, flows end meanwhile, and it cannot
 * tell). One line of JSON on stdout.
 */
#define _GNU_SOURCE
#include "ctnetlink.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>

enum {
	SOCKETS = 32,
	FIRST_SOURCE_PORT = 20000,
	BATCH = 64,
	HOSTS = 1 << 16,      /* destinations of a socket before its next destination port */
	FAR_HOSTS = 1 << 17,  /* those of --destinations */
	FIRST_PORT = 1024,
	MAX_FLOWS = 64000000, /* SOCKETS x HOSTS x destination ports is more */
};

struct storm {
	bool ipv6;
	bool tcp;
	unsigned long count;
	unsigned long skip; /* flows that another storm has made */
	double rate; /* flows a second, in bursts of a millisecond's worth; 0 = unpaced */
	unsigned long destinations; /* of the flows of one second; 0 = each flow has its own */
};

static union {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} addresses[BATCH];
static struct mmsghdr messages[BATCH];
static char payload[1] = { 'x' };
static struct iovec vector = { payload, sizeof(payload) };

static long table_count(void)
{
	static const char path[] = "/proc/sys/net/netfilter/nf_conntrack_count";
	FILE *file = fopen(path, "re");
	long count;

	if (!file || fscanf(file, "%ld", &count) != 1)
		fail("reading %s", path);
	fclose(file);
	return count;
}

static int open_source(const struct storm *storm, int index)
{
	bool ipv6 = storm->ipv6;
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(FIRST_SOURCE_PORT + index)) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = v4.sin_port };

	v4.sin_addr.s_addr = htonl(storm->destinations ? 0x0a4d0001 + (uint32_t)index : 0x7f000001);
	if (storm->destinations)
		set_option(fd, SOL_IP, IP_TRANSPARENT, 1, "IP_TRANSPARENT"); /* the clients' addresses are not this machine's */
	v6.sin6_addr = in6addr_loopback;
	const struct sockaddr *address = ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	if (fd < 0 || bind(fd, address, ipv6 ? sizeof(v6) : sizeof(v4)) < 0)
		fail("opening UDP source port %d", FIRST_SOURCE_PORT + index);
	return fd;
}

/* The n-th destination of one source: 127.1.0.0 to 127.1.255.255, or fd00:c5::n, port by port. */
static void set_destination(struct mmsghdr *message, int slot, bool ipv6, unsigned long n)
{
	uint32_t host = (uint32_t)(n % HOSTS);
	uint16_t port = htons((uint16_t)(FIRST_PORT + n / HOSTS));

	if (ipv6) {
		struct sockaddr_in6 *to = &addresses[slot].v6;

		*to = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port };
		to->sin6_addr.s6_addr32[0] = htonl(0xfd0000c5);
		to->sin6_addr.s6_addr32[3] = htonl(host + 1);
	} else {
		struct sockaddr_in *to = &addresses[slot].v4;

		*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
		to->sin_addr.s_addr = htonl(0x7f010000 + host);
	}
	message->msg_hdr = (struct msghdr){
		.msg_name = &addresses[slot], .msg_namelen = ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
		.msg_iov = &vector, .msg_iovlen = 1,
	};
}

/* 198.18.0.0 to 198.19.255.255: the n-th of all flows, where the same destination comes again after all the others of its second. */
static void set_far_destination(struct mmsghdr *message, int slot, const struct storm *storm, unsigned long n)
{
	unsigned long rate = (unsigned long)storm->rate, second = n / rate;
	unsigned long host = second * storm->destinations + n % rate % storm->destinations;
	unsigned long turn = host / FAR_HOSTS * (1 + rate / storm->destinations) + n % rate / storm->destinations;

	addresses[slot].v4 = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)(FIRST_PORT + turn)), .sin_addr.s_addr = htonl(0xc6120000 + (uint32_t)(host % FAR_HOSTS)),
	};
	message->msg_hdr = (struct msghdr){
		.msg_name = &addresses[slot], .msg_namelen = sizeof(struct sockaddr_in), .msg_iov = &vector, .msg_iovlen = 1,
	};
}

static void send_batch(int fd, unsigned int length)
{
	for (unsigned int sent = 0; sent < length;) {
		int result = sendmmsg(fd, messages + sent, length - sent, 0);

		if (result < 0 && errno == EINTR)
			continue;
		if (result < 0)
			fail("sending (EPERM: the table is full, see nf_conntrack_max, or its chains too long, see nf_conntrack_buckets)");
		sent += (unsigned int)result;
	}
}

static void wait_until(double when)
{
	double left = when - monotonic_seconds();

	if (left > 0) {
		struct timespec pause = { (time_t)left, (long)((left - (double)(time_t)left) * 1e9) };

		while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
			;
	}
}

/* Flows of one burst: a millisecond's worth of a given rate. */
static unsigned long burst_length(const struct storm *storm)
{
	return storm->rate > 0 && storm->rate < 1000.0 * BATCH ? 1 + (unsigned long)(storm->rate / 1000) : BATCH;
}

static int open_tcp(const struct storm *storm, int flags)
{
	int fd = socket(storm->ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		fail("opening a TCP socket");
	return fd;
}

static int listen_on(const struct storm *storm, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = open_tcp(storm, 0);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
	if (bind(fd, storm->ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, storm->ipv6 ? sizeof(v6) : sizeof(v4)) < 0
	    || listen(fd, BATCH) < 0)
		fail("listening on TCP port %u", port);
	return fd;
}

static void reset(int fd)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)) < 0)
		fail("setting SO_LINGER");
	close(fd);
}

/* Connects to the destinations from the first on, and resets what has come about. */
static void connect_batch(const struct storm *storm, int listener, unsigned long first, unsigned long length)
{
	int clients[BATCH];

	for (unsigned long i = 0; i < length; i++) {
		set_destination(&messages[i], (int)i, storm->ipv6, first + i);
		clients[i] = open_tcp(storm, SOCK_NONBLOCK);
		if (connect(clients[i], messages[i].msg_hdr.msg_name, messages[i].msg_hdr.msg_namelen) < 0 && errno != EINPROGRESS)
			fail("connecting (EPERM: the table is full, see nf_conntrack_max, or its chains too long, see nf_conntrack_buckets)");
	}
	for (unsigned long i = 0; i < length; i++) {
		int served = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (served < 0)
			fail("accepting a connection");
		close(served);
	}
	for (unsigned long i = 0; i < length; i++)
		reset(clients[i]);
}

static void connect_all(const struct storm *storm)
{
	unsigned long burst = burst_length(storm);
	double began = monotonic_seconds();
	int listener = -1;

	for (unsigned long made = 0; made < storm->count;) {
		unsigned long next = storm->skip + made;
		unsigned long of_port = HOSTS - next % HOSTS, left = storm->count - made;
		unsigned long length = burst < left ? burst : left;

		length = length < of_port ? length : of_port;
		if (listener < 0 || next % HOSTS == 0) {
			if (listener >= 0)
				close(listener);
			listener = listen_on(storm, (uint16_t)(FIRST_PORT + next / HOSTS));
		}
		if (storm->rate > 0)
			wait_until(began + (double)made / storm->rate);
		connect_batch(storm, listener, next, length);
		made += length;
	}
	close(listener);
}

static void send_all(const struct storm *storm)
{
	int sources[SOCKETS];
	unsigned long used[SOCKETS] = { 0 };
	unsigned long burst = burst_length(storm);
	double began = monotonic_seconds();

	for (int i = 0; i < SOCKETS; i++) {
		sources[i] = open_source(storm, i);
		used[i] = storm->skip ? storm->skip / SOCKETS + BATCH : 0; /* sources take turns by the batch */
	}
	for (unsigned long sent = 0, batch = 0; sent < storm->count; batch++) {
		int source = (int)(batch % SOCKETS);
		unsigned int length = (unsigned int)(storm->count - sent < burst ? storm->count - sent : burst);

		for (unsigned int i = 0; i < length; i++) {
			if (storm->destinations)
				set_far_destination(&messages[i], (int)i, storm, sent + i);
			else
				set_destination(&messages[i], (int)i, storm->ipv6, used[source]++);
		}
		if (storm->rate > 0)
			wait_until(began + (double)sent / storm->rate);
		send_batch(sources[source], length);
		sent += length;
	}
	for (int i = 0; i < SOCKETS; i++)
		close(sources[i]);
}

/* IPCTNL_MSG_CT_DELETE without a tuple: every entry of this namespace. */
static void flush(void)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = { sizeof(request), MESSAGE_DESTROY, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		.family = { AF_UNSPEC, NFNETLINK_V0, 0 },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} answer;
	int fd = open_netfilter_socket();

	if (send(fd, &request, sizeof(request), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer.header) + 4)
		fail("flushing the table");
	errno = -answer.error.error;
	if (answer.header.nlmsg_type != NLMSG_ERROR || errno)
		fail("flushing the table");
	close(fd);
}

static void usage(void)
{
	fprintf(stderr, "usage: storm --count N [--rate FLOWS_PER_SECOND [--destinations N]] [--ipv6] [--tcp] [--skip N]\n"
			"             [--ending] [--flush] [--wait]\n"
			"  --skip   others than those that a storm of N flows has made\n"
			"  --tcp    connections that their client resets at once, not datagrams\n"
			"  --destinations  of each second, every one with as many flows as the rate allows; IPv4\n"
			"  --ending flows may end meanwhile: how many were made is not checked\n"
			"  --flush  delete them again by one ctnetlink request\n"
			"  --wait   before the flush, wait for a line (or the end) of standard input\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' }, { "rate", required_argument, NULL, 'r' }, { "ipv6", no_argument, NULL, '6' },
		{ "flush", no_argument, NULL, 'f' }, { "wait", no_argument, NULL, 'w' },
		{ "destinations", required_argument, NULL, 'd' }, { "ending", no_argument, NULL, 'e' },
		{ "tcp", no_argument, NULL, 't' }, { "skip", required_argument, NULL, 's' }, { 0 },
	};
	struct storm storm = { 0 };
	bool flush_after = false, wait_before = false, ending = false;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'c': storm.count = (unsigned long)number_argument("--count", optarg, 1, MAX_FLOWS); break;
		case 'r': storm.rate = (double)number_argument("--rate", optarg, 1, 100000000); break;
		case '6': storm.ipv6 = true; break;
		case 's': storm.skip = (unsigned long)number_argument("--skip", optarg, 0, MAX_FLOWS); break;
		case 't': storm.tcp = true; break;
		case 'f': flush_after = true; break;
		case 'w': wait_before = true; break;
		case 'd': storm.destinations = (unsigned long)number_argument("--destinations", optarg, 1, FAR_HOSTS); break;
		case 'e': ending = true; break;
		default: usage();
		}
	}
	if (!storm.count || optind != argc || (storm.destinations && (storm.ipv6 || storm.tcp || storm.rate < (double)storm.destinations)))
		usage();

	long before = table_count();
	double began = monotonic_seconds();
	if (storm.tcp)
		connect_all(&storm);
	else
		send_all(&storm);
	double sending = monotonic_seconds() - began, flushing = 0;
	long made = ending ? (long)storm.count : table_count() - before, destroyed = 0;

	errno = 0;
	if (made != (long)storm.count)
		fail("%lu flows were sent, but nf_conntrack_count grew by %ld", storm.count, made);
	if (wait_before) {
		fprintf(stderr, "made\n");
		getchar();
	}
	if (flush_after) {
		long held = table_count();

		began = monotonic_seconds();
		flush();
		flushing = monotonic_seconds() - began;
		destroyed = held - table_count();
	}
	printf("{\"new\":%ld,\"destroy\":%ld,\"seconds\":%.3f,\"flush_seconds\":%.3f}\n", made, destroyed, sending, flushing);
	return 0;
}
