using ConntrackStream.Service.Api;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>What stands above the rows. Used by the screen's loop only.</summary>
internal sealed class TopHeadline
{
    private const int MostPoints = 120; // of the line of new flows

    private readonly Queue<double> _starts = new();

    /// <summary>Of the machine, and the namespace where it is another one.</summary>
    internal required string Host { get; init; }

    internal DateTimeOffset Now { get; set; }

    /// <summary>Entries of the kernel's table, and how many it may have; null: not known.</summary>
    internal long? Entries { get; set; }

    internal long? MostEntries { get; set; }

    /// <summary>What the kernel has refused since the screen began.</summary>
    internal KernelRefusals Refusals { get; set; }

    /// <summary>Times that events were lost since the screen began.</summary>
    internal long Gaps { get; private set; }

    /// <summary>The last interval's; null: none is there yet.</summary>
    internal RateRecord? Rates { get; private set; }

    /// <summary>Where the rates come from, or why there are none.</summary>
    internal string RatesFrom { get; set; } = "";

    /// <summary>New flows a second, the latest last.</summary>
    internal IReadOnlyCollection<double> Starts => _starts;

    internal void Add(RateRecord rates)
    {
        Rates = rates;
        Gaps += rates.Gaps;
        _starts.Enqueue(rates.Started / rates.Interval);
        if (_starts.Count > MostPoints)
            _starts.Dequeue();
    }

    internal void Lose()
    {
        Rates = null;
        _starts.Clear();
    }
}

/// <summary>Sums over all processors, of conntrack's statistics.</summary>
/// <param name="Drop">New flows refused because the table was full.</param>
/// <param name="EarlyDrop">Entries removed to make room.</param>
/// <param name="InsertFailed">Entries not inserted, mostly as another packet had made the same one.</param>
internal readonly record struct KernelRefusals(long Drop, long EarlyDrop, long InsertFailed)
{
    public static KernelRefusals operator -(KernelRefusals left, KernelRefusals right) =>
        new(left.Drop - right.Drop, left.EarlyDrop - right.EarlyDrop, left.InsertFailed - right.InsertFailed);
}
