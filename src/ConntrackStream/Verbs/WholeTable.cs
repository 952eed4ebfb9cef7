using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Service.Verbs;

/// <summary>Called with one entry of the kernel's table.</summary>
internal delegate void EntryVisitor(in FlowEvent entry);

/// <summary>
/// A look at the kernel's table that shows each entry once. A dump alone may repeat entries, and while the hash table is resized
/// (nf_conntrack_buckets) leave some out: then the table is read again, for what was not shown yet.
/// </summary>
internal sealed class WholeTable(NetworkNamespace networkNamespace)
{
    private const string Buckets = "nf_conntrack_buckets";
    private const int MostReadings = 10; // whoever resizes without end gets what ten readings have found

    private readonly FlowBatchPool _pool = new();
    private readonly HashSet<(FlowTuple Original, uint Id)> _shown = [];

    /// <summary>Shows the entries of one family, or of both.</summary>
    /// <exception cref="NetlinkException">The table cannot be read.</exception>
    internal void Read(FlowFamily family, EntryVisitor onEntry, CancellationToken cancellation)
    {
        _shown.Clear();
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        using SettingReader settings = new(networkNamespace, [Buckets]);
        string? before, after = settings.Read(Buckets);
        int readings = 0;
        do
        {
            before = after;
            client.Dump(family, _pool, batch => Show(batch, onEntry), cancellation);
            after = settings.Read(Buckets);
        }
        while (after != before && ++readings < MostReadings);
    }

    private void Show(FlowBatch batch, EntryVisitor onEntry)
    {
        foreach (ref readonly FlowEvent row in batch.Span)
        {
            if (_shown.Add((row.Flow.Original, row.Flow.Id)))
                onEntry(row);
        }

        batch.Release();
    }
}
