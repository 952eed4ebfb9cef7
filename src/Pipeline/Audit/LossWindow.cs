using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Audit;

/// <summary>The losses that the next round will repair, merged into one gap.</summary>
internal sealed class LossWindow
{
    private FlowGap? _open;

    public bool IsOpen => _open is not null;

    /// <summary>Lower bound of the losses, ns since the Unix epoch; null when nothing was lost.</summary>
    public long? From => _open?.From;

    /// <summary>Adds a loss; a gap of unknown extent (a reconnect) makes the sum unknown.</summary>
    public void Add(FlowGapReason reason, long from, long to, long? lost)
    {
        if (_open is not { } open)
        {
            _open = new FlowGap(reason, from, to, lost, Recovered: null);
            return;
        }

        FlowGapReason worst = Rank(open.Reason) > Rank(reason) ? open.Reason : reason;
        _open = new FlowGap(worst, Math.Min(open.From, from), Math.Max(open.To, to), open.Lost + lost, Recovered: null);
    }

    /// <summary>The socket is open again: nothing after this is lost.</summary>
    public void Extend(long to)
    {
        if (_open is { } open && open.To < to)
            _open = open with { To = to };
    }

    /// <summary>
    /// The barrier has come back through the socket that was opened again. An entry made just before that, when the kernel knew of no
    /// listener, may have been confirmed after it, and without a NEW.
    /// </summary>
    public void ExtendReconnect(long to)
    {
        if (_open is { Reason: FlowGapReason.Reconnect or FlowGapReason.NamespaceReplaced })
            Extend(to);
    }

    /// <summary>Takes the gap out, for the round that repairs it; null when nothing was lost.</summary>
    public FlowGap? Take()
    {
        FlowGap? gap = _open;
        _open = null;
        return gap;
    }

    /// <summary>Puts a gap back whose round failed.</summary>
    public void Return(FlowGap gap) => Add(gap.Reason, gap.From, gap.To, gap.Lost);

    /// <summary>Which of two reasons explains more.</summary>
    private static int Rank(FlowGapReason reason) => reason switch
    {
        FlowGapReason.NamespaceReplaced => 3,
        FlowGapReason.Reconnect => 2,
        FlowGapReason.EventsOff => 1,
        _ => 0,
    };
}
