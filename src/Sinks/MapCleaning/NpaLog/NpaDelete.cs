using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>What the flow log says of the flow whose key the agent deleted, better known last.</summary>
internal enum Verdict : byte
{
    /// <summary>No flow of that key was alive.</summary>
    Dead,

    /// <summary>The flow log does not cover that moment, or the line has no time or no whole key.</summary>
    Unknown,

    /// <summary>
    /// A flow of that key may have been alive: its start is unknown, its end was lost, or the log's clock is too coarse to tell.
    /// </summary>
    Possibly,

    /// <summary>A flow of that key was alive.</summary>
    Alive,
}

/// <summary>One delete of the agent. Written to by <see cref="DeleteJudge"/> alone.</summary>
internal sealed class NpaDelete(AgentTime? time, NpaKey? key)
{
    internal AgentTime? Time { get; } = time;

    internal NpaKey? Key { get; } = key;

    internal Verdict Verdict { get; set; }

    /// <summary>A gap of the flow log lies over it.</summary>
    internal bool IsInGap { get; set; }

    /// <summary>The flow that was, or may have been, alive.</summary>
    internal FlowTuple? Flow { get; set; }

    /// <summary>That flow's start, ns since the Unix epoch; null = unknown.</summary>
    internal long? FlowStart { get; set; }

    /// <summary>That flow's end, ns since the Unix epoch; null = none in the flow log.</summary>
    internal long? FlowEnd { get; set; }
}
