using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Api</c>: the running service's HTTP interface on a Unix socket.</summary>
public sealed class ApiSettings : IOptionSection
{
    /// <summary>Serve it at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Path of the socket, made with mode 0660.</summary>
    [Required]
    [StringLength(107)]
    public string Socket { get; set; } = "/run/conntrack-stream/api.sock";

    /// <summary>
    /// Answers of any length (flows, counts, tombstones) at one time; one more is refused with 503. Health, status and metrics are always
    /// answered.
    /// </summary>
    [Range(1, 1024)]
    public int MaxConnections { get; set; } = 32;

    /// <summary>A client that takes nothing of its answer for so long is disconnected.</summary>
    [DurationRange("00:00:02", "01:00:00")]
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A connection without a request is closed after this time, and sooner when there are more than <c>MaxConnections</c> + 32: the one
    /// that has been quiet for longest.
    /// </summary>
    [DurationRange("00:00:01", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
