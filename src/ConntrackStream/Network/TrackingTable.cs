using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Netlink.Nftables;

namespace ConntrackStream.Service.Network;

/// <summary>
/// Keeps conntrack active in a namespace where nothing else uses it: a table <c>inet conntrack_stream</c> whose only rule reads
/// <c>ct state</c>. A ct expression anywhere in an inet table registers conntrack's hooks for IPv4 and IPv6 (nf_ct_netns_get), which then
/// see incoming, outgoing and forwarded packets. The rule's chain has no hook of its own, so no packet is ever evaluated by it.
/// </summary>
internal sealed class TrackingTable : IDisposable
{
    internal const string Name = "conntrack_stream";
    private const string Chain = "track";

    private readonly OwnedTable _table;

    private TrackingTable(OwnedTable table) => _table = table;

    /// <summary>Makes conntrack active until disposed, or until this process ends in whatever way.</summary>
    /// <exception cref="NetlinkException">See <see cref="OwnedTable.Create"/>.</exception>
    internal static TrackingTable Create(NetworkNamespace networkNamespace) =>
        new(OwnedTable.Create(Name, networkNamespace, static (ref batch) =>
        {
            batch.AddChain(Name, Chain);
            batch.AddRule(Name, Chain, static (ref rule) => rule.LoadCtState());
        }));

    public void Dispose() => _table.Dispose();
}
