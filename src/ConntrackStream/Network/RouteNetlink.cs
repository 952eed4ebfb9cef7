using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.Sinks.Netlink.Rtnetlink;

namespace ConntrackStream.Service.Network;

/// <summary>
/// Links, addresses and routes of one network namespace over NETLINK_ROUTE. Not thread-safe. A failure is a <see cref="NetlinkException"/>
/// that names the object and the kernel's reason; EPERM: CAP_NET_ADMIN is missing.
/// </summary>
internal sealed class RouteNetlink : IDisposable
{
    private const int RequestBufferLength = 512;
    private const ushort CreateExclusively = Nlmsg.NLM_F_CREATE | Nlmsg.NLM_F_EXCL;

    private readonly NetlinkSocket _socket;
    private readonly byte[] _request = new byte[RequestBufferLength];
    private uint _sequence;

    internal RouteNetlink(NetworkNamespace networkNamespace)
    {
        _socket = networkNamespace.Run(() => new NetlinkSocket(NetlinkSocket.NETLINK_ROUTE));
        _socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The interface index of a link.</summary>
    internal int IndexOf(string link)
    {
        RequestWriter request = Begin(RTM_GETLINK);
        WriteLinkHeader(ref request);
        request.PutString(IFLA_IFNAME, link);
        int index = 0;
        Send(ref request, $"looking up link {link}", answer =>
            index = MemoryMarshal.Read<int>(answer[(Nlmsg.HeaderLength + 4)..])); // ifi_index
        return index;
    }

    internal void SetUp(string link)
    {
        int index = IndexOf(link);
        RequestWriter request = Begin(RTM_NEWLINK);
        WriteLinkHeader(ref request, index, IFF_UP);
        Send(ref request, $"setting link {link} up");
    }

    /// <summary>Makes a veth pair, its other end at once in <paramref name="peerNamespace"/>. Both ends are down.</summary>
    internal void CreateVeth(string link, string peer, NetworkNamespace peerNamespace)
    {
        using SafeFileHandle handle = NamespaceHandle.Open(peerNamespace);
        RequestWriter request = Begin(RTM_NEWLINK, CreateExclusively);
        WriteLinkHeader(ref request);
        request.PutString(IFLA_IFNAME, link);
        int info = request.BeginNest(IFLA_LINKINFO);
        request.PutString(IFLA_INFO_KIND, "veth");
        int data = request.BeginNest(IFLA_INFO_DATA);
        int other = request.BeginNest(VETH_INFO_PEER);
        WriteLinkHeader(ref request);
        request.PutString(IFLA_IFNAME, peer);
        PutHostU32(ref request, IFLA_NET_NS_FD, (int)handle.DangerousGetHandle());
        request.EndNest(other);
        request.EndNest(data);
        request.EndNest(info);
        Send(ref request, $"making veth pair {link} and {peer} in {peerNamespace}");
    }

    /// <summary>
    /// Adds an address with the route of its prefix. IPv6 ones skip duplicate address detection, so that they can be used at once.
    /// </summary>
    internal void AddAddress(string link, IPAddress address, int prefixLength)
    {
        int index = IndexOf(link);
        RequestWriter request = Begin(RTM_NEWADDR, CreateExclusively);
        Span<byte> ifaddrmsg = request.Take(AddressHeaderLength);
        ifaddrmsg[0] = FamilyOf(address); // ifa_family
        ifaddrmsg[1] = (byte)prefixLength; // ifa_prefixlen
        ifaddrmsg[2] = address.AddressFamily == AddressFamily.InterNetworkV6 ? IFA_F_NODAD : (byte)0; // ifa_flags
        BinaryPrimitives.WriteInt32LittleEndian(ifaddrmsg[4..], index); // ifa_index
        PutAddress(ref request, IFA_LOCAL, address);
        PutAddress(ref request, IFA_ADDRESS, address);
        Send(ref request, $"adding address {address}/{prefixLength} to link {link}");
    }

    /// <summary>Adds a unicast route to the main table.</summary>
    /// <param name="destination">Where to; prefix length 0 is the default route.</param>
    /// <param name="gateway">The next hop; null for a destination on the link itself.</param>
    /// <param name="link">The way out.</param>
    internal void AddRoute(IPNetwork destination, IPAddress? gateway, string link)
    {
        int index = IndexOf(link);
        RequestWriter request = Begin(RTM_NEWROUTE, CreateExclusively);
        Span<byte> rtmsg = request.Take(RouteHeaderLength);
        rtmsg[0] = FamilyOf(destination.BaseAddress); // rtm_family
        rtmsg[1] = (byte)destination.PrefixLength; // rtm_dst_len
        rtmsg[4] = RT_TABLE_MAIN; // rtm_table
        rtmsg[5] = RTPROT_STATIC; // rtm_protocol
        rtmsg[6] = gateway is null ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE; // rtm_scope
        rtmsg[7] = RTN_UNICAST; // rtm_type
        PutAddress(ref request, RTA_DST, destination.BaseAddress);
        if (gateway is not null)
            PutAddress(ref request, RTA_GATEWAY, gateway);
        PutHostU32(ref request, RTA_OIF, index);
        Send(ref request, $"adding route {destination}{(gateway is null ? "" : $" via {gateway}")} on link {link}");
    }

    /// <summary>Adds the default route of the gateway's family.</summary>
    internal void AddDefaultRoute(IPAddress gateway, string link) => AddRoute(
        new IPNetwork(gateway.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0), gateway, link);

    private RequestWriter Begin(ushort type, ushort flags = 0)
    {
        RequestWriter request = new(_request);
        request.BeginMessage(type, Nlmsg.NLM_F_ACK | flags, ++_sequence);
        return request;
    }

    private void Send(ref RequestWriter request, string operation, AnswerReader? onAnswer = null)
    {
        request.EndMessage();
        ErrorMessage error = KernelRequest.Exchange(_socket, request.Written, onAnswer);
        if (error.Errno != Errno.None)
            throw new NetlinkException(
                operation, error.Errno, error.Text ?? (error.Errno == Errno.EPERM ? "this needs CAP_NET_ADMIN" : null));
    }

    private static void WriteLinkHeader(ref RequestWriter request, int index = 0, uint flags = 0)
    {
        Span<byte> ifinfomsg = request.Take(LinkHeaderLength);
        BinaryPrimitives.WriteInt32LittleEndian(ifinfomsg[4..], index); // ifi_index
        BinaryPrimitives.WriteUInt32LittleEndian(ifinfomsg[8..], flags); // ifi_flags
        BinaryPrimitives.WriteUInt32LittleEndian(ifinfomsg[12..], flags); // ifi_change
    }

    private static void PutHostU32(ref RequestWriter request, ushort type, int value) =>
        BinaryPrimitives.WriteInt32LittleEndian(request.Put(type, sizeof(int)), value); // rtnetlink's numbers are in host order

    private static void PutAddress(ref RequestWriter request, ushort type, IPAddress address) =>
        address.TryWriteBytes(request.Put(type, address.AddressFamily == AddressFamily.InterNetwork ? 4 : 16), out _);

    // AF_INET, AF_INET6
    private static byte FamilyOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? (byte)2 : (byte)10;
}
