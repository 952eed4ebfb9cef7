using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Tap</c>: where and how the kernel is listened to.</summary>
public sealed class TapSettings : IOptionSection
{
    /// <summary>Network namespace: a name under /run/netns or a path such as /proc/PID/ns/net. null: the service's own.</summary>
    public string? NetworkNamespace { get; set; }

    /// <summary>
    /// Receive buffer of the event socket, whatever net.core.rmem_max says; a waiting event takes 1280 bytes. null: nf_conntrack_max x
    /// 1280, at most 1/16 of memory.
    /// </summary>
    [Range(4096L, 1L << 30)]
    public long? ReceiveBufferBytes { get; set; }

    /// <summary>Set nf_conntrack_acct=1 while the service runs: packets and bytes.</summary>
    public bool EnableAccounting { get; set; } = true;

    /// <summary>Set nf_conntrack_timestamp=1 while the service runs: the kernel's start and stop of each flow.</summary>
    public bool EnableTimestamps { get; set; } = true;

    /// <summary>Set nf_conntrack_events=2 while the service runs, if it is 0: without events there is no stream.</summary>
    public bool EnableEvents { get; set; } = true;

    /// <summary>Activate connection tracking while the service runs, with its own nftables table.</summary>
    public bool Track { get; set; }

    /// <summary>Join UPDATE events too: states and marks stay current, at several times the events.</summary>
    public bool JoinUpdates { get; set; }

    /// <summary>
    /// The longest time that events gather in the kernel, so that they come in batches; an event after a quiet time comes at once.
    /// </summary>
    [DurationRange("00:00:00", "00:00:01")]
    public TimeSpan BatchDelay { get; set; } = TimeSpan.FromMilliseconds(5);

    public TapFilterSettings Filter { get; set; } = new();

    public ReconnectSettings Reconnect { get; set; } = new();
}
