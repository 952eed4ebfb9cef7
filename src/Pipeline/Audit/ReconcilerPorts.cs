using System.Reactive.Concurrency;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Audit;

/// <summary>What the reconciler needs from the pipeline around it.</summary>
internal sealed record ReconcilerPorts
{
    /// <summary>Sends a barrier through the event socket; false when none is open.</summary>
    public required Func<long, bool> RequestBarrier { get; init; }

    /// <summary>Puts a message into the pipeline's channel, waiting for room. Called on the dump's thread.</summary>
    public required Action<TapMessage> Write { get; init; }

    /// <summary>
    /// May some batches of changes be written now? After a no the loop is woken once there is room. Live events do not ask.
    /// </summary>
    public required Func<bool> HasRoom { get; init; }

    /// <summary>The first barrier came back, at this time (ns since the Unix epoch): from here on every event is seen.</summary>
    public required Action<long> OnOpened { get; init; }

    /// <summary>Makes the loop look for work.</summary>
    public required Action Wake { get; init; }

    public required Action<RoundReport> OnRound { get; init; }

    public required ChangeWriter Changes { get; init; }

    public required IScheduler Scheduler { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Null = everything.</summary>
    public FlowPredicate? IsWanted { get; init; }
}
