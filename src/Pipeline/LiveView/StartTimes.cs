namespace ConntrackStream.Pipeline.LiveView;

/// <summary>How far apart the kernel's times of one entry may be, ns.</summary>
internal static class StartTimes
{
    /// <summary>Two of one kind.</summary>
    internal const long Same = 1_000_000;

    /// <summary>
    /// The time of a NEW (CTA_TIMESTAMP_EVENT) is that of the first thing to tell of the entry: a mark that it got in prerouting, say. Its
    /// start (CTA_TIMESTAMP_START) is that of its confirmation, at the last hook. In between lies the packet's way through the gateway:
    /// microseconds as a rule, milliseconds through many rules or where the processor is taken away (both measured),
    /// longer through a queue to user space.
    /// </summary>
    internal const long LongestWay = 1_000_000_000;
}
