// SPDX-License-Identifier: GPL-2.0-only

// A router made of gVisor's network stack, on two interfaces by packet sockets:
//
//	gvisor INTERFACE=ADDRESS/LENGTH,... INTERFACE=... PREFIX=GATEWAY...
//
// It says "ready" and forwards until its standard input ends.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gvisor:", err)
		os.Exit(1)
	}
}

func good(err tcpip.Error) {
	if err != nil {
		must(fmt.Errorf("%s", err))
	}
}

func swap(port uint16) int {
	return int(port<<8 | port>>8)
}

// The stack's end of an interface.
func endpoint(device *net.Interface) stack.LinkEndpoint {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, swap(unix.ETH_P_ALL))
	must(err)
	must(unix.Bind(fd, &unix.SockaddrLinklayer{
		Protocol: uint16(swap(unix.ETH_P_ALL)), Ifindex: device.Index}))
	must(unix.SetNonblock(fd, true))
	ep, err := fdbased.New(&fdbased.Options{
		FDs: []int{fd}, MTU: uint32(device.MTU), EthernetHeader: true,
		Address:            tcpip.LinkAddress(device.HardwareAddr),
		PacketDispatchMode: fdbased.Readv})
	must(err)
	return ep
}

func subnet(text string) (net.IP, tcpip.AddressWithPrefix, tcpip.Subnet) {
	ip, prefix, err := net.ParseCIDR(text)
	must(err)
	bits, _ := prefix.Mask.Size()
	address := tcpip.AddressWithPrefix{Address: tcpip.Address(ip.To4()), PrefixLen: bits}
	return ip, address, address.Subnet()
}

func main() {
	s := stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{
			ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{
			udp.NewProtocol, icmp.NewProtocol4},
	})
	s.SetICMPLimit(100000)
	s.SetICMPBurst(100000)
	var routes []tcpip.Route
	nic := tcpip.NICID(0)
	for _, word := range os.Args[1:] {
		name, value, _ := strings.Cut(word, "=")
		if strings.Contains(name, "/") {
			_, _, dest := subnet(name)
			gateway := tcpip.Address(net.ParseIP(value).To4())
			for _, route := range routes {
				if route.Destination.Contains(gateway) {
					routes = append(routes, tcpip.Route{
						Destination: dest, Gateway: gateway, NIC: route.NIC})
					break
				}
			}
			continue
		}
		device, err := net.InterfaceByName(name)
		must(err)
		nic++
		good(s.CreateNIC(nic, endpoint(device)))
		for _, text := range strings.Split(value, ",") {
			_, address, dest := subnet(text)
			good(s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
				Protocol: ipv4.ProtocolNumber, AddressWithPrefix: address},
				stack.AddressProperties{}))
			routes = append(routes, tcpip.Route{Destination: dest, NIC: nic})
		}
	}
	s.SetRouteTable(routes)
	good(s.SetForwardingDefaultAndAllNICs(ipv4.ProtocolNumber, true))
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}
