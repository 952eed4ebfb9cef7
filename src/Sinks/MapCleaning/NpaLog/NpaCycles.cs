namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>Puts the lines of a log together to cycles.</summary>
internal sealed class NpaCycles
{
    private readonly List<NpaCycle> _all = [];
    private NpaCycle? _open;

    /// <summary>In the order of the log; the last may still be open.</summary>
    internal IReadOnlyList<NpaCycle> All => _all;

    internal void Add(in NpaLine line)
    {
        switch (line.Kind)
        {
            case NpaLineKind.Start:
                Begin(line);
                break;
            case NpaLineKind.Nominated:
                _ = Current(line);
                break;
            case NpaLineKind.Delete:
                Current(line).LoggedDeletes++;
                break;
            case NpaLineKind.Hydrated:
                Close(line, NpaCycleKind.Hydrated);
                break;
            case NpaLineKind.Done when IsOfHydrated(line):
                break;
            case NpaLineKind.Done:
                Close(line, NpaCycleKind.Cleaned);
                break;
            case NpaLineKind.Failed:
                Close(line, NpaCycleKind.Failed);
                break;
        }
    }

    /// <summary>Some logs have the last line after hydrating, too, at once.</summary>
    private bool IsOfHydrated(in NpaLine line) =>
        _open is null && _all is [.., { Kind: NpaCycleKind.Hydrated } hydrated]
        && line.Time?.From - hydrated.End is >= 0 and < 1_000_000_000;

    /// <summary>The cycle a line belongs to; one without a beginning where the log starts, or was cut, in the middle of it.</summary>
    private NpaCycle Current(in NpaLine line)
    {
        NpaCycle cycle = _open ?? Open(start: null, line.Time);
        cycle.FirstSeen ??= line.Time?.From;
        cycle.HasFirstLineOnly = false;
        cycle.Kind = NpaCycleKind.Unfinished;
        return cycle;
    }

    /// <summary>
    /// Where the next cycle begins, one that has logged nothing more was idle. The last of the log is taken for the same as the one before
    /// it: a run takes a fraction of a second, so the log hardly ends within it.
    /// </summary>
    private void Begin(in NpaLine line)
    {
        if (_open is { HasFirstLineOnly: true } silent)
            silent.Kind = NpaCycleKind.Idle;
        bool followsIdle = _all is [.., { Kind: NpaCycleKind.Idle }];
        NpaCycle cycle = Open(line.Time?.From, line.Time);
        cycle.HasFirstLineOnly = true;
        cycle.Kind = followsIdle ? NpaCycleKind.Idle : NpaCycleKind.Unfinished;
    }

    private NpaCycle Open(long? start, AgentTime? seen)
    {
        _open = new NpaCycle { Start = start, FirstSeen = seen?.From };
        _all.Add(_open);
        return _open;
    }

    private void Close(in NpaLine line, NpaCycleKind kind)
    {
        NpaCycle cycle = Current(line);
        cycle.Kind = kind;
        cycle.End = line.Time?.From;
        cycle.ReportedDeletes = line.Deleted;
        cycle.Tracked = line.Tracked;
        _open = null;
    }
}
