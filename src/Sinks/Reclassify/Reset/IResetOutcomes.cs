namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>What has become of a connection whose client was to be reset.</summary>
internal interface IResetOutcomes
{
    /// <summary>Its client has not been seen to send for so long that others need not wait for what comes of it.</summary>
    void OnIdle(PendingReset reset);

    /// <summary>Its client has been reset; a connection that follows may be its successor.</summary>
    void OnReset(PendingReset reset);

    /// <summary>The moment after the reset is over: the entry can go.</summary>
    void OnSettled(PendingReset reset);

    /// <summary>Nothing was done to it: its client has sent nothing in time (false), or it is over by itself (true).</summary>
    void OnUntouched(PendingReset reset, bool isOver);

    /// <summary>The kernel refused.</summary>
    void OnFailed(PendingReset reset, string reason);
}
