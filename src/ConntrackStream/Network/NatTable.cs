using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Netlink.Nftables;

namespace ConntrackStream.Service.Network;

/// <summary>
/// IPv4 NAT of a small gateway: what leaves by the outer link is masqueraded, one outer port leads to an inner host. An <see
/// cref="OwnedTable"/>.
/// </summary>
internal static class NatTable
{
    internal const string Name = "conntrack_stream_nat";
    private const string Source = "postrouting";
    private const string Destination = "prerouting";

    /// <param name="networkNamespace">The gateway's.</param>
    /// <param name="outerLink">Name of the link to the outside.</param>
    /// <param name="publicPort">TCP port on the outer link that is published.</param>
    /// <param name="published">The IPv4 host and port it leads to.</param>
    /// <exception cref="NetlinkException">See <see cref="OwnedTable.Create"/>.</exception>
    internal static OwnedTable Create(NetworkNamespace networkNamespace, string outerLink, ushort publicPort, IPEndPoint published) =>
        OwnedTable.Create(Name, networkNamespace, (ref batch) =>
        {
            batch.AddChain(Name, Source, NftHook.SourceNat);
            batch.AddRule(Name, Source, (ref rule) =>
            {
                rule.OutputInterfaceIs(outerLink);
                rule.FamilyIsIPv4();
                rule.Masquerade();
            });
            batch.AddChain(Name, Destination, NftHook.DestinationNat);
            batch.AddRule(Name, Destination, (ref rule) =>
            {
                rule.InputInterfaceIs(outerLink);
                rule.FamilyIsIPv4();
                rule.DestinationPortIs(ProtocolType.Tcp, publicPort);
                rule.TranslateDestination(published);
            });
        });
}
