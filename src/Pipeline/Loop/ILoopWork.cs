namespace ConntrackStream.Pipeline.Loop;

/// <summary>What a step of long work on the loop has left to do.</summary>
public enum LoopWorkState : byte
{
    /// <summary>Nothing to do until something wakes the loop.</summary>
    Waiting,

    /// <summary>More to do at once.</summary>
    Busy,

    /// <summary>Never again: take it off the list.</summary>
    Done,
}

/// <summary>Long work on the loop, cut into steps well under a millisecond, so that events are never held up.</summary>
public interface ILoopWork
{
    /// <summary>One step. On the loop.</summary>
    LoopWorkState Step();
}
