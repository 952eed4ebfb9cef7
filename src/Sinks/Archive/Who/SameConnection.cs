using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>
/// A service that was killed had no checkpoint of its last flows: the next run finds them again and gives each another id. They are one
/// connection where one log has the kernel's id, both tuples with their zone and the kernel's start time alike.
/// </summary>
internal static class SameConnection
{
    /// <param name="flows">By start and id, so that the first of a connection comes first.</param>
    internal static void Mark(IEnumerable<FlowLife> flows)
    {
        Dictionary<Connection, FlowLife> firsts = [];
        foreach (FlowLife life in flows.Where(static life => life.Key.Part is null && life.Start != 0 && life.Flow.Has(FlowFields.Id)))
        {
            Flow flow = life.Flow;
            Connection connection = new(
                life.LastPlace.Log, life.Key.Host, life.Key.NetworkNamespace, flow.Id, flow.Original, flow.Reply, life.Start);
            if (!firsts.TryAdd(connection, life))
                life.Same = firsts[connection];
        }
    }

    /// <summary>What the records of all ids of a connection say together.</summary>
    internal static FlowLife Joined(FlowLife first, IEnumerable<FlowLife> others)
    {
        FlowLife joined = new(first.Key, first.Flow);
        joined.Add(first);
        foreach (FlowLife other in others)
            joined.Add(other);
        return joined;
    }

    private readonly record struct Connection(
        int Log, string? Host, string? NetworkNamespace, uint Id, FlowTuple Original, FlowTuple Reply, long Start);
}
