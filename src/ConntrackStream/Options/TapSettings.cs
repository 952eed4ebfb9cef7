using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Tap</c>: where and how the kernel is listened to.</summary>
public sealed class TapSettings
{
    /// <summary>Name under /run/netns, or a path (/proc/PID/ns/net), of the namespace to listen in. Default: the service's own.</summary>
    public string? NetworkNamespace { get; set; }

    /// <summary>
    /// Receive buffer of the event socket in bytes, forced past rmem_max. One waiting event takes 1280 bytes.
    /// Default: nf_conntrack_max × 1280, at most 1/16 of the machine's memory.
    /// </summary>
    [Range(4096L, 1L << 30)]
    public long? ReceiveBufferBytes { get; set; }

    /// <summary>Sets nf_conntrack_acct=1 while the service runs, so that flows carry packets and bytes. Default true.</summary>
    public bool EnableAccounting { get; set; } = true;

    /// <summary>
    /// Sets nf_conntrack_timestamp=1 while the service runs, so that flows carry the kernel's start and stop. Default true.
    /// </summary>
    public bool EnableTimestamps { get; set; } = true;

    /// <summary>Sets nf_conntrack_events=2 while the service runs, if it is 0: without events there is no stream. Default true.</summary>
    public bool EnableEvents { get; set; } = true;

    /// <summary>Activates connection tracking in the namespace with an own nftables table, removed at exit. Default false.</summary>
    public bool Track { get; set; }

    /// <summary>Joins the UPDATE group too: states, assured and marks stay current, at several times the events. Default false.</summary>
    public bool JoinUpdates { get; set; }

    /// <summary>
    /// The longest time that events gather in the kernel after a delivery, so that a stream comes in batches of some thirty; an event after
    /// a quiet time comes at once. Default 5 ms.
    /// </summary>
    [DurationRange("00:00:00", "00:00:01")]
    public TimeSpan BatchDelay { get; set; } = TimeSpan.FromMilliseconds(5);

    public TapFilterSettings Filter { get; set; } = new();

    public ReconnectSettings Reconnect { get; set; } = new();
}
