using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Shutdown</c>: how the service ends.</summary>
public sealed class ShutdownSettings : IOptionSection
{
    /// <summary>Longest time for draining the sinks after SIGTERM or SIGINT.</summary>
    [DurationRange("00:00:00.100", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(20);
}
