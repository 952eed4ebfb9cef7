using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Network;

/// <summary>
/// Tells whether conntrack is active in a namespace by trying it: one datagram from a loopback socket to itself, then a GET of its flow.
/// Conntrack's hooks are registered by the first user (a ct expression, NAT, IPVS, Open vSwitch, …), so listing the rules of one of them
/// proves nothing, the table keeps entries after the last user is gone, and nfnetlink_hook is not built everywhere.
/// The send returns after the packet has passed POST_ROUTING, where its entry is confirmed: nothing needs to be waited for.
/// The probe's own entry is deleted again; listeners see its NEW and DESTROY.
/// </summary>
internal static class TrackingProbe
{
    /// <summary>Between the datagram and the look at the count, some entries may have ended.</summary>
    private const int AlmostFull = 16;

    private const string Remedy =
        "start with --track, or load a firewall rule that uses connection tracking (nft: 'ct state …'; iptables: '-m conntrack', NAT)";

    /// <summary>Probes both families. Takes about a millisecond; never throws for what the namespace lacks.</summary>
    internal static TrackingReport Run(NetworkNamespace networkNamespace)
    {
        try
        {
            using ConntrackClient client = networkNamespace.Run(() => new ConntrackClient());
            (TrackingState ipv4, string? obstacle4) = Probe(client, networkNamespace, IPAddress.Loopback);
            (TrackingState ipv6, string? obstacle6) = Probe(client, networkNamespace, IPAddress.IPv6Loopback);
            return Describe(ipv4, ipv6, obstacle4 ?? obstacle6, client.Count(), client.Max());
        }
        catch (NetlinkException e)
        {
            return new TrackingReport(TrackingState.Unknown, TrackingState.Unknown, TrackingState.Unknown, e.Message);
        }
    }

    /// <summary>Judges what the two families showed.</summary>
    /// <param name="ipv4">What IPv4 showed.</param>
    /// <param name="ipv6">What IPv6 showed.</param>
    /// <param name="obstacle">Why a family could not be tried; null when both were.</param>
    /// <param name="entries">Entries in the table.</param>
    /// <param name="max">How many it takes; 0 for any number.</param>
    internal static TrackingReport Describe(TrackingState ipv4, TrackingState ipv6, string? obstacle, long entries, long max)
    {
        bool isFull = max > 0 && entries >= max - AlmostFull && (ipv4, ipv6) is (not TrackingState.Active, not TrackingState.Active);
        (TrackingState state, string reason) = (ipv4, ipv6) switch
        {
            (TrackingState.Active, TrackingState.Active) => (TrackingState.Active, "IPv4 and IPv6 are tracked"),
            (TrackingState.Active, TrackingState.Inactive) => (TrackingState.Active, $"IPv4 is tracked, IPv6 is not; for both: {Remedy}"),
            (TrackingState.Inactive, TrackingState.Active) => (TrackingState.Active, $"IPv6 is tracked, IPv4 is not; for both: {Remedy}"),
            (TrackingState.Active, _) => (TrackingState.Active, $"IPv4 is tracked; IPv6 could not be tried: {obstacle}"),
            (_, TrackingState.Active) => (TrackingState.Active, $"IPv6 is tracked; IPv4 could not be tried: {obstacle}"),
            _ when isFull => (TrackingState.Unknown,
                $"the table is full ({entries} of {max} entries), so the kernel drops what needs another one, a datagram over "
                + "loopback too: raise net.netfilter.nf_conntrack_max in the first network namespace"),
            _ when entries > 0 => (TrackingState.Unknown,
                $"the table holds {entries} entries, but a datagram over loopback was not tracked: a NOTRACK rule for loopback, "
                + "or nothing uses conntrack any more"),
            (TrackingState.Unknown, TrackingState.Unknown) => (
                TrackingState.Unknown, $"a datagram over loopback could not be tried: {obstacle}"),
            _ => (TrackingState.Inactive, $"nothing in this namespace uses conntrack (a datagram over loopback was not tracked): {Remedy}"),
        };
        return new TrackingReport(state, ipv4, ipv6, reason) { IsFull = isFull };
    }

    private static (TrackingState State, string? Obstacle) Probe(
        ConntrackClient client, NetworkNamespace networkNamespace, IPAddress loopback)
    {
        try
        {
            using Socket socket = NamespaceSocket.Open(networkNamespace, loopback.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(loopback, 0));
            IPEndPoint self = (IPEndPoint)socket.LocalEndPoint!;
            socket.Connect(self);
            socket.Send(ReadOnlySpan<byte>.Empty);
            return (TakeEntry(client, self) ? TrackingState.Active : TrackingState.Inactive, null);
        }
        catch (SocketException e)
        {
            return (TrackingState.Unknown, $"{loopback}: {e.Message}");
        }
        catch (NetlinkException e) when (e.Errno is Errno.EAFNOSUPPORT) // a kernel without IPv6
        {
            return (TrackingState.Unknown, $"{loopback}: {e.Message}");
        }
    }

    private static bool TakeEntry(ConntrackClient client, IPEndPoint self)
    {
        FlowTuple tuple = new()
        {
            Source = IpAddress.From(self.Address),
            Destination = IpAddress.From(self.Address),
            SourcePort = (ushort)self.Port,
            DestinationPort = (ushort)self.Port,
            Protocol = IpProtocol.Udp,
            Family = self.AddressFamily == AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6,
        };
        FlowBatch batch = new();
        if (!client.TryGet(tuple, batch))
            return false;
        client.Delete(batch.Span[0].Flow);
        return true;
    }
}
