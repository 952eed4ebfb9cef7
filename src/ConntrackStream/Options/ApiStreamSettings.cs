using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Api:Streams</c>: server-sent events of changes and rates.</summary>
public sealed class ApiStreamSettings : IOptionSection
{
    /// <summary>
    /// Clients of <c>/v1/changes</c>, <c>/v1/rates</c> and <c>/v1/rates/stream</c> at one time; one more is refused with 503.
    /// </summary>
    [Range(1, 1024)]
    public int MaxClients { get; set; } = 16;

    /// <summary>
    /// Changes that are kept for clients of <c>/v1/changes</c> that are slow or come back; each takes about 300 bytes. What is older is
    /// gone for them, and a gap event says how many changes that were. Nothing is kept before the first client.
    /// </summary>
    [Range(256, 1 << 20)]
    public int KeptChanges { get; set; } = 8192;

    /// <summary>How long changes are still kept after the last client of <c>/v1/changes</c> has gone, for it to come back.</summary>
    [DurationRange("00:00:00", "01:00:00")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A stream that has nothing to send sends a comment this often, so that the client sees it is alive.</summary>
    [DurationRange("00:00:01", "00:10:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);
}
