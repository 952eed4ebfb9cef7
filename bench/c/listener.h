/* What a program that listens to ctnetlink's NEW and DESTROY groups needs: the socket, a vector of datagrams, and its end by a signal.
   DATAGRAMS, as many as one receive may take, is the program's to define. */
#ifndef LISTENER_H
#define LISTENER_H

#include "ctnetlink.h"

#include <signal.h>

enum { DATAGRAM_BYTES = 8192 };

static unsigned char buffers[DATAGRAMS][DATAGRAM_BYTES] __attribute__((aligned(8)));
static struct iovec vectors[DATAGRAMS];
static struct mmsghdr datagrams[DATAGRAMS];
static volatile sig_atomic_t stopping;

static int join_events(int receive_buffer)
{
	int fd = open_netfilter_socket();

	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer, "SO_RCVBUFFORCE");
	set_option(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1, "NETLINK_NO_ENOBUFS");
	set_option(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_CONNTRACK_NEW, "NETLINK_ADD_MEMBERSHIP");
	set_option(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_CONNTRACK_DESTROY, "NETLINK_ADD_MEMBERSHIP");
	return fd;
}

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
	alarm(1); /* again, in case this came between the test of the flag and the system call that it should interrupt */
}

static void catch_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGALRM };
	struct sigaction action = { .sa_handler = stop }; /* no SA_RESTART */

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static unsigned int drops(int fd)
{
	unsigned int info[MEMINFO_VARS];
	socklen_t length = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) < 0)
		fail("reading SO_MEMINFO");
	return info[MEMINFO_DROPS];
}

static void prepare_vectors(void)
{
	for (int i = 0; i < DATAGRAMS; i++) {
		vectors[i] = (struct iovec){ buffers[i], DATAGRAM_BYTES };
		datagrams[i].msg_hdr = (struct msghdr){ .msg_iov = &vectors[i], .msg_iovlen = 1 };
	}
}

#endif
