using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Reclassify;

namespace ConntrackStream.Service.Options;

/// <summary>All settings of the service. A section is a property with a class of its own, a key <c>Section:Name</c>.</summary>
public sealed class ServiceOptions
{
    public TapSettings Tap { get; set; } = new();

    public FlowLogOptions FlowLog { get; set; } = new();

    public AuditSettings Audit { get; set; } = new();

    public MapSettings Map { get; set; } = new();

    public ReclassifyOptions Reclassify { get; set; } = new();

    public PluginSettings Plugins { get; set; } = new();

    public PipelineSettings Pipeline { get; set; } = new();

    public StateSettings State { get; set; } = new();

    public ApiSettings Api { get; set; } = new();

    public TableHealthSettings TableHealth { get; set; } = new();

    public ShutdownSettings Shutdown { get; set; } = new();

    public LoggingSettings Logging { get; set; } = new();
}
