using System.Collections.Concurrent;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// When the pod uses a closed connection's tuple again. Forced: right before the call that deletes its entry, whichever cleaner makes it;
/// the looks at the connection table on which it decided lie before. Natural: at a random moment.
/// </summary>
internal sealed class TupleReuse(RaceNode node, bool isForced, TimeProvider time)
{
    private readonly ConcurrentDictionary<MapKey, RaceTuple> _tuples = new();
    private Exception? _failure;

    /// <summary>Entries put back.</summary>
    internal int Restored { get; private set; }

    /// <summary>How long the longest of them was absent.</summary>
    internal TimeSpan LongestAbsence { get; private set; }

    internal IEnumerable<RaceTuple> All => _tuples.Values;

    internal void Add(RaceTuple tuple) => _tuples[tuple.Key] = tuple;

    /// <summary>The cleaner is about to delete this entry. On its thread.</summary>
    internal void BeforeDelete(in MapKey key)
    {
        if (isForced && _tuples.TryGetValue(key, out RaceTuple? tuple) && tuple.IsToBeReused)
            Use(tuple);
    }

    /// <summary>The cleaner has deleted it.</summary>
    internal void AfterDelete(in MapKey key)
    {
        if (_tuples.TryGetValue(key, out RaceTuple? tuple))
            tuple.DeletedAt = time.GetTimestamp();
    }

    /// <summary>The cleaner has put it back.</summary>
    internal void AfterRestore(in MapKey key)
    {
        Restored++;
        if (!_tuples.TryGetValue(key, out RaceTuple? tuple) || tuple.DeletedAt is not { } deletedAt)
            return;
        TimeSpan absence = time.GetElapsedTime(deletedAt);
        if (absence > LongestAbsence)
            LongestAbsence = absence;
    }

    /// <summary>Uses those that are to be used again, one after the other, each at a random moment of the span.</summary>
    internal async Task RunAsync(IEnumerable<RaceTuple> tuples, TimeSpan span, Random random, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        (RaceTuple Tuple, TimeSpan At)[] plan =
            [.. tuples.Where(static tuple => tuple.IsToBeReused).Select(tuple => (tuple, span * random.NextDouble()))];
        foreach ((RaceTuple tuple, TimeSpan at) in plan.OrderBy(static one => one.At))
        {
            if (at - time.GetElapsedTime(start) is { Ticks: > 0 } left)
                await Task.Delay(left, time, cancellationToken);
            Use(tuple);
        }
    }

    /// <exception cref="IOException">A connection could not be made.</exception>
    internal void ThrowIfFailed()
    {
        if (_failure is not null)
            throw new IOException(_failure.Message, _failure);
    }

    private void Use(RaceTuple tuple)
    {
        try
        {
            tuple.Reuse ??= node.ConnectTcp(tuple.Port);
        }
        catch (Exception e) when (e is IOException or NetlinkException) // not the cleaner's fault: it goes on, the race fails
        {
            _failure ??= e;
        }
    }
}
