using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Verbs;

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// The hash table is one for the machine, and a resize disturbs every dump: alone, after all other tests (see <see cref="Streams"/>).
/// </summary>
public sealed class TableResizeTests
{
    private const int Small = 16_384, Large = 262_144;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Resize_of_the_hash_table_under_load()
    {
        using KernelNamespace space = new();
        using TableSize size = TableSize.AtLeast(262_144);
        using BucketCount buckets = new();
        using Storm storm = new(space);
        await using ViewRig rig = new(space);
        await rig.StartAsync();
        storm.Make(50_000);
        await rig.EqualAsync();
        for (int i = 0; i < 6; i++)
        {
            Task audit = rig.Pipeline.RequestAuditAsync(Cancel);
            buckets.Set(i % 2 == 0 ? 16_384 : 262_144);
            storm.Make(1000);
            await audit;
        }

        await rig.EqualAsync();
        Assert.Equal(56_000, rig.Changes.Count(c => c.Kind == FlowChangeKind.Started));
        Assert.Equal(0, rig.Changes.Count(c => c.Kind == FlowChangeKind.Ended));
    }

    /// <summary>What the one-shot verbs read; the dump alone, which they no longer rely on, shows why.</summary>
    [Fact]
    public void Each_entry_is_shown_once_while_the_hash_table_is_resized()
    {
        const int Flows = 20_000;
        using KernelNamespace space = new();
        using TableSize size = TableSize.AtLeast(2 * Flows);
        using BucketCount buckets = new();
        using Storm storm = new(space);
        using NetworkNamespace opened = NetworkNamespace.OpenName(space.Name);
        storm.Make(Flows);

        List<FlowTuple> plain = [], whole = [];
        using (ConntrackClient client = opened.Run(static () => new ConntrackClient()))
        {
            buckets.Set(Small);
            client.Dump(FlowFamily.IPv4, new FlowBatchPool(), batch =>
            {
                foreach (ref readonly FlowEvent entry in batch.Span)
                    Take(plain, entry);
                batch.Release();
            }, Cancel);
        }

        Assert.NotEqual(Flows, plain.Count);

        buckets.Set(Small);
        new WholeTable(opened).Read(FlowFamily.IPv4, (in FlowEvent entry) => Take(whole, entry), Cancel);
        Assert.Equal(Flows, whole.Count);
        Assert.Equal(Flows, whole.ToHashSet().Count);

        void Take(List<FlowTuple> to, in FlowEvent entry)
        {
            to.Add(entry.Flow.Original);
            if (to.Count == Flows / 2)
                buckets.Set(Large);
        }
    }
}
