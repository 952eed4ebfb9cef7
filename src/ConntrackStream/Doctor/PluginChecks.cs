using ConntrackStream.Service.Options;
using ConntrackStream.Service.Plugins;

namespace ConntrackStream.Service.Doctor;

/// <summary>Plug-ins: are they there, root's, and loadable? None of their code is run.</summary>
internal static class PluginChecks
{
    internal static IEnumerable<CheckResult> Run(ServiceOptions options)
    {
        foreach (string sink in options.Plugins.Sinks)
            yield return Check(() => PluginAssembly.Load("Plugins:Sinks", sink).DescribeSink());
        if (options.Reclassify is { Enabled: true, Classifier: { } classifier })
            yield return Check(() => PluginAssembly.Load("Reclassify:Classifier", classifier).DescribeClassifier());
    }

    private static CheckResult Check(Func<string> describe)
    {
        try
        {
            return CheckResult.Ok("plug-in", describe());
        }
        catch (ConfigurationException e)
        {
            return CheckResult.Fail("plug-in", e.Message, "see docs/plugins.md");
        }
    }
}
