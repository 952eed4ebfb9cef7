namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>What the driver has done.</summary>
internal sealed class SoakCounts
{
    /// <summary>Flows the kernel has made, by <see cref="SoakKind"/>.</summary>
    public readonly long[] Opened = new long[Enum.GetValues<SoakKind>().Length];

    /// <summary>Of these, with a tuple that had been in use before; with the old entry in the map as far as was known.</summary>
    public long Reused, ReusedStale;

    /// <summary>Of these, in the middle of a deletion.</summary>
    public long ReusedWithin;

    /// <summary>Packets that made an entry and never a flow.</summary>
    public long Orphans;

    /// <summary>Datagrams held between gate and connection tracking while their entry was taken.</summary>
    public long Held;

    /// <summary>By a request for its deletion while it may live; by one after TCP had closed it; by its timer; by a flush.</summary>
    public long EndedByRequest, EndedClosed, EndedByTimeout, EndedByFlush;

    public long Lifetimes => Opened.Sum();
}
