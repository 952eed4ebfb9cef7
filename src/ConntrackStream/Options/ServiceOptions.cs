using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Modules;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.Reclassify;

namespace ConntrackStream.Service.Options;

/// <summary>
/// All settings of the service. A section is a property with a class of its own, or the options of a module; a key is <c>Section:Name</c>.
/// </summary>
public sealed class ServiceOptions : IOptionSection
{
    public TapSettings Tap { get; set; } = new();

    public AuditSettings Audit { get; set; } = new();

    public PluginSettings Plugins { get; set; } = new();

    public PipelineSettings Pipeline { get; set; } = new();

    public StateSettings State { get; set; } = new();

    public ApiSettings Api { get; set; } = new();

    public TableHealthSettings TableHealth { get; set; } = new();

    public ShutdownSettings Shutdown { get; set; } = new();

    public LoggingSettings Logging { get; set; } = new();

    /// <summary>The sections of the modules.</summary>
    internal ModuleOptions Modules { get; } = new();

    /// <summary>What was configured below Plugins for modules that are loaded later.</summary>
    internal ConfigurationValues Configured { get; set; } = new();

    internal FlowLogOptions FlowLog => Modules.Of<FlowLogOptions>();

    internal MapSettings Map => Modules.Of<MapSettings>();

    internal ReclassifyOptions Reclassify => Modules.Of<ReclassifyOptions>();
}
