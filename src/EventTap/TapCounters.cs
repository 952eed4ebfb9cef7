namespace ConntrackStream.EventTap;

/// <summary>
/// Plain counters since start, owned by the tap's reader thread and read by polling from anywhere (each value
/// is whole, the set is not a snapshot).
/// </summary>
public sealed class TapCounters
{
    /// <summary>Decoded events by type: NEW, UPDATE, DESTROY.</summary>
    public long New, Update, Destroy;

    /// <summary>Messages that could not be decoded.</summary>
    public long Malformed;

    /// <summary>Decoded events that only user space could refuse: the part of the filter that the kernel did not judge.</summary>
    public long Filtered;

    /// <summary>Messages of other user-space senders, ignored: events come from the kernel (nl_pid 0).</summary>
    public long Foreign;

    /// <summary>Bytes received on the event socket.</summary>
    public long Bytes;

    /// <summary>
    /// Deliveries the kernel refused because the socket's buffer was full (SO_MEMINFO drops), over all sockets since start.
    /// </summary>
    public long Lost;

    /// <summary>Times a new loss was noticed.</summary>
    public long Overruns;

    /// <summary>Times the event socket was opened again after a failure.</summary>
    public long Reconnects;

    /// <summary>Failed attempts to open it again.</summary>
    public long FailedReconnects;

    /// <summary>The most receive memory that the reader found in use after it had taken what it takes at once, in bytes.</summary>
    public long PeakQueuedBytes;

    /// <summary>When the last datagram was received, ns since the Unix epoch; 0 = none yet.</summary>
    public long LastReceived;
}
