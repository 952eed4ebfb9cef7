using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Plugins</c>: code from other assemblies, trusted as this service's own.</summary>
public sealed class PluginSettings : IOptionSection
{
    /// <summary>
    /// Assemblies with a StreamModule or an IFlowSink, <c>/path/to/assembly.dll[:Type]</c>, root's own: trusted code. JIT build only.
    /// </summary>
    public string[] Sinks { get; set; } = [];
}
