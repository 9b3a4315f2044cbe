// SPDX-License-Identifier: GPL-2.0-only
/*
 * A router made of lwIP, on interfaces by packet sockets:
 *
 *	lwip INTERFACE=ADDRESS/LENGTH,... INTERFACE=... PREFIX=GATEWAY...
 *
 * lwIP has one address for an interface and no table of routes. So a further address
 * is a further interface on the same wire, and a route is an interface whose prefix is
 * that of the route and that sends everything to the gateway. It says "ready" and
 * forwards until its standard input ends.
 */

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/tcpip.h>
#include <netif/ethernet.h>

#define PORTS 4
#define NETIFS 8

struct port {
	int fd;
	struct ifreq mac;
	int mtu;
	struct netif *netifs[NETIFS];
	int count;
};

struct way {
	struct netif *base;
	ip4_addr_t gateway;
};

static struct port ports[PORTS];
static int nports;
static struct netif all[PORTS * NETIFS];
static struct way ways[PORTS * NETIFS];
static int nall;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct port *open_port(const char *name)
{
	struct port *port = &ports[nports++];
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	};
	struct ifreq request = { 0 };

	port->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	address.sll_ifindex = (int)if_nametoindex(name);
	if (port->fd < 0 || !address.sll_ifindex ||
	    bind(port->fd, (struct sockaddr *)&address, sizeof(address)))
		die(name);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(port->fd, SIOCGIFMTU, &request))
		die(name);
	port->mtu = request.ifr_mtu;
	if (ioctl(port->fd, SIOCGIFHWADDR, &request))
		die(name);
	port->mac = request;
	return port;
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
	struct port *port = netif->state;
	unsigned char frame[2048];
	u16_t size = pbuf_copy_partial(p, frame, sizeof(frame), 0);

	return send(port->fd, frame, size, 0) < 0 ? ERR_IF : ERR_OK;
}

static err_t way_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
	struct way *way = &ways[netif - all];

	(void)to;
	return etharp_output(way->base, p, &way->gateway);
}

static err_t set_up(struct netif *netif)
{
	struct port *port = netif->state;

	netif->name[0] = 'e';
	netif->name[1] = 'n';
	netif->mtu = (u16_t)port->mtu;
	netif->hwaddr_len = ETH_ALEN;
	memcpy(netif->hwaddr, port->mac.ifr_hwaddr.sa_data, ETH_ALEN);
	netif->output = etharp_output;
	netif->linkoutput = link_output;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
		       NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static struct netif *add(struct port *port, const char *text)
{
	char address[32];
	int bits = 32;
	ip4_addr_t own, mask, none = { 0 };
	struct netif *netif = &all[nall++];

	if (sscanf(text, "%31[^/]/%d", address, &bits) < 1 || !ip4addr_aton(address, &own))
		die(text);
	mask.addr = bits ? htonl(0xffffffffu << (32 - bits)) : 0;
	LOCK_TCPIP_CORE();
	netif_add(netif, &own, &mask, &none, port, set_up, ethernet_input);
	netif_set_up(netif);
	UNLOCK_TCPIP_CORE();
	return netif;
}

static void add_route(const char *prefix, const char *gateway)
{
	struct netif *netif;
	struct port *port;
	char own[32];
	ip4_addr_t to, net;
	int bits, i;

	if (sscanf(prefix, "%31[^/]/%d", own, &bits) != 2 || !ip4addr_aton(own, &net) ||
	    !ip4addr_aton(gateway, &to))
		die(prefix);
	for (i = 0; i < nall; i++) {
		if (!ip4_addr_netcmp(&to, netif_ip4_addr(&all[i]), netif_ip4_netmask(&all[i])))
			continue;
		port = all[i].state;
		/* Its own address there is the last but one of the prefix. */
		net.addr = htonl(ntohl(net.addr) + (1u << (32 - bits)) - 2);
		snprintf(own, sizeof(own), "%s/%d", ip4addr_ntoa(&net), bits);
		/* Answers to what came in by it go there as well. */
		LOCK_TCPIP_CORE();
		netif_set_gw(&all[i], &to);
		UNLOCK_TCPIP_CORE();
		ways[nall].base = &all[i];
		ways[nall].gateway = to;
		netif = add(port, own);
		netif->output = way_output;
		return;
	}
	fprintf(stderr, "lwip: no interface to %s\n", gateway);
	exit(1);
}

/* The interface that lwIP is told a frame came in by is the one whose address or
 * prefix it has to do with, the first one of the port else.
 */
static struct netif *arrival(struct port *port, const unsigned char *frame, ssize_t size)
{
	unsigned int type = frame[12] << 8 | frame[13];
	ip4_addr_t to;
	int i;

	if (type == ETH_P_ARP && size >= 42)
		memcpy(&to, frame + 38, 4);
	else if (type == ETH_P_IP && size >= 34)
		memcpy(&to, frame + 26, 4);	/* its source */
	else
		return port->netifs[0];
	for (i = 0; i < port->count; i++)
		if (ip4_addr_netcmp(&to, netif_ip4_addr(port->netifs[i]),
				    netif_ip4_netmask(port->netifs[i])))
			return port->netifs[i];
	return port->netifs[0];
}

static void *receive(void *arg)
{
	struct port *port = arg;
	unsigned char frame[2048];
	struct sockaddr_ll from;
	socklen_t length;
	struct netif *netif;
	struct pbuf *p;
	ssize_t size;

	for (;;) {
		length = sizeof(from);
		size = recvfrom(port->fd, frame, sizeof(frame), 0,
				(struct sockaddr *)&from, &length);
		if (size < 14 || from.sll_pkttype == PACKET_OUTGOING ||
		    from.sll_pkttype == PACKET_OTHERHOST)
			continue;
		netif = arrival(port, frame, size);
		LOCK_TCPIP_CORE();
		p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_RAM);
		if (p && (pbuf_take(p, frame, (u16_t)size) || netif->input(p, netif)))
			pbuf_free(p);
		UNLOCK_TCPIP_CORE();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct port *port;
	char *value, *part;
	pthread_t thread;
	int i;

	tcpip_init(NULL, NULL);
	for (i = 1; i < argc; i++) {
		value = strchr(argv[i], '=');
		if (!value)
			die(argv[i]);
		*value++ = 0;
		if (strchr(argv[i], '/')) {
			add_route(argv[i], value);
			continue;
		}
		port = open_port(argv[i]);
		for (part = strtok(value, ","); part; part = strtok(NULL, ","))
			port->netifs[port->count++] = add(port, part);
	}
	for (i = 0; i < nports; i++)
		if (pthread_create(&thread, NULL, receive, &ports[i]))
			die("thread");
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
