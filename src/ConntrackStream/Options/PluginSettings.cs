namespace ConntrackStream.Service.Options;

/// <summary><c>Plugins</c>: code from other assemblies, trusted as this service's own.</summary>
public sealed class PluginSettings
{
    /// <summary>
    /// Assemblies with a <see cref="Pipeline.Modules.StreamModule"/> or an <see cref="Pipeline.Changes.IFlowSink"/>:
    /// <c>/path/to/assembly.dll[:Type]</c>, root's own. Default none.
    /// </summary>
    public string[] Sinks { get; set; } = [];
}
