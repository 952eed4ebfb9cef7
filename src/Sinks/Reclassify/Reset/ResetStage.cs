namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>How far it is.</summary>
internal enum ResetStage : byte
{
    /// <summary>Not in the kernel's set yet.</summary>
    Asked,

    /// <summary>Being put into the set: its client may be reset before the kernel's acknowledgement has come.</summary>
    Adding,

    /// <summary>In the set: its client's next packet is answered with a reset.</summary>
    Armed,

    /// <summary>
    /// Being removed from the set, since its client has sent nothing in time; one last look says whether it has after all.
    /// </summary>
    Expiring,

    /// <summary>A reset has gone to the client. Entry and member stay until no packet passes any more.</summary>
    Done,

    /// <summary>Nothing more to do but to remove it from the set.</summary>
    Over,
}
