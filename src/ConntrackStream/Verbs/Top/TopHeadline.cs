using ConntrackStream.Service.Api;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>What stands above the rows. Used by the screen's loop only.</summary>
internal sealed class TopHeadline
{
    private const int MostPoints = 120; // of the line of new flows

    private readonly Queue<double> _starts = new();
    private RefusalCounts? _atBegin;

    /// <summary>Of the machine, and the namespace where it is another one.</summary>
    internal required string Host { get; init; }

    internal DateTimeOffset Now { get; set; }

    /// <summary>Entries of the kernel's table, and how many it may have; null: not read yet.</summary>
    internal long? Entries { get; set; }

    internal long MostEntries { get; set; }

    /// <summary>What the kernel has refused since the screen began.</summary>
    internal RefusalCounts Refusals { get; private set; } = new(0, 0, 0, 0, 0);

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

    /// <summary>The first are those of the begin.</summary>
    internal void Add(RefusalCounts now)
    {
        _atBegin ??= now;
        Refusals = new RefusalCounts(
            now.Drop - _atBegin.Drop, now.EarlyDrop - _atBegin.EarlyDrop, now.InsertFailed - _atBegin.InsertFailed,
            now.ChainTooLong - _atBegin.ChainTooLong, now.ClashResolve - _atBegin.ClashResolve);
    }

    internal void Lose()
    {
        Rates = null;
        _starts.Clear();
    }
}
