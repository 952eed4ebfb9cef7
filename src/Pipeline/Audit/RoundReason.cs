namespace ConntrackStream.Pipeline.Audit;

/// <summary>Why the view is compared with a dump. A higher one wins where several ask at once.</summary>
public enum RoundReason : byte
{
    None,

    /// <summary>The regular comparison.</summary>
    Audit,

    /// <summary>The kernel's count disagreed with the view three times.</summary>
    Probe,

    /// <summary>The kernel refused deliveries.</summary>
    Overrun,

    /// <summary>The kernel's events were off, and are on again.</summary>
    EventsOn,

    /// <summary>The event socket was reopened.</summary>
    Reconnect,

    /// <summary>The first dump.</summary>
    Start,
}
