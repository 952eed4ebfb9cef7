using System.Diagnostics.CodeAnalysis;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Plugins;

/// <summary>The door to plug-ins: a native build has no compiler, and of its own code only what it uses itself.</summary>
internal static class PluginSupport
{
    internal const string Reason = "A plug-in's code is not there when the service is built.";
    internal const string Switch = "ConntrackStream.Plugins"; // off where ConntrackStream.csproj is published as native code

    /// <summary>This build can load assemblies.</summary>
    [FeatureSwitchDefinition(Switch)]
    [FeatureGuard(typeof(RequiresUnreferencedCodeAttribute))]
#pragma warning disable IL4000 // the analyser does not know that the switch is off wherever code is trimmed
    internal static bool IsPresent => !AppContext.TryGetSwitch(Switch, out bool isPresent) || isPresent;
#pragma warning restore IL4000

    /// <inheritdoc cref="PluginAssembly.Load"/>
    internal static PluginAssembly Load(string key, string spec) => IsPresent
        ? PluginAssembly.Load(key, spec)
        : throw new ConfigurationException([
            $"{key}: \"{spec}\" is a .NET assembly, which this native build cannot load; use the JIT build "
            + "(dotnet publish -p:PublishAot=false) or, for a classifier, a program (Reclassify:External)",
        ]);
}
