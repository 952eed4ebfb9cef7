namespace ConntrackStream.Pipeline;

internal enum LoopWorkState : byte
{
    /// <summary>Nothing to do until something wakes the loop.</summary>
    Waiting,

    /// <summary>More to do at once.</summary>
    Busy,

    /// <summary>Never again: take it off the list.</summary>
    Done,
}

/// <summary>Long work on the loop, cut into steps well under a millisecond, so that events are never held up.</summary>
internal interface ILoopWork
{
    LoopWorkState Step();
}
