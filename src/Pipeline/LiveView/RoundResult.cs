namespace ConntrackStream.Pipeline.LiveView;

/// <summary>What a round (dump against view) found, both families together.</summary>
public sealed record RoundResult
{
    /// <summary>Rows of the kernel's dump, within the filter.</summary>
    public long Rows { get; set; }

    /// <summary>Flows the kernel has and the view had not.</summary>
    public long Missing { get; set; }

    /// <summary>Flows the view had, tapped, and the kernel has not: their DESTROY was lost.</summary>
    public long Ghosts { get; set; }

    /// <summary>Flows of which the kernel has another incarnation than the view had.</summary>
    public long WrongIncarnations { get; set; }

    /// <summary>Untapped flows found ended: expected, since they emit no DESTROY.</summary>
    public long UntappedEnded { get; set; }

    /// <summary>Changes the round brought.</summary>
    public long Repaired => Missing + Ghosts + (2 * WrongIncarnations) + UntappedEnded;

    /// <summary>Drift: what the event stream alone had got wrong. 0 is the only good value for an audit.</summary>
    public long Drift => Missing + Ghosts + WrongIncarnations;
}
