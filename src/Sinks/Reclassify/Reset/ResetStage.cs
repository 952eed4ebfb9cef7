namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>How far it is.</summary>
internal enum ResetStage : byte
{
    /// <summary>Not in the kernel's set yet.</summary>
    Asked,

    /// <summary>In the set: its client's next packet is answered with a reset.</summary>
    Armed,

    /// <summary>Being removed from the set, since its client has sent nothing in time; one last look says whether it has after all.</summary>
    Expiring,

    /// <summary>The client was reset. Entry and member stay for a moment.</summary>
    Done,

    /// <summary>Nothing more to do but to remove it from the set.</summary>
    Over,
}
