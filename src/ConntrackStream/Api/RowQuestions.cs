using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Service.Api;

/// <summary>A GET for each row of a batch. Not thread-safe.</summary>
internal sealed class RowQuestions
{
    private const long LongestWay = 1_000_000_000; // ns between a NEW's time and the entry's start

    private readonly FlowTuple[] _tuples = new FlowTuple[FlowChangeBatch.Capacity];
    private readonly bool[] _found = new bool[FlowChangeBatch.Capacity];
    private readonly FlowChangeBatchPool _pool = new();

    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal FlowChangeBatch Ask(ConntrackClient client, FlowChangeBatch seen)
    {
        for (int i = 0; i < seen.Count; i++)
            _tuples[i] = seen.Span[i].Flow.Original;
        FlowChangeBatch current = _pool.Rent();
        try
        {
            client.GetMany(_tuples.AsSpan(0, seen.Count), _found, (int index, in FlowEvent row) => Add(current, seen.Span[index], row));
        }
        catch (NetlinkException)
        {
            current.Release();
            throw;
        }

        return current;
    }

    /// <summary>A row that became another flow's since the view was read is left out, as one that is gone.</summary>
    internal static void Add(FlowChangeBatch current, in FlowChange seen, in FlowEvent row)
    {
        if (!IsSame(seen, row.Flow))
            return;
        ref FlowChange change = ref current.Add();
        change = seen;
        change.Flow = row.Flow;
        change.Time = row.Time;
        if (change.Flow.Use > 1)
            change.Flow.Use--; // the GET's own reference, which a dump's rows do not count
        if (row.Flow.Extras is { } extras)
            change.Flow.Extras = current.Copy(extras);
    }

    private static bool IsSame(in FlowChange seen, in Flow now) =>
        seen.Flow.Reply == now.Reply
        && (!seen.Flow.Has(FlowFields.Id) || !now.Has(FlowFields.Id) || seen.Flow.Id == now.Id)
        && (seen.Start == 0 || !now.Has(FlowFields.StartTime) || now.StartTime - seen.Start <= LongestWay);
}
