using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>A plug-in: is it there, root's, and loadable? None of its code is run.</summary>
public static class PluginCheck
{
    /// <param name="describe">By <see cref="IPluginLoader.Describe"/>.</param>
    public static CheckResult Run(Func<string> describe)
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
