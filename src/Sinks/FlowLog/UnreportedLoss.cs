namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Since when events are missing that no gap in the log reports yet. While a loss is repaired, later records are written already: after a
/// kill -9 the last record does not show where the gap must begin, so it is kept in a file of the state directory until the loss's own gap
/// is written.
/// </summary>
internal sealed class UnreportedLoss(string path, ILogger logger)
{
    private readonly TimeFile _file = new(path, logger);
    private long _kept; // ns since the Unix epoch; 0 = nothing
    private long _present;

    /// <summary>What the run before this one left, ns since the Unix epoch; null for nothing. Kept until a gap has reported it.</summary>
    internal long? Read()
    {
        long? earlier = _file.Read();
        _kept = earlier ?? 0;
        return earlier;
    }

    /// <summary>Before changes are written. What is open no longer is kept until <see cref="AfterWrite"/>.</summary>
    /// <param name="from">See <see cref="Pipeline.FlowChangeBatch.UnreportedLossFrom"/>.</param>
    internal void BeforeWrite(long from)
    {
        _present = from;
        if (from != 0 && (_kept == 0 || from < _kept))
            Keep(from);
    }

    /// <summary>All records so far are written, gaps included.</summary>
    internal void AfterWrite()
    {
        if (_kept != _present)
            Keep(_present);
    }

    private void Keep(long from)
    {
        _kept = from;
        if (from == 0)
            _file.Delete();
        else
            _file.Write(from);
    }
}
