/*
 * The limit: joins ctnetlink's NEW and DESTROY groups, takes every event off the socket with one blocking recvmmsg after the other and
 * throws it away. Other readers are stated as a multiple of it.
 *
 * Woken for one event at a time, most of its cost is the waking. --pause shows what that is: after each receive that did not fill its
 * vector the reader sleeps, so that the next one finds more.
 *
 * "ready" on stderr says that it has joined; from then on it counts its CPU time. It ends at SIGTERM or SIGINT, once its queue is empty,
 * with one line of JSON on stdout.
 */
#define _GNU_SOURCE
#define DATAGRAMS 64
#include "listener.h"

#include <getopt.h>
#include <sys/resource.h>

struct counts {
	unsigned long created, destroyed, other, malformed;
};

static useconds_t pause_us;

static void count_datagram(const void *data, unsigned int length, struct counts *counts)
{
	const struct nlmsghdr *message = data;

	for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
		if (message->nlmsg_type == MESSAGE_NEW)
			counts->created++;
		else if (message->nlmsg_type == MESSAGE_DESTROY)
			counts->destroyed++;
		else
			counts->other++;
	}
	if (length)
		counts->malformed++;
}

/* Until asked to stop and, after that, until the queue is empty. */
static void read_all(int fd, struct counts *counts)
{
	for (;;) {
		int received = recvmmsg(fd, datagrams, DATAGRAMS, stopping ? MSG_DONTWAIT : MSG_WAITFORONE, NULL);

		if (received < 0) {
			if (errno == EAGAIN)
				return;
			if (errno == EINTR)
				continue;
			fail("receiving events");
		}
		for (int i = 0; i < received; i++)
			count_datagram(buffers[i], datagrams[i].msg_len, counts);
		if (pause_us && received < DATAGRAMS && !stopping)
			usleep(pause_us);
	}
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "buffer", required_argument, NULL, 'b' }, { "pause", required_argument, NULL, 'p' }, { 0 },
	};
	int receive_buffer = 512 << 20;
	struct counts counts = { 0 };

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'b': receive_buffer = (int)number_argument("--buffer", optarg, 1, 0x3fffffff); break;
		case 'p': pause_us = (useconds_t)number_argument("--pause", optarg, 1, 999999); break;
		default:
			fprintf(stderr, "usage: reader [--buffer BYTES] [--pause MICROSECONDS]\n");
			return 2;
		}
	}
	prepare_vectors();

	int events = join_events(receive_buffer);
	struct rusage before, after;

	catch_signals();
	getrusage(RUSAGE_SELF, &before);
	double began = monotonic_seconds();
	fprintf(stderr, "ready\n");
	read_all(events, &counts);
	getrusage(RUSAGE_SELF, &after);
	printf("{\"new\":%lu,\"destroy\":%lu,\"other\":%lu,\"malformed\":%lu,\"lost\":%u,\"user_s\":%.6f,\"sys_s\":%.6f,\"wall_s\":%.6f}\n",
	       counts.created, counts.destroyed, counts.other, counts.malformed, drops(events),
	       seconds(after.ru_utime) - seconds(before.ru_utime), seconds(after.ru_stime) - seconds(before.ru_stime),
	       monotonic_seconds() - began);
	return 0;
}
