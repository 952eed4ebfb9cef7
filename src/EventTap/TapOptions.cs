using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap;

/// <summary>What a <see cref="ConntrackTap"/> listens to, and how.</summary>
public sealed class TapOptions
{
    /// <summary>
    /// Where to listen. Default: the namespace of the thread that starts the tap. Stays the caller's to dispose, after the tap.
    /// </summary>
    public NetworkNamespace Namespace { get; init; } = NetworkNamespace.Current;

    /// <summary>
    /// Memory for events the reader has not taken yet, in bytes as the kernel counts them: about 1280 an event.
    /// Null, the default: nf_conntrack_max × 1280, so that even a flush of a full table fits, but at most 1/16 of this process's memory.
    /// </summary>
    public long? ReceiveBufferBytes { get; init; }

    /// <summary>
    /// Joins NFNLGRP_CONNTRACK_UPDATE too: many more events, and what only they tell (state, status, mark). Default false.
    /// </summary>
    public bool Updates { get; init; }

    /// <summary>
    /// Which flows are followed. Only its <see cref="FlowFilter.Stable"/> part is applied here, the kernel's share in the kernel;
    /// conditions on mark, state, status and labels are left to the receiver. Default: all flows.
    /// </summary>
    public FlowFilter Filter { get; init; } = FlowFilter.All;

    /// <summary>How a failed event socket is opened again.</summary>
    public TapReconnectOptions Reconnect { get; init; } = new();

    /// <summary>
    /// The longest time that events gather in the kernel's buffer after a delivery, so that a stream comes in batches of some thirty: it
    /// saves most of the wake-ups. An event after a quiet time is delivered at once. Whole milliseconds up to 1 s, 0 for none; default
    /// 5 ms. Not done with a receive buffer below 1 MiB, nor while <see cref="ConntrackTap.IsUrgent"/>.
    /// </summary>
    public TimeSpan BatchDelay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>What is wrong, naming the option, its value and what is allowed; null when all is well.</summary>
    public string? FindFault()
    {
        if (ReceiveBufferBytes is <= 0)
            return $"{nameof(ReceiveBufferBytes)} is {ReceiveBufferBytes}, it must be above 0";
        if (BatchDelay < TimeSpan.Zero || BatchDelay > TimeSpan.FromSeconds(1))
            return $"{nameof(BatchDelay)} is {BatchDelay}, it must be 0 to 1 s";
        return Reconnect.FindFault();
    }
}
