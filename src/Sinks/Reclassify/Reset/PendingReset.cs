using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>A connection whose client is reset with its next packet.</summary>
/// <param name="flow">Without extras: those are only borrowed.</param>
/// <param name="look">How it is looked at again if its client sends nothing.</param>
internal sealed class PendingReset(in Flow flow, PendingAction action, in Recheck look)
{
    private readonly Flow _flow = flow;
    private readonly Recheck _look = look;

    internal ref readonly Flow Flow => ref _flow;

    internal ref readonly Recheck Look => ref _look;

    internal PendingAction Action { get; } = action;

    internal ResetStage Stage { get; set; }

    /// <summary>When it is looked at next, ms, monotonic. In the queue with any other time, it is left out.</summary>
    internal long Due { get; set; }

    /// <summary>ms until the look after that.</summary>
    internal long Interval { get; set; }

    /// <summary>When its client's packet is waited for no longer, ms, monotonic.</summary>
    internal long Until { get; set; }

    /// <summary>The last look's result.</summary>
    internal ResetState Seen { get; set; }
}
